-- For databases without statements of their own. A statement that fails because it was run before can be skipped.

-- One row for each message.
create table ${tables}message (
    at_micros ${long} not null,     -- when it was settled or released, or when its lease ends; since 1970 UTC
    record_offset ${long} not null, -- offset of the delivery
    place ${long} not null,         -- place of the delivery: number of the stream * 2^32 + partition; -1 if unknown
    consumer ${int} not null,       -- number of the consumer
    state ${int} not null,          -- status * 2^29 + attempt * 2^16 + starts * 2^8 + seal;
                                    -- status 0 leased, 1 released, 2 processed, 3 quarantined;
                                    -- leased with the seal 1: claimed, but not proved by its transaction
    message_id ${id} not null,      -- the id itself if it is a UUID, otherwise a hash of it
    primary key (consumer, message_id)
)${options};

-- For the purge.
create index ${prefix}message_at on ${tables}message (consumer, at_micros);

-- The names of consumers and streams, each once, compared character by character.
create table ${tables}name (
    id ${int} primary key,
    name ${name} not null unique,
    retention_micros ${long} default 0 not null,        -- how long the table above remembers messages of this consumer; 0 if unknown
    journal_retention_micros ${long} default 0 not null -- how long its journals do; 0 if unknown
)${options};

-- The row for reading the clock of the database.
insert into ${tables}name (id, name) values (0, '(clock)');

-- How far the purge has come in each partition. A delivery at or before it that has no row may have been processed: its row may be purged.
create table ${tables}horizon (
    place ${long} not null,         -- number of the stream * 2^32 + partition
    record_offset ${long} not null, -- greatest offset of the purged messages
    at_micros ${long} not null,     -- when the last one of them was settled
    consumer ${int} not null,      -- number of the consumer
    primary key (consumer, place)
)${options};

-- Messages that failed for good, with their bytes.
create table ${tables}quarantine (
    consumer ${int} not null,
    message_id ${id} not null,
    at_micros ${long} not null,
    record_offset ${long} not null,
    place ${long} not null,
    attempts ${int} not null,
    origin ${origin} not null,    -- where the bytes come from
    id_value ${idValue} not null, -- the id as text
    failure ${text} not null,
    record_key ${bytes},
    record_value ${bytes},
    headers ${bytes} not null,    -- count, then for each header: length and bytes of the name, length (-1: none) and bytes of the value
    primary key (consumer, message_id)
)${options};

-- The heads of the journals, one for each consumer and partition. An append locks its head.
create table ${tables}journal (
    place ${long} not null,           -- number of the stream * 2^32 + partition
    version ${long} not null,         -- version of the last segment
    token ${long} not null,           -- random, new for each append
    at_micros ${long} not null,       -- the time of the last segment
    horizon_version ${long} not null, -- version of the last purged segment
    horizon_offset ${long} not null,  -- greatest purged offset
    consumer ${int} not null,         -- number of the consumer
    partitions ${int} not null,       -- how many partitions the topic had; 0 if unknown
    primary key (consumer, place)
)${options};

-- One row for each poll and partition, with the ids of all its messages.
create table ${tables}segment (
    place ${long} not null,
    version ${long} not null,   -- from 1, without gaps
    token ${long} not null,
    at_micros ${long} not null, -- when it was appended, never earlier than the previous segment; since 1970 UTC
    first_offset ${long} not null,
    last_offset ${long} not null,
    consumer ${int} not null,
    kind ${short} not null,     -- 0 processed, 1 quarantined, 2 forgotten, 3 not proved; the last entry of a message counts
    gaps ${bytes} not null,     -- distances between offsets; empty if they are consecutive
    ids ${bytes} not null,      -- 16 bytes for each message
    primary key (consumer, place, version)
)${options};
