-- For databases without statements of their own. Where a statement fails because it was run before, it may be passed over.

-- One row per message.
create table ${tables}message (
    at_micros ${long} not null,     -- when it was settled or released, or when its lease ends; since 1970 UTC
    record_offset ${long} not null, -- where it stood: offset
    place ${long} not null,         -- where it stood: number of the stream * 2^32 + partition; -1 if unknown
    consumer ${int} not null,       -- number of the consumer
    state ${int} not null,          -- status * 2^29 + attempt * 2^16 + starts * 2^8 + seal;
                                    -- status 0 leased, 1 released, 2 processed, 3 quarantined;
                                    -- leased with the seal 1: claimed, and never proved by its transaction
    message_id ${id} not null,      -- the id itself if it is a UUID, else a hash of it
    primary key (consumer, message_id)
)${options};

-- For the purge.
create index ${prefix}message_at on ${tables}message (consumer, at_micros);

-- The names of consumers and streams, each once. Two names are the same only character by character.
create table ${tables}name (
    id ${int} primary key,
    name ${name} not null unique,
    retention_micros ${long} default 0 not null,        -- how long the messages of this consumer are remembered in the table above; 0 if nobody said
    journal_retention_micros ${long} default 0 not null -- and in journals
)${options};

-- The row that the database's clock is read from.
insert into ${tables}name (id, name) values (0, '(clock)');

-- Messages that failed for good, with their bytes.
create table ${tables}quarantine (
    consumer ${int} not null,
    message_id ${id} not null,
    at_micros ${long} not null,
    record_offset ${long} not null,
    place ${long} not null,
    attempts ${int} not null,
    origin ${origin} not null,    -- where the bytes come from
    id_value ${idValue} not null, -- the id as it was given
    failure ${text} not null,
    record_key ${bytes},
    record_value ${bytes},
    headers ${bytes} not null,    -- count, then per header: length and bytes of the name, length (-1: none) and bytes of the value
    primary key (consumer, message_id)
)${options};

-- The journals: one for each consumer and partition. The row is locked by whoever appends.
create table ${tables}journal (
    place ${long} not null,           -- number of the stream * 2^32 + partition
    version ${long} not null,         -- the last segment
    token ${long} not null,           -- random, another one for each append
    at_micros ${long} not null,       -- the time of the last segment
    horizon_version ${long} not null, -- the last segment that was purged
    horizon_offset ${long} not null,  -- the greatest offset that was purged
    consumer ${int} not null,         -- number of the consumer
    partitions ${int} not null,       -- how many partitions the topic had; 0 if unknown
    primary key (consumer, place)
)${options};

-- One row for each poll and partition, with the ids of all its messages.
create table ${tables}segment (
    place ${long} not null,
    version ${long} not null,   -- from 1, without gaps
    token ${long} not null,
    at_micros ${long} not null, -- when it was appended, and never before the segment in front; since 1970 UTC
    first_offset ${long} not null,
    last_offset ${long} not null,
    consumer ${int} not null,
    kind ${short} not null,     -- 0 processed, 1 quarantined, 2 forgotten, 3 not proved; the last one of a message counts
    gaps ${bytes} not null,     -- distances of the offsets, where they are not in a row
    ids ${bytes} not null,      -- 16 bytes for each message
    primary key (consumer, place, version)
)${options};
