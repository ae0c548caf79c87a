-- Can be run again: what is there is left as it is.

-- One row per message. All columns are NOT NULL and stand in the order that needs no padding.
create table if not exists ${tables}message (
    at_micros bigint not null,     -- when it was settled or released, or when its lease ends; since 1970 UTC
    record_offset bigint not null, -- where it stood: offset
    place bigint not null,         -- where it stood: number of the stream * 2^32 + partition; -1 if unknown
    consumer integer not null,     -- number of the consumer
    state integer not null,        -- status * 2^29 + attempt * 2^16 + starts * 2^8 + seal;
                                   -- status 0 leased, 1 released, 2 processed, 3 quarantined;
                                   -- leased with the seal 1: claimed, and never proved by its transaction
    message_id uuid not null,      -- the id itself if it is a UUID, else a hash of it
    primary key (consumer, message_id)
);

-- For the purge. Rows of one consumer and the same four seconds share an entry, which makes it a third as large as an index of the times themselves.
create index if not exists ${prefix}message_at on ${tables}message (consumer, (at_micros >> 22));

-- The names of consumers and streams, each once. Collation "C": two names are the same only byte by byte.
create table if not exists ${tables}name (
    id integer primary key,
    name text collate "C" not null unique,
    retention_micros bigint default 0 not null,        -- how long the messages of this consumer are remembered in the table above; 0 if nobody said
    journal_retention_micros bigint default 0 not null -- and in journals
);

-- Messages that failed for good, with their bytes.
create table if not exists ${tables}quarantine (
    consumer integer not null,
    message_id uuid not null,
    at_micros bigint not null,
    record_offset bigint not null,
    place bigint not null,
    attempts integer not null,
    origin varchar(20) not null,   -- where the bytes come from
    id_value text not null,        -- the id as it was given
    failure text not null,
    record_key bytea,
    record_value bytea,
    headers bytea not null,        -- count, then per header: length and bytes of the name, length (-1: none) and bytes of the value
    primary key (consumer, message_id)
);

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
);

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
    gaps bytea not null,           -- distances of the offsets, where they are not in a row
    ids bytea not null,            -- 16 bytes for each message
    primary key (consumer, place, version)
);

-- Ids are random: trying to compress them is in vain.
alter table ${tables}segment alter column ids set storage external;
alter table ${tables}segment alter column gaps set storage external;

-- A transaction that claimed and commits before it has proved so, because somebody commits it early, leaves its claims unproved. The deferred
-- triggers look after one row of each claim, and after each segment. Claims and the proof leave settings for them; without the former, they do nothing.
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
    if not exists (select from pg_trigger where tgname = lower(''${prefix}unproved'') and tgrelid = ''${tables}message''::regclass) then
        create constraint trigger ${prefix}unproved after insert or update of state on ${tables}message
            deferrable initially deferred for each row
            when (new.state & 255 = 1 and new.state >> 29 = 2) execute function ${tables}unproved_message();
    end if;
    if not exists (select from pg_trigger where tgname = lower(''${prefix}unproved'') and tgrelid = ''${tables}segment''::regclass) then
        create constraint trigger ${prefix}unproved after insert on ${tables}segment
            deferrable initially deferred for each row
            when (new.kind <> 3) execute function ${tables}unproved_segment();
    end if;
end';
