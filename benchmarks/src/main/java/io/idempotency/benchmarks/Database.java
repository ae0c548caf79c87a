package io.idempotency.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.jdbc.Schema;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Objects;
import javax.sql.DataSource;
import org.springframework.core.io.ClassPathResource;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.init.ResourceDatabasePopulator;

/**
 * A PostgreSQL with its default settings, except three that its manual wants adapted to the machine: a quarter of the memory for buffers, and checkpoints that
 * are far enough apart. With the defaults, a large table mostly writes whole pages, each once after a checkpoint.
 */
final class Database implements AutoCloseable {

    /** The prefix of those library tables that are filled before a scenario and not emptied before a round. */
    static final String FILLED = "filled_";

    private static final String SPRING_INTEGRATION = "org/springframework/integration/jdbc/schema-postgresql.sql";

    private final EmbeddedPostgres server;
    private final HikariDataSource pool;
    private final JdbcTemplate jdbc;

    private Database(EmbeddedPostgres server) {
        this.server = server;
        this.pool = Contestant.pool(url());
        this.jdbc = new JdbcTemplate(pool);
    }

    /**
     * Starts the server.
     *
     * @param binaries the folder for its programs, which are unpacked if they are missing
     * @param data the folder of its files
     */
    static Database start(Path binaries, Path data) throws IOException {
        // The embedded server switches these two off, for tests; here they are as PostgreSQL has them.
        EmbeddedPostgres server = EmbeddedPostgres.builder()
                .setOverrideWorkingDirectory(binaries.toFile())
                .setDataDirectory(data)
                .setCleanDataDirectory(true)
                .setRegisterShutdownHook(false)
                .setServerConfig("fsync", "on")
                .setServerConfig("synchronous_commit", "on")
                .setServerConfig("shared_buffers", Machine.here().memoryMegabytes() / 4 + "MB")
                .setServerConfig("max_wal_size", "16GB")
                .setServerConfig("checkpoint_timeout", "15min")
                .start();
        Database database = new Database(server);
        database.createTables();
        return database;
    }

    String url() {
        return server.getJdbcUrl("postgres", "postgres");
    }

    DataSource pool() {
        return pool;
    }

    JdbcTemplate jdbc() {
        return jdbc;
    }

    private static final String DESCRIBE = """
            select format('PostgreSQL %s, fsync %s, synchronous_commit %s, shared_buffers %s, max_wal_size %s, checkpoint_timeout %s',
                current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit'),
                current_setting('shared_buffers'), current_setting('max_wal_size'), current_setting('checkpoint_timeout'))
            """;

    String describe() {
        return Objects.requireNonNull(jdbc.queryForObject(DESCRIBE, String.class));
    }

    /** The tables of the contestants. Effects have no key, so that a doubled one is visible and not prevented. Camel's repository creates its table itself. */
    private static final String TABLES = """
            create table effect (message_id uuid not null, part integer not null, record_offset bigint not null,
                amount bigint not null);
            create table processed (message_id varchar(255) primary key, processed_at timestamptz not null default now());
            create schema eventuate;
            create table eventuate.received_messages (consumer_id varchar(1000), message_id varchar(1000),
                creation_time bigint, published smallint default 0, primary key (consumer_id, message_id));
            """;

    private void createTables() {
        Schema.on(pool).migrate();
        Schema.on(pool).tablePrefix(FILLED).migrate();
        jdbc.execute(TABLES);
        new ResourceDatabasePopulator(new ClassPathResource(SPRING_INTEGRATION)).execute(pool);
    }

    private static final String EMPTY = """
            do $$
            begin
                execute (
                    select 'truncate ' || string_agg(format('%I.%I', schemaname, tablename), ', ')
                    from pg_tables
                    where schemaname in ('public', 'eventuate') and tablename not like 'filled\\_%'
                        and tablename not like '%\\_schema\\_history' and tablename not like '%\\_name');
            end $$
            """;

    /** Empties all tables but the filled ones. */
    void empty() {
        jdbc.execute(EMPTY);
    }

    /** Writes all changes so far, so that they do not burden the next contestant. */
    void checkpoint() {
        jdbc.execute("checkpoint");
    }

    private static final String EFFECTS = "select count(*), count(distinct message_id) from effect";

    /** Returns the number of effects, and how many of them repeat one of the same message. */
    Effected effected() {
        return Objects.requireNonNull(jdbc.queryForObject(
                EFFECTS, (row, number) -> new Effected(row.getLong(1), row.getLong(1) - row.getLong(2))));
    }

    /** Numbers of effects. */
    record Effected(long all, long repeated) {}

    /** Returns the size of the write-ahead log so far, in bytes. */
    long walBytes() {
        return number("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn");
    }

    /** Returns the bytes of a table without its indexes, including values stored outside of its rows. */
    long heapBytes(String table) {
        return number("select pg_table_size('" + table + "')");
    }

    long indexBytes(String table) {
        return number("select pg_indexes_size('" + table + "')");
    }

    private long number(String query) {
        Long number = jdbc.queryForObject(query, Long.class);
        return number == null ? 0 : number;
    }

    @Override
    public void close() throws IOException {
        pool.close();
        server.close();
    }
}
