-- By the manual; not run on this database by the tests of this library.
-- Where a statement fails because it was run before, it may be passed over.

-- One row per message.
create table ${tables}message (
    at_micros number(19) not null,     -- when it was settled or released, or when its lease ends; since 1970 UTC
    record_offset number(19) not null, -- where it stood: offset
    place number(19) not null,         -- where it stood: number of the stream * 2^32 + partition; -1 if unknown
    consumer number(10) not null,     -- number of the consumer
    state number(10) not null,        -- status * 2^29 + attempt * 2^16 + starts * 2^8 + seal;
                                   -- status 0 leased, 1 released, 2 processed, 3 quarantined;
                                   -- leased with the seal 1: claimed, and never proved by its transaction
    message_id raw(16) not null, -- the id itself if it is a UUID, else a hash of it
    primary key (consumer, message_id)
);

-- For the purge.
create index ${prefix}message_at on ${tables}message (consumer, at_micros);

-- The names of consumers and streams, each once. Two names are the same only character by character.
create table ${tables}name (
    id number(10) primary key,
    name varchar2(255 char) not null unique,
    retention_micros number(19) default 0 not null,        -- how long the messages of this consumer are remembered in the table above; 0 if nobody said
    journal_retention_micros number(19) default 0 not null -- and in journals
);

-- The row that the database's clock is read from.
insert into ${tables}name (id, name) values (0, '(clock)');

-- Messages that failed for good, with their bytes.
create table ${tables}quarantine (
    consumer number(10) not null,
    message_id raw(16) not null,
    at_micros number(19) not null,
    record_offset number(19) not null,
    place number(19) not null,
    attempts number(10) not null,
    origin varchar2(20 char) not null,   -- where the bytes come from
    id_value clob not null, -- the id as it was given
    failure clob not null,
    record_key blob,
    record_value blob,
    headers blob not null,        -- count, then per header: length and bytes of the name, length (-1: none) and bytes of the value
    primary key (consumer, message_id)
);

-- The journals: one for each consumer and partition. The row is locked by whoever appends.
create table ${tables}journal (
    place number(19) not null,          -- number of the stream * 2^32 + partition
    version number(19) not null,        -- the last segment
    token number(19) not null,          -- random, another one for each append
    at_micros number(19) not null,      -- the time of the last segment
    horizon_version number(19) not null, -- the last segment that was purged
    horizon_offset number(19) not null, -- the greatest offset that was purged
    consumer number(10) not null,      -- number of the consumer
    partitions number(10) not null,    -- how many partitions the topic had; 0 if unknown
    primary key (consumer, place)
);

-- One row for each poll and partition, with the ids of all its messages.
create table ${tables}segment (
    place number(19) not null,
    version number(19) not null,        -- from 1, without gaps
    token number(19) not null,
    at_micros number(19) not null,      -- when it was appended, and never before the segment in front; since 1970 UTC
    first_offset number(19) not null,
    last_offset number(19) not null,
    consumer number(10) not null,
    kind number(5) not null,         -- 0 processed, 1 quarantined, 2 forgotten, 3 not proved; the last one of a message counts
    gaps blob not null,           -- distances of the offsets, where they are not in a row
    ids blob not null,            -- 16 bytes for each message
    primary key (consumer, place, version)
);
