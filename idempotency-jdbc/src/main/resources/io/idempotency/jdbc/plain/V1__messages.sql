-- For databases without statements of their own. A statement that fails because it was run before can be skipped.

-- One row for each message.
create table ${tables}message (
    at_micros ${long} not null,     -- when it was settled or released, or when its lease ends; since 1970 UTC
    record_offset ${long} not null, -- offset of the delivery; if a share group delivered it, minus this minus 1
    place ${long} not null,         -- place of the delivery: number of the stream * 2^32 + partition; -1 if unknown
    consumer ${int} not null,       -- number of the consumer
    state ${int} not null,          -- status * 2^29 + attempt * 2^16 + starts * 2^8 + seal;
                                    -- status 0 leased, 1 released, 2 processed, 3 quarantined;
                                    -- leased with the seal 1: claimed, but not proved by its transaction;
                                   -- processed with the seal 2: dropped, 3: expired
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
    generation ${long} not null,       -- greater at each save, so that nobody takes a message for an earlier one
    at_micros ${long} not null,        -- when it failed last
    first_at_micros ${long} not null,  -- when it was quarantined first
    record_timestamp ${long} not null, -- of the record, in milliseconds; -1 if unknown
    record_offset ${long} not null,
    place ${long} not null,
    key_hash ${long} not null,         -- of the key; 0 without a key
    attempts ${int} not null,
    behind ${short} not null,          -- 1 if its handler was not called, because an earlier message of its key is here
    doubtful ${short} not null,        -- 1 if its effect may have happened: its handler failed under AT_MOST_ONCE
    origin ${origin} not null,         -- where the bytes come from
    failure_type ${name} not null,     -- class of the exception
    failure_group ${origin} not null,  -- equal for failures of the same kind from the same place
    replay ${name},                    -- the running replay that it belongs to
    id_value ${idValue} not null,      -- the id as text
    failure ${text} not null,
    record_key ${bytes},
    record_value ${bytes},
    headers ${bytes} not null,         -- count, then for each header: length and bytes of the name, length (-1: none) and bytes of the value
    primary key (consumer, message_id)
)${options};

-- For the order of replays.
create index ${prefix}quarantine_place on ${tables}quarantine (consumer, place, record_offset);

-- For the order of keys.
create index ${prefix}quarantine_key on ${tables}quarantine (consumer, place, key_hash, record_offset);

-- For pages of a group of failures.
create index ${prefix}quarantine_group on ${tables}quarantine (consumer, failure_group, place, record_offset);

-- For the messages of a replay.
create index ${prefix}quarantine_replay on ${tables}quarantine (replay, place, record_offset);

-- Requests to handle quarantined messages again. The messages of a request have its id in their column replay.
create table ${tables}replay (
    id ${name} primary key,                      -- chosen by whoever asks for it
    consumer ${int} not null,
    status ${origin} default 'RUNNING' not null, -- RUNNING, PAUSED, STOPPED or DONE
    per_second ${int} default 10 not null,
    may_repeat ${short} default 0 not null,      -- 1 if messages of AT_MOST_ONCE may be handled again
    stop_after ${int} default 5 not null,        -- so many equal failures in a row stop it
    failures_in_row ${int} default 0 not null,
    failing_group ${origin},                     -- of these failures
    total ${long} default 0 not null,            -- messages at the request
    processed ${long} default 0 not null,
    duplicates ${long} default 0 not null,       -- processed already
    failed ${long} default 0 not null,
    unreadable ${long} default 0 not null,       -- without bytes, or bytes that make no record
    at_micros ${long} default 0 not null,        -- when it was asked for; 0 if unknown
    ended_micros ${long} default 0 not null,     -- when it stopped or was done; 0 until then
    actor ${name},                               -- who asked for it
    selection ${text},                           -- the messages asked for, in words
    reason ${text},
    stopped_by ${text}                           -- why it stopped
)${options};

-- Who changed the memory of messages.
create table ${tables}audit (
    at_micros ${long} not null,
    token ${long} not null,      -- random
    actor ${name} not null,      -- who did it
    origin ${origin} not null,   -- from where: api, endpoint, cli
    verb ${origin} not null,
    consumer ${name} not null,   -- name of the consumer
    messages ${long} not null,   -- how many
    subject ${idValue} not null, -- id, or the selection in words
    reason ${text},
    primary key (at_micros, token)
)${options};

-- What handlers returned: the answers to messages, and the results of steps.
create table ${tables}result (
    at_micros ${long} not null,    -- when it was stored
    consumer ${int} not null,
    message_id ${id} not null,
    name ${name} not null,         -- of the step; $answer for the answer
    result_type ${name} not null,  -- class of what was returned
    fingerprint ${bytes},          -- SHA-256 of the request; empty if none is kept, which is null for some databases
    content ${bytes},
    primary key (consumer, message_id, name)
)${options};

-- For the purge.
create index ${prefix}result_at on ${tables}result (consumer, at_micros);

-- Ranges of records that are being written to a sink without transactions.
create table ${tables}range (
    at_micros ${long} not null,    -- when it was recorded
    place ${long} not null,        -- number of the stream * 2^32 + partition
    first_offset ${long} not null,
    last_offset ${long} not null,
    consumer ${int} not null,      -- number of the consumer
    token ${name} not null,
    included ${bytes},             -- 0 and a bit for each offset from first_offset on, or 1 and eight bytes for each; empty if all belong to it
    digest ${bytes} not null,      -- SHA-256 of the ids of its messages
    primary key (consumer, place, token)
)${options};

-- Which offsets of each partition are settled, from the first on and without a gap. Written after the commit.
create table ${tables}settled (
    at_micros ${long} not null,    -- when it was written
    place ${long} not null,        -- number of the stream * 2^32 + partition
    first_offset ${long} not null,
    next_offset ${long} not null,  -- the one behind the last
    token ${long} not null,        -- random, another one at each write
    consumer ${int} not null,      -- number of the consumer
    leader_epoch ${int} not null,  -- of the newest record that was polled; -1 if it is not known
    topic_id ${name} not null,
    primary key (consumer, place)
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
    archived_version ${long} default 0 not null, -- segments up to this version count as deleted: archives have their messages
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
    kind ${short} not null,     -- 0 processed, 1 quarantined, 2 forgotten, 3 not proved, 4 dropped, 5 expired; the last entry of a message counts
    gaps ${bytes} not null,     -- distances between offsets; empty if they are consecutive
    ids ${bytes} not null,      -- 16 bytes for each message
    primary key (consumer, place, version)
)${options};

-- Messages of older segments, sorted by a hash of their ids. What is active never changes.
create table ${tables}archive (
    place ${long} not null,
    archive ${long} not null,        -- random
    state ${short} not null,         -- 0 being built, 1 active, 2 dead: to be deleted
    renewed_micros ${long} not null, -- when its builder was last seen; since 1970 UTC
    seed ${long} not null,           -- of the hash; the same for all archives of a journal
    first_version ${long} not null,  -- of the segments whose messages it has
    last_version ${long} not null,
    first_micros ${long} not null,   -- times of these segments
    last_micros ${long} not null,
    first_offset ${long} not null,   -- least offset
    last_offset ${long} not null,    -- greatest offset
    front_offset ${long} not null,   -- where its messages begin that are newer than all older ones, without those of replays; -1 if it has none
    messages ${long} not null,
    quarantined ${long} not null,    -- how many of them were quarantined
    consumer ${int} not null,
    primary key (consumer, place, archive)
)${options};

create table ${tables}archive_page (
    place ${long} not null,
    archive ${long} not null,
    first_hash ${long} not null, -- the least hash of its messages
    consumer ${int} not null,
    ids ${bytes} not null,       -- for each message, by hash: hash minus first_hash, as long as needed, and the second half of the id
    offsets ${bytes} not null,   -- minus first_offset of the archive
    times ${bytes} not null,     -- two bytes each: parts of 65535 between first_micros and last_micros of the archive
    kinds ${bytes} not null,     -- one byte each, as in a segment; empty if all were processed
    primary key (consumer, place, archive, first_hash)
)${options};

-- Filters of archives: of pages that follow each other, up to 400,000 messages.
create table ${tables}archive_filter (
    place ${long} not null,
    archive ${long} not null,
    first_hash ${long} not null,   -- of its first page
    consumer ${int} not null,
    hashes ${bytes} not null,      -- first_hash of each page
    quarantined ${bytes} not null, -- a bit for each page: whether a message of it was quarantined
    filter_bits ${bytes} not null, -- a binary fuse filter of the hashes of all messages
    primary key (consumer, place, archive, first_hash)
)${options};
