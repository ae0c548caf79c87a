package io.idempotency.benchmarks;

import io.idempotency.jdbc.ArchiveFilling;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.Purger;
import java.time.Duration;
import java.time.Instant;
import org.springframework.jdbc.core.JdbcTemplate;

/** Fills the library's tables with ids that are never sent again, in the form of its stores. */
final class Filling {

    private static final int SEGMENT = 500;

    /** The offset of version 0 of a journal, below those of the topic, which is read from its beginning. */
    private static final long FIRST_OFFSET = -1_000_000_000_000L;

    private static final int ARCHIVES = 8;

    /** The time from the first segment to the last. */
    static final Duration SPAN = Duration.ofHours(5);

    private final Database database;
    private final JdbcTemplate jdbc;
    private final String tables;

    /**
     * Creates a filling.
     *
     * @param tables the prefix of the table names
     */
    Filling(Database database, String tables) {
        this.database = database;
        this.jdbc = database.jdbc();
        this.tables = tables;
    }

    /** Creates the name of the consumer, with the retentions of a purger. */
    private static final String NAME = """
            insert into ${tables}name (id, name, retention_micros, journal_retention_micros)
            select coalesce(max(id), 0) + 1, ?, ?, ? from ${tables}name
            having not exists (select 1 from ${tables}name where name = ?)
            """;

    private void name(String name) {
        jdbc.update(sql(NAME), name, micros(Purger.DEFAULT_RETENTION), micros(JournalStore.DEFAULT_RETENTION), name);
    }

    private static long micros(Duration retention) {
        return retention.toNanos() / 1000;
    }

    /** Creates rows without a key, which is created after them. So its pages are as full as those of any index built at once. */
    private static final String MESSAGES = """
            set local maintenance_work_mem = '1GB';
            alter table ${tables}message drop constraint ${tables}message_pkey;
            ${insert}
            alter table ${tables}message add primary key (consumer, message_id);
            """;

    private static final String INSERT_MESSAGES = """
            insert into ${tables}message (at_micros, record_offset, place, consumer, state, message_id)
            select (extract(epoch from clock_timestamp()) * 1000000)::bigint - ${age},
                number / ${partitions}, (stream.id::bigint << 32) + number % ${partitions}, consumer.id,
                (2 << 29) + (1 << 16), gen_random_uuid()
            from ${tables}name consumer, ${tables}name stream, generate_series(1, ${messages}) number
            where consumer.name = '${consumer}' and stream.name = '${stream}';
            """;

    private static final String COUNT_MESSAGES = """
            select count(*) from ${tables}message where consumer = (select id from ${tables}name where name = ?)
            """;

    /** Fills the table store up to the given number of messages. */
    void messages(Topic topic, long upTo, Duration age) {
        name(Library.CONSUMER);
        name(topic.name());
        long messages = upTo - count(COUNT_MESSAGES, Library.CONSUMER);
        jdbc.execute(insertOf(MESSAGES, topic, messages, age));
        jdbc.execute("vacuum (analyze) " + sql("${tables}message"));
        jdbc.execute("checkpoint");
    }

    /** Adds messages to a table with its key, like a consumer since the last checkpoint. */
    void latest(Topic topic, long messages) {
        jdbc.execute(insertOf("${insert}", topic, messages, Duration.ZERO));
    }

    private String insertOf(String statements, Topic topic, long messages, Duration age) {
        return of(topic, statements.replace("${insert}", INSERT_MESSAGES))
                .replace("${age}", String.valueOf(age.toMillis() * 1000))
                .replace("${messages}", String.valueOf(messages));
    }

    private static final String JOURNALS = """
            insert into ${tables}journal (place, version, token, at_micros, horizon_version, horizon_offset, consumer,
                partitions)
            select (stream.id::bigint << 32) + part, 0, 0, 0, 0, -1, consumer.id, 0
            from ${tables}name consumer, ${tables}name stream, generate_series(0, ${partitions} - 1) part
            where consumer.name = '${consumer}' and stream.name = '${stream}'
            on conflict do nothing;
            """;

    /** Adds segments after the head. */
    private static final String SEGMENTS = """
            insert into ${tables}segment (place, version, token, at_micros, first_offset, last_offset, consumer, kind,
                gaps, ids)
            select j.place, j.version + n, j.version + n,
                greatest(j.at_micros, (extract(epoch from now()) * 1000000)::bigint - ${age}) + (n - 1) * ${step},
                (j.version + n) * ${segment} + ${first}, (j.version + n + 1) * ${segment} + ${first} - 1,
                j.consumer, 0, ''::bytea,
                (select string_agg(uuid_send(gen_random_uuid()), '') from generate_series(1, ${segment} + 0 * n))
            from ${tables}journal j, generate_series(1::bigint, ${segments}) n
            where j.place >> 32 = (select id from ${tables}name where name = '${stream}');
            update ${tables}journal j
            set (version, token, at_micros) = (
                select s.version, s.token, s.at_micros from ${tables}segment s
                where s.consumer = j.consumer and s.place = j.place order by s.version desc limit 1)
            where j.place >> 32 = (select id from ${tables}name where name = '${stream}');
            """;

    private static final String COUNT_SEGMENTS = """
            select count(*) from ${tables}segment where place >> 32 = (select id from ${tables}name where name = ?)
            """;

    /** Fills the journals of the topic up to the given number of messages, or a few more, because each partition has the same number of segments. */
    void segments(Topic topic, long upTo, Duration age) {
        name(Library.CONSUMER);
        name(topic.name());
        double missing = (double) upTo / SEGMENT - count(COUNT_SEGMENTS, topic.name());
        long segments = Math.round(Math.ceil(missing / topic.partitions()));
        jdbc.execute(of(topic, JOURNALS + SEGMENTS)
                .replace("${age}", String.valueOf(age.toMillis() * 1000))
                .replace("${segments}", String.valueOf(segments))
                .replace("${step}", String.valueOf(SPAN.toMillis() * 1000 / Math.max(1, segments)))
                .replace("${segment}", String.valueOf(SEGMENT))
                .replace("${first}", String.valueOf(FIRST_OFFSET)));
        jdbc.execute("vacuum (analyze) " + sql("${tables}segment"));
        jdbc.execute("checkpoint");
    }

    private static final String COUNT_ARCHIVED = """
            select coalesce(sum(messages), 0) from ${tables}archive where place >> 32 = (select id from ${tables}name where name = ?)
            """;

    /** Fills the journals of the topic with archives, unless they have some. Each journal has as many as a store merges at most. Returns the number of messages. */
    long archives(Topic topic, long messages, Duration age) throws InterruptedException {
        name(Library.CONSUMER);
        name(topic.name());
        if (count(COUNT_ARCHIVED, topic.name()) == 0) {
            jdbc.execute(of(topic, JOURNALS));
            new ArchiveFilling(database.pool(), tables)
                    .fill(new ArchiveFilling.Journal(
                            Library.CONSUMER,
                            topic.name(),
                            topic.partitions(),
                            messages / topic.partitions(),
                            ARCHIVES,
                            Instant.now().minus(age),
                            SPAN,
                            SEGMENT,
                            FIRST_OFFSET));
            jdbc.execute("vacuum (analyze) " + sql("${tables}archive, ${tables}archive_page, ${tables}archive_filter"));
            jdbc.execute("checkpoint");
        }
        return count(COUNT_ARCHIVED, topic.name());
    }

    private String of(Topic topic, String statements) {
        return sql(statements)
                .replace("${partitions}", String.valueOf(topic.partitions()))
                .replace("${consumer}", Library.CONSUMER)
                .replace("${stream}", topic.name());
    }

    private long count(String query, String name) {
        Long count = jdbc.queryForObject(sql(query), Long.class, name);
        return count == null ? 0 : count;
    }

    private String sql(String text) {
        return text.replace("${tables}", tables);
    }
}
