-- The names of consumers and streams, each once. Collation "C": two names are the same only byte by byte.
create table ${tables}name (
    id integer primary key,
    name text collate "C" not null unique
);

-- One row per message. All columns are NOT NULL and stand in the order that needs no padding.
create table ${tables}message (
    at_micros bigint not null,     -- when it was settled or released, or when its lease ends; since 1970 UTC
    record_offset bigint not null, -- where it stood: offset
    place bigint not null,         -- where it stood: number of the stream * 2^32 + partition; -1 if unknown
    consumer integer not null,     -- number of the consumer
    state integer not null,        -- status * 2^29 + attempt * 2^16 + starts * 2^8 + seal;
                                   -- status 0 leased, 1 released, 2 processed, 3 quarantined
    message_id uuid not null,      -- the id itself if it is a UUID, else a hash of it
    primary key (consumer, message_id)
);

-- For the purge: rows arrive in the order of their time, so block ranges are enough.
create index ${prefix}message_at on ${tables}message using brin (at_micros);

-- Messages that failed for good, with their bytes.
create table ${tables}quarantine (
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
