create table if not exists api_payment (
    id uuid primary key,
    customer varchar(100) not null,
    cents bigint not null
);
