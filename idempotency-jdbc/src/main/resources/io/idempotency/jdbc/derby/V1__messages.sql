-- Where a statement fails because it was run before, it may be passed over.

-- One row per message.
create table ${tables}message (
    at_micros bigint not null,     -- when it was settled or released, or when its lease ends; since 1970 UTC
    record_offset bigint not null, -- where it stood: offset
    place bigint not null,         -- where it stood: number of the stream * 2^32 + partition; -1 if unknown
    consumer integer not null,     -- number of the consumer
    state integer not null,        -- status * 2^29 + attempt * 2^16 + starts * 2^8 + seal;
                                   -- status 0 leased, 1 released, 2 processed, 3 quarantined;
                                   -- leased with the seal 1: claimed, and never proved by its transaction
    message_id char(16) for bit data not null, -- the id itself if it is a UUID, else a hash of it
    primary key (consumer, message_id)
);

-- For the purge.
create index ${prefix}message_at on ${tables}message (consumer, at_micros);

-- The names of consumers and streams, each once. Two names are the same only character by character.
create table ${tables}name (
    id integer primary key,
    name varchar(255) not null unique,
    retention_micros bigint default 0 not null,        -- how long the messages of this consumer are remembered in the table above; 0 if nobody said
    journal_retention_micros bigint default 0 not null -- and in journals
);

-- The row that the database's clock is read from.
insert into ${tables}name (id, name) values (0, '(clock)');

-- Messages that failed for good, with their bytes.
create table ${tables}quarantine (
    consumer integer not null,
    message_id char(16) for bit data not null,
    at_micros bigint not null,
    record_offset bigint not null,
    place bigint not null,
    attempts integer not null,
    origin varchar(20) not null,   -- where the bytes come from
    id_value varchar(4096) not null, -- the id as it was given
    failure clob not null,
    record_key blob,
    record_value blob,
    headers blob not null,        -- count, then per header: length and bytes of the name, length (-1: none) and bytes of the value
    primary key (consumer, message_id)
);

-- The journals: one for each consumer and partition. The row is locked by whoever appends.
create table ${tables}journal (
    place bigint not null,          -- number of the stream * 2^32 + partition
    version bigint not null,        -- the last segment
    token bigint not null,          -- random, another one for each append
    at_micros bigint not null,      -- the time of the last segment
    horizon_version bigint not null, -- the last segment that was purged
    horizon_offset bigint not null, -- the greatest offset that was purged
    consumer integer not null,      -- number of the consumer
    partitions integer not null,    -- how many partitions the topic had; 0 if unknown
    primary key (consumer, place)
);

-- One row for each poll and partition, with the ids of all its messages.
create table ${tables}segment (
    place bigint not null,
    version bigint not null,        -- from 1, without gaps
    token bigint not null,
    at_micros bigint not null,      -- when it was appended, and never before the segment in front; since 1970 UTC
    first_offset bigint not null,
    last_offset bigint not null,
    consumer integer not null,
    kind smallint not null,         -- 0 processed, 1 quarantined, 2 forgotten, 3 not proved; the last one of a message counts
    gaps blob not null,           -- distances of the offsets, where they are not in a row
    ids blob not null,            -- 16 bytes for each message
    primary key (consumer, place, version)
);
