create table if not exists entry (
    order_id uuid not null,
    customer varchar(100) not null,
    cents bigint not null
);
