create table application_table (id bigint primary key);
