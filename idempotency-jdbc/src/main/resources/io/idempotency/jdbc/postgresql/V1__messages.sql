-- Can be run again: it leaves existing tables as they are.

-- One row for each message. All columns are NOT NULL, in an order that needs no padding.
create table if not exists ${tables}message (
    at_micros bigint not null,     -- when it was settled or released, or when its lease ends; since 1970 UTC
    record_offset bigint not null, -- offset of the delivery; if a share group delivered it, minus this minus 1
    place bigint not null,         -- place of the delivery: number of the stream * 2^32 + partition; -1 if unknown
    consumer integer not null,     -- number of the consumer
    state integer not null,        -- status * 2^29 + attempt * 2^16 + starts * 2^8 + seal;
                                   -- status 0 leased, 1 released, 2 processed, 3 quarantined;
                                   -- leased with the seal 1: claimed, but not proved by its transaction;
                                   -- processed with the seal 2: dropped, 3: expired
    message_id uuid not null,      -- the id itself if it is a UUID, otherwise a hash of it
    primary key (consumer, message_id)
);

-- For the purge. Rows of one consumer and the same four seconds share an entry, so it is a third as large as an index of the times themselves.
create index if not exists ${prefix}message_at on ${tables}message (consumer, (at_micros >> 22));

-- The names of consumers and streams, each once. Collation "C" compares byte by byte.
create table if not exists ${tables}name (
    id integer primary key,
    name text collate "C" not null unique,
    retention_micros bigint default 0 not null,        -- how long the table above remembers messages of this consumer; 0 if unknown
    journal_retention_micros bigint default 0 not null -- how long its journals do; 0 if unknown
);

-- How far the purge has come in each partition. A delivery at or before it that has no row may have been processed: its row may be purged.
create table if not exists ${tables}horizon (
    place bigint not null,         -- number of the stream * 2^32 + partition
    record_offset bigint not null, -- greatest offset of the purged messages
    at_micros bigint not null,     -- when the last one of them was settled
    consumer integer not null,      -- number of the consumer
    primary key (consumer, place)
);

-- Messages that failed for good, with their bytes.
create table if not exists ${tables}quarantine (
    consumer integer not null,
    message_id uuid not null,
    generation bigint not null,             -- greater at each save, so that nobody takes a message for an earlier one
    at_micros bigint not null,              -- when it failed last
    first_at_micros bigint not null,        -- when it was quarantined first
    record_timestamp bigint not null,       -- of the record, in milliseconds; -1 if unknown
    record_offset bigint not null,
    place bigint not null,
    key_hash bigint not null,               -- of the key; 0 without a key
    attempts integer not null,
    behind smallint not null,               -- 1 if its handler was not called, because an earlier message of its key is here
    doubtful smallint not null,             -- 1 if its effect may have happened: its handler failed under AT_MOST_ONCE
    origin varchar(20) not null,            -- where the bytes come from
    failure_type text collate "C" not null, -- class of the exception
    failure_group varchar(20) not null,     -- equal for failures of the same kind from the same place
    replay text collate "C",                -- the running replay that it belongs to
    id_value text not null,                 -- the id as text
    failure text not null,
    record_key bytea,
    record_value bytea,
    headers bytea not null,                 -- count, then for each header: length and bytes of the name, length (-1: none) and bytes of the value
    primary key (consumer, message_id)
);

-- For the order of replays.
create index if not exists ${prefix}quarantine_place on ${tables}quarantine (consumer, place, record_offset);

-- For the order of keys.
create index if not exists ${prefix}quarantine_key on ${tables}quarantine (consumer, place, key_hash, record_offset);

-- For pages of a group of failures. With the two columns behind them, groups are counted without the wide rows.
create index if not exists ${prefix}quarantine_group
    on ${tables}quarantine (consumer, failure_group, place, record_offset, first_at_micros, failure_type);

-- For the messages of a replay.
create index if not exists ${prefix}quarantine_replay on ${tables}quarantine (replay, place, record_offset);

-- Requests to handle quarantined messages again. The messages of a request have its id in their column replay.
create table if not exists ${tables}replay (
    id text collate "C" primary key,               -- chosen by whoever asks for it
    consumer integer not null,
    status varchar(20) default 'RUNNING' not null, -- RUNNING, PAUSED, STOPPED or DONE
    per_second integer default 10 not null,
    may_repeat smallint default 0 not null,        -- 1 if messages of AT_MOST_ONCE may be handled again
    stop_after integer default 5 not null,         -- so many equal failures in a row stop it
    failures_in_row integer default 0 not null,
    failing_group varchar(20),                     -- of these failures
    total bigint default 0 not null,               -- messages at the request
    processed bigint default 0 not null,
    duplicates bigint default 0 not null,          -- processed already
    failed bigint default 0 not null,
    unreadable bigint default 0 not null,          -- without bytes, or bytes that make no record
    at_micros bigint default 0 not null,           -- when it was asked for; 0 if unknown
    ended_micros bigint default 0 not null,        -- when it stopped or was done; 0 until then
    actor text collate "C",                        -- who asked for it
    selection text,                                -- the messages asked for, in words
    reason text,
    stopped_by text                                -- why it stopped
);

-- Who changed the memory of messages.
create table if not exists ${tables}audit (
    at_micros bigint not null,
    token bigint not null,              -- random
    actor text collate "C" not null,    -- who did it
    origin varchar(20) not null,        -- from where: api, endpoint, cli
    verb varchar(20) not null,
    consumer text collate "C" not null, -- name of the consumer
    messages bigint not null,           -- how many
    subject text not null,              -- id, or the selection in words
    reason text,
    primary key (at_micros, token)
);

-- What handlers returned: the answers to messages, and the results of steps.
create table if not exists ${tables}result (
    at_micros bigint not null,              -- when it was stored
    consumer integer not null,
    message_id uuid not null,
    name varchar(100) collate "C" not null, -- of the step; $answer for the answer
    result_type text collate "C" not null,  -- class of what was returned
    fingerprint bytea not null,             -- SHA-256 of the request; empty if none is kept
    content bytea not null,
    primary key (consumer, message_id, name)
);

-- For the purge.
create index if not exists ${prefix}result_at on ${tables}result (consumer, at_micros);

-- Ranges of records that are being written to a sink without transactions.
create table if not exists ${tables}range (
    at_micros bigint not null,    -- when it was recorded
    place bigint not null,        -- number of the stream * 2^32 + partition
    first_offset bigint not null,
    last_offset bigint not null,
    consumer integer not null,    -- number of the consumer
    token varchar(36) not null,
    included bytea not null,      -- 0 and a bit for each offset from first_offset on, or 1 and eight bytes for each; empty if all belong to it
    digest bytea not null,        -- SHA-256 of the ids of its messages
    primary key (consumer, place, token)
);

-- Which offsets of each partition are settled, from the first on and without a gap. Written after the commit.
create table if not exists ${tables}settled (
    at_micros bigint not null,    -- when it was written
    place bigint not null,        -- number of the stream * 2^32 + partition
    first_offset bigint not null,
    next_offset bigint not null,  -- the one behind the last
    token bigint not null,        -- random, another one at each write
    consumer integer not null,    -- number of the consumer
    leader_epoch integer not null, -- of the newest record that was polled; -1 if it is not known
    topic_id varchar(36) not null,
    primary key (consumer, place)
);

-- Outputs that are to be sent to Kafka.
create table if not exists ${tables}outbox (
    number bigint generated always as identity, -- grows with each output
    at_micros bigint not null,                  -- when it was added
    record_timestamp bigint not null,           -- in milliseconds; -1 if the producer sets it
    record_partition integer not null,          -- -1 if the producer chooses it
    part smallint not null,                     -- 0 to 15, equal for equal keys; minus this minus 1 if Kafka refused the output for good
    id_value text not null,
    topic text collate "C" not null,
    refused text,                               -- why
    record_key bytea,
    record_value bytea,
    headers bytea not null,                     -- as of a quarantined message
    primary key (part, number)
);

-- A relay locks the parts that it sends.
create table if not exists ${tables}outbox_part (
    part smallint primary key
);

-- The heads of the journals, one for each consumer and partition. An append locks its head.
create table if not exists ${tables}journal (
    place bigint not null,          -- number of the stream * 2^32 + partition
    version bigint not null,        -- version of the last segment
    token bigint not null,          -- random, new for each append
    at_micros bigint not null,      -- the time of the last segment
    horizon_version bigint not null, -- version of the last purged segment
    horizon_offset bigint not null, -- greatest purged offset
    consumer integer not null,      -- number of the consumer
    partitions integer not null,    -- how many partitions the topic had; 0 if unknown
    archived_version bigint default 0 not null, -- segments up to this version count as deleted: archives have their messages
    primary key (consumer, place)
);

-- One row for each poll and partition, with the ids of all its messages.
create table if not exists ${tables}segment (
    place bigint not null,
    version bigint not null,        -- from 1, without gaps
    token bigint not null,
    at_micros bigint not null,      -- when it was appended, never earlier than the previous segment; since 1970 UTC
    first_offset bigint not null,
    last_offset bigint not null,
    consumer integer not null,
    kind smallint not null,         -- 0 processed, 1 quarantined, 2 forgotten, 3 not proved, 4 dropped, 5 expired; the last entry of a message counts
    gaps bytea not null,           -- distances between offsets; empty if they are consecutive
    ids bytea not null,            -- 16 bytes for each message
    primary key (consumer, place, version)
);

-- Ids are random and cannot be compressed.
alter table ${tables}segment alter column ids set storage external;
alter table ${tables}segment alter column gaps set storage external;

-- Messages of older segments, sorted by a hash of their ids. What is active never changes.
create table if not exists ${tables}archive (
    place bigint not null,
    archive bigint not null,        -- random
    state smallint not null,        -- 0 being built, 1 active, 2 dead: to be deleted
    renewed_micros bigint not null, -- when its builder was last seen; since 1970 UTC
    seed bigint not null,           -- of the hash; the same for all archives of a journal
    first_version bigint not null,  -- of the segments whose messages it has
    last_version bigint not null,
    first_micros bigint not null,   -- times of these segments
    last_micros bigint not null,
    first_offset bigint not null,   -- least offset
    last_offset bigint not null,    -- greatest offset
    front_offset bigint not null,   -- where its messages begin that are newer than all older ones, without those of replays; -1 if it has none
    messages bigint not null,
    quarantined bigint not null,    -- how many of them were quarantined
    consumer integer not null,
    primary key (consumer, place, archive)
);

create table if not exists ${tables}archive_page (
    place bigint not null,
    archive bigint not null,
    first_hash bigint not null, -- the least hash of its messages
    consumer integer not null,
    ids bytea not null,         -- for each message, by hash: hash minus first_hash, as long as needed, and the second half of the id
    offsets bytea not null,     -- minus first_offset of the archive
    times bytea not null,       -- two bytes each: parts of 65535 between first_micros and last_micros of the archive
    kinds bytea not null,       -- one byte each, as in a segment; empty if all were processed
    primary key (consumer, place, archive, first_hash)
);

-- Filters of archives: of pages that follow each other, up to 400,000 messages.
create table if not exists ${tables}archive_filter (
    place bigint not null,
    archive bigint not null,
    first_hash bigint not null, -- of its first page
    consumer integer not null,
    hashes bytea not null,      -- first_hash of each page
    quarantined bytea not null, -- a bit for each page: whether a message of it was quarantined
    filter_bits bytea not null, -- a binary fuse filter of the hashes of all messages
    primary key (consumer, place, archive, first_hash)
);

-- A page of an archive fills a page of the table. Out of line it would take more.
alter table ${tables}archive_page alter column ids set storage main;
alter table ${tables}archive_page alter column offsets set storage main;
alter table ${tables}archive_page alter column times set storage main;
alter table ${tables}archive_page alter column kinds set storage main;
alter table ${tables}archive_filter alter column filter_bits set storage external;
alter table ${tables}archive_filter alter column hashes set storage external;

-- If somebody commits a transaction before its proof, its claims become unproved. Deferred triggers guard one row of each claim, and each segment.
-- Claims and the proof leave settings for the triggers. Without a claim in the transaction, the triggers do nothing.
create or replace function ${tables}unproved_message() returns trigger language plpgsql as '
begin
    if current_setting(''idempotency.claims'', true) <> ''''
            and current_setting(''idempotency.proven'', true) is distinct from ''on'' then
        update ${tables}message m set state = (m.state & 536870911) | 1
        from ${tables}message guard
        where guard.consumer = new.consumer and guard.message_id = new.message_id
            and m.consumer = guard.consumer and m.at_micros = guard.at_micros
            and m.at_micros >> 22 = guard.at_micros >> 22 and m.state >> 29 = 2
            and (m.xmin = guard.xmin or m.xmin::text = any (string_to_array(current_setting(''idempotency.claimants'', true), '' '')));
        perform set_config(''idempotency.claims'', ''-1'', true);
    end if;
    return null;
end';

create or replace function ${tables}unproved_segment() returns trigger language plpgsql as '
begin
    if current_setting(''idempotency.claims'', true) <> ''''
            and current_setting(''idempotency.proven'', true) is distinct from ''on'' then
        update ${tables}segment set kind = 3
        where consumer = new.consumer and place = new.place and version = new.version;
        perform set_config(''idempotency.claims'', ''-1'', true);
    end if;
    return null;
end';

do '
begin
    -- A condition is compiled for each statement, which takes a tenth of the time of a claim. So that of inserts is short: the state of a claimed
    -- message, 2 * 2^29 + 1 * 2^16 + 1.
    if not exists (select from pg_trigger where tgname = lower(''${prefix}unproved'') and tgrelid = ''${tables}message''::regclass) then
        create constraint trigger ${prefix}unproved after insert on ${tables}message
            deferrable initially deferred for each row
            when (new.state = 1073807361) execute function ${tables}unproved_message();
    end if;
    if not exists (select from pg_trigger where tgname = lower(''${prefix}unproved_again'') and tgrelid = ''${tables}message''::regclass) then
        create constraint trigger ${prefix}unproved_again after update of state on ${tables}message
            deferrable initially deferred for each row
            when (new.state & 255 = 1 and new.state >> 29 = 2) execute function ${tables}unproved_message();
    end if;
    if not exists (select from pg_trigger where tgname = lower(''${prefix}unproved'') and tgrelid = ''${tables}segment''::regclass) then
        create constraint trigger ${prefix}unproved after insert on ${tables}segment
            deferrable initially deferred for each row execute function ${tables}unproved_segment();
    end if;
end';
