-- By the manual; not run on this database by the tests of this library.
-- Can be run again: what is there is left as it is.

-- One row per message.
create table if not exists ${tables}message (
    at_micros bigint not null,     -- when it was settled or released, or when its lease ends; since 1970 UTC
    record_offset bigint not null, -- where it stood: offset
    place bigint not null,         -- where it stood: number of the stream * 2^32 + partition; -1 if unknown
    consumer integer not null,     -- number of the consumer
    state integer not null,        -- status * 2^29 + attempt * 2^16 + starts * 2^8 + seal;
                                   -- status 0 leased, 1 released, 2 processed, 3 quarantined;
                                   -- leased with the seal 1: claimed, and never proved by its transaction
    message_id binary(16) not null, -- the id itself if it is a UUID, else a hash of it
    primary key (consumer, message_id),
    index ${prefix}message_at (consumer, at_micros) -- for the purge
) engine = innodb;

-- The names of consumers and streams, each once. The collation compares byte by byte and does not pad.
create table if not exists ${tables}name (
    id integer primary key,
    name varchar(255) character set utf8mb4 collate utf8mb4_0900_bin not null unique,
    retention_micros bigint default 0 not null,        -- how long the messages of this consumer are remembered in the table above; 0 if nobody said
    journal_retention_micros bigint default 0 not null -- and in journals
) engine = innodb;

-- The row that the database's clock is read from.
insert ignore into ${tables}name (id, name) values (0, '(clock)');

-- Messages that failed for good, with their bytes.
create table if not exists ${tables}quarantine (
    consumer integer not null,
    message_id binary(16) not null,
    at_micros bigint not null,
    record_offset bigint not null,
    place bigint not null,
    attempts integer not null,
    origin varchar(20) not null,   -- where the bytes come from
    id_value text character set utf8mb4 collate utf8mb4_0900_bin not null, -- the id as it was given
    failure longtext character set utf8mb4 not null,
    record_key longblob,
    record_value longblob,
    headers longblob not null,        -- count, then per header: length and bytes of the name, length (-1: none) and bytes of the value
    primary key (consumer, message_id)
) engine = innodb;

-- The journals: one for each consumer and partition. The row is locked by whoever appends.
create table if not exists ${tables}journal (
    place bigint not null,          -- number of the stream * 2^32 + partition
    version bigint not null,        -- the last segment
    token bigint not null,          -- random, another one for each append
    at_micros bigint not null,      -- the time of the last segment
    horizon_version bigint not null, -- the last segment that was purged
    horizon_offset bigint not null, -- the greatest offset that was purged
    consumer integer not null,      -- number of the consumer
    partitions integer not null,    -- how many partitions the topic had; 0 if unknown
    primary key (consumer, place)
) engine = innodb;

-- One row for each poll and partition, with the ids of all its messages.
create table if not exists ${tables}segment (
    place bigint not null,
    version bigint not null,        -- from 1, without gaps
    token bigint not null,
    at_micros bigint not null,      -- when it was appended, and never before the segment in front; since 1970 UTC
    first_offset bigint not null,
    last_offset bigint not null,
    consumer integer not null,
    kind smallint not null,         -- 0 processed, 1 quarantined, 2 forgotten, 3 not proved; the last one of a message counts
    gaps mediumblob not null,           -- distances of the offsets, where they are not in a row
    ids mediumblob not null,            -- 16 bytes for each message
    primary key (consumer, place, version)
) engine = innodb;
