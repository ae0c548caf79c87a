package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdKind;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.Processed;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Ids of a table that an application made itself, in a store. */
@Tag("rule-8.11")
class AdoptionTest {

    private static final String TABLE =
            "made_at_home_" + UUID.randomUUID().toString().replace("-", "");

    private final Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);

    /** A table with the messages 0, 1, .., processed so many hours ago. */
    private void create(Fixture fixture, int... hoursAgo) {
        fixture.jdbc.execute("drop table if exists " + TABLE);
        fixture.jdbc.execute(
                "create table " + TABLE + " (message_id varchar(100) primary key, processed_at timestamp null)");
        for (int i = 0; i < hoursAgo.length; i++) {
            fixture.jdbc.update(
                    "insert into " + TABLE + " values (?, ?)", "m" + i, Timestamp.from(hoursAgo(hoursAgo[i])));
        }
    }

    private Instant hoursAgo(int hours) {
        return now.minus(Duration.ofHours(hours));
    }

    private static Adoption.Builder adoption(Fixture fixture) {
        return adoption(
                fixture,
                "select '" + fixture.consumer + "', message_id, processed_at from " + TABLE + " order by message_id");
    }

    private static Adoption.Builder adoption(Fixture fixture, String query) {
        return Adoption.into(fixture.store).from(fixture.dataSource, query);
    }

    private static List<Claim.Status> claim(Fixture fixture, int count) {
        List<Claim> claims = new ArrayList<>();
        fixture.transactions.inTransaction(() -> claims.addAll(fixture.store.claim(fixture.inARow("m", count))));
        return claims.stream().map(Claim::status).toList();
    }

    @ParameterizedTest
    @EnumSource
    void adoptsEachRowOnce(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            create(fixture, 1, 2, 3, 4, 5, 6, 7);
            fixture.claimed("m3");

            Adopted first = adoption(fixture).batchSize(3).run();
            Adopted again = adoption(fixture).batchSize(3).run();

            assertThat(first).isEqualTo(new Adopted(7, 6, 1, 0, 0, "m6"));
            assertThat(again).isEqualTo(new Adopted(7, 0, 7, 0, 0, "m6"));
            assertThat(claim(fixture, 8))
                    .containsOnly(Claim.Status.DUPLICATE, Claim.Status.GRANTED)
                    .last()
                    .isEqualTo(Claim.Status.GRANTED);
        }
    }

    @ParameterizedTest
    @EnumSource
    void keepsTheTimeAndKnowsNoPosition(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            create(fixture, 5);

            adoption(fixture).run();

            Optional<Processed> found = fixture.store.find(fixture.at("m0", 0).id());
            assertThat(found).hasValueSatisfying(processed -> {
                assertThat(processed.position()).isEqualTo(Position.UNKNOWN);
                assertThat(processed.at()).isEqualTo(hoursAgo(5));
            });
        }
    }

    @ParameterizedTest
    @EnumSource
    void changesNoRowOfAConsumer(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            create(fixture, 1, 2, 3);
            Claim leased = fixture.store
                    .lease(List.of(fixture.at("m0", 10)), Duration.ofMinutes(1))
                    .get(0);
            fixture.store.release(fixture.store.lease(List.of(fixture.at("m1", 11)), Duration.ofMinutes(1)));
            fixture.transactions.inTransaction(() -> fixture.store.quarantine(fixture.claim("m2")));

            assertThat(adoption(fixture).run()).isEqualTo(new Adopted(3, 0, 3, 2, 0, "m2"));

            fixture.store.complete(List.of(leased));
            assertThat(claim(fixture, 3))
                    .containsExactly(Claim.Status.DUPLICATE, Claim.Status.GRANTED, Claim.Status.QUARANTINED);
        }
    }

    @Test
    void leavesOutWhatIsOlderThanTheRetentionAndLetsThePurgeForgetTheRest() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            create(fixture, 1, 24 * 7, 24 * 9);

            assertThat(adoption(fixture).run()).isEqualTo(new Adopted(3, 2, 0, 0, 1, "m2"));

            TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(2));
            assertThat(fixture.store.purge(Duration.ofHours(1), 100)).isPositive(); // others of this database, too
            assertThat(fixture.isProcessed("m0")).isTrue();
            assertThat(fixture.isProcessed("m1")).isFalse();
        }
    }

    /** A place is unknown, so nothing can be said of records before an adopted one. */
    @Test
    void raisesNoHorizon() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            create(fixture, 1);
            adoption(fixture).run();
            TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(9));
            fixture.store.purge(Duration.ofDays(8), 100);

            assertThat(claim(fixture, 2)).containsOnly(Claim.Status.GRANTED);
        }
    }

    @Test
    void takesTheLongerOfTheStoredRetentionAndItsOwn() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            create(fixture, 24 * 2, 24 * 20, 24 * 50);

            assertThat(adoption(fixture).retention(Duration.ofDays(30)).run().old())
                    .isOne();
            assertThat(adoption(fixture).retention(Duration.ofDays(1)).run())
                    .isEqualTo(new Adopted(3, 0, 2, 0, 1, "m2"));
        }
    }

    @Test
    void goesOnAfterTheLastRowOfAnEarlierRun() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            create(fixture, 1, 2, 3, 4, 5);
            List<Adopted> told = new ArrayList<>();
            assertThatThrownBy(() -> adoption(fixture)
                            .batchSize(2)
                            .progress(soFar -> {
                                told.add(soFar);
                                throw new IllegalStateException("stop");
                            })
                            .run())
                    .isInstanceOf(IllegalStateException.class);
            assertThat(told).containsExactly(new Adopted(2, 2, 0, 0, 0, "m1"));

            Adopted rest = Adoption.into(fixture.store)
                    .from(
                            fixture.dataSource,
                            "select '" + fixture.consumer + "', message_id, processed_at from " + TABLE
                                    + " where message_id > ? order by message_id",
                            told.get(0).last())
                    .run();

            assertThat(rest).isEqualTo(new Adopted(3, 3, 0, 0, 0, "m4"));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB"})
    void holdsOnlySomeRowsOfAQueryWithoutEnd(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            String endless = database == TestDatabase.POSTGRESQL
                    ? "select '%s', generate_series(1, 1000000000000)::text, null::timestamptz"
                    : "select '%s', cast(seq as char), null from seq_1_to_1000000000000";

            assertThatThrownBy(() -> adoption(fixture, endless.formatted(fixture.consumer))
                            .progress(soFar -> {
                                if (soFar.read() == 20_000) {
                                    throw new IllegalStateException("enough");
                                }
                            })
                            .run())
                    .hasMessage("enough");
            assertThat(fixture.isProcessed("20000")).isTrue();
            assertThat(fixture.isProcessed("20001")).isFalse();
        }
    }

    @Test
    void endsAtAnInterruption() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            create(fixture, 1, 2, 3);

            assertThatThrownBy(() -> adoption(fixture)
                            .batchSize(1)
                            .progress(soFar -> Thread.currentThread().interrupt())
                            .run())
                    .isInstanceOfSatisfying(
                            AdoptionException.class,
                            e -> assertThat(e.soFar().adopted()).isOne())
                    .hasMessageContaining("interrupted");
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @ParameterizedTest
    @EnumSource
    void takesARowThatAConsumerHasJustWrittenAsKnown(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            create(fixture, 1, 2, 3);
            Meanwhile meanwhile = new Meanwhile(fixture.dataSource);
            TableStore store =
                    TableStore.builder(meanwhile).tablePrefix(Fixture.PREFIX).build();
            fixture.claimed("names are stored");

            meanwhile.before("message (at_micros", () -> fixture.claimed("m1"));
            Adopted adopted = Adoption.into(store)
                    .from(
                            fixture.dataSource,
                            "select '" + fixture.consumer + "', message_id, processed_at from " + TABLE
                                    + " order by message_id")
                    .run();

            assertThat(meanwhile.isOver()).isTrue();
            assertThat(adopted).isEqualTo(new Adopted(3, 2, 1, 0, 0, "m2"));
        }
    }

    @Tag("rule-2.13")
    @ParameterizedTest
    @CsvSource({
        "HEADER, A-1, A-1",
        "HEADER, ~A-1, ~~A-1",
        "VALUE, 4711, ~value:4711",
        "KEY, 4711, ~key:4711",
        "RECORD, 4711, ~record:4711",
        "STORED, ~ce:1:aB-2, ~ce:1:aB-2"
    })
    void storesTheIdThatAConsumerFindsThere(IdKind kind, String text, String id) {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            adoption(fixture, "select '" + fixture.consumer + "', '" + text + "', null")
                    .kind(kind)
                    .run();

            assertThat(fixture.isProcessed(id)).isTrue();
        }
    }

    @Tag("rule-2.13")
    @ParameterizedTest
    @CsvSource({
        "POSTGRESQL, '''550e8400-e29b-41d4-a716-446655440000''::uuid', 550e8400-e29b-41d4-a716-446655440000",
        "POSTGRESQL, '''A-2''::char(40)', A-2",
        "POSTGRESQL, 4711::numeric, 4711",
        "POSTGRESQL, 4711::bigint, 4711",
        "POSTGRESQL, '''A-3''::bytea', A-3",
        "MARIADB, 'cast(''A-4'' as binary(3))', A-4",
        "MARIADB, 'cast(18446744073709551615 as unsigned)', 18446744073709551615",
        "H2, 'cast(''A-5'' as char(40))', A-5"
    })
    void readsIdsOfEveryType(TestDatabase database, String expression, String id) {
        try (Fixture fixture = Fixture.on(database)) {
            adoption(fixture, "select '" + fixture.consumer + "', " + expression + ", null")
                    .run();

            assertThat(fixture.isProcessed(id)).isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '#',
            value = {
                "'c', ' ', null | blank",
                "'c', null, null | null",
                "null, 'A', null | consumer is null",
                "'a consumer', 'A', null | A consumer is named by",
                "'c', 1.5, null | whole number",
                "'c', X'FF00', null | not UTF-8",
                "'c', 'A', cast(1700000000 as bigint) | milliseconds",
                "'c', 'A', timestamp '2999-01-01 00:00:00' | future",
                "'c', 'A', 'yesterday' | not a timestamp",
            })
    void namesTheRowThatCannotBeAdopted(String columns, String why) {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            assertThatThrownBy(() -> adoption(fixture, "select " + columns).run())
                    .isInstanceOf(AdoptionException.class)
                    .hasMessageContaining("Row 1 of the query")
                    .hasMessageContaining(why);
        }
    }

    @Test
    void readsTimesAsTheyAre() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            long millis = hoursAgo(3).toEpochMilli();
            adoption(fixture, "select '" + fixture.consumer + "', 'number', cast(" + millis + " as bigint)")
                    .run();
            adoption(
                            fixture,
                            "select '" + fixture.consumer + "', 'zoned', cast(? as timestamp with time zone)",
                            hoursAgo(4).toString())
                    .run();

            assertThat(at(fixture, "number")).isEqualTo(hoursAgo(3));
            assertThat(at(fixture, "zoned")).isEqualTo(hoursAgo(4));
        }
    }

    private static Adoption.Builder adoption(Fixture fixture, String query, Object parameter) {
        return Adoption.into(fixture.store).from(fixture.dataSource, query, parameter);
    }

    private static Instant at(Fixture fixture, String id) {
        return fixture.store.find(fixture.at(id, 0).id()).orElseThrow().at();
    }

    /** The id where the consumer is expected: each row would become a consumer. */
    @Test
    void refusesColumnsInTheWrongOrderBeforeItWritesANameOfTheirBatch() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            create(fixture, new int[101]);
            String swapped = "select message_id, '" + fixture.consumer + "', processed_at from " + TABLE
                    + " order by message_id";
            List<String> names = names(fixture);

            assertThatThrownBy(() -> adoption(fixture, swapped).run())
                    .isInstanceOfSatisfying(
                            AdoptionException.class, e -> assertThat(e.soFar()).isEqualTo(Adopted.NOTHING))
                    .hasMessageContaining("101 different consumers")
                    .hasMessageContaining("m0, m1, m10")
                    .hasMessageContaining("consumer, message id and time");
            assertThat(names(fixture)).isEqualTo(names);

            assertThatThrownBy(() -> adoption(fixture, swapped).batchSize(60).run())
                    .isInstanceOfSatisfying(
                            AdoptionException.class,
                            e -> assertThat(e.soFar().read()).isEqualTo(60))
                    .hasMessageContaining("m0, m1, m10");
            assertThat(names(fixture)).hasSize(names.size() + 60);
        }
    }

    private static List<String> names(Fixture fixture) {
        return fixture.jdbc.queryForList("select name from " + Fixture.PREFIX + "name", String.class);
    }

    @Test
    void adoptsAsManyConsumersAsItsSettingAllows() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            create(fixture, 1, 2, 3);
            String query = "select '" + fixture.consumer + "-' || message_id, message_id, processed_at from " + TABLE;

            assertThatThrownBy(() -> adoption(fixture, query).maxConsumers(2).run())
                    .hasMessageContaining("3 different consumers");
            assertThat(adoption(fixture, query).maxConsumers(3).run().adopted()).isEqualTo(3);
            assertThatThrownBy(() -> adoption(fixture, query).maxConsumers(0).run())
                    .hasMessageContaining("positive");
        }
    }

    @Test
    void refusesAQueryOfAnotherShape() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            assertThatThrownBy(() -> adoption(fixture, "select 1, 2").run())
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("three columns: consumer, message id and time");
            assertThatThrownBy(() -> adoption(fixture, "select nonsense").run())
                    .isInstanceOf(AdoptionException.class)
                    .hasMessageContaining("The query failed");
        }
    }

    @Test
    void refusesAStoreWhoseMemoryIsByPartition() {
        try (HikariDataSource pool = TestDatabase.H2.pool(1)) {
            assertThatThrownBy(() -> Adoption.into(JournalStore.builder(pool).build()))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("by partition and offset");
            assertThatThrownBy(() -> Adoption.into(MemoryStore.create())).isInstanceOf(IdempotencyException.class);
        }
    }

    @Test
    void warnsOfAConsumerThatNobodyHasUsed() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            create(fixture, 1);

            assertThat(Warnings.of(Adoption.class, () -> adoption(fixture).run()))
                    .singleElement()
                    .asString()
                    .contains(fixture.consumer);
            assertThat(Warnings.of(Adoption.class, () -> adoption(fixture).run()))
                    .isEmpty();
        }
    }

    @Test
    void refusesATransactionOfTheCaller() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            create(fixture, 1);
            assertThatThrownBy(() -> fixture.transactions.inTransaction(
                            () -> adoption(fixture).run()))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContaining("transaction");
        }
    }

    @Test
    void countsADuplicateOfAnAdoptedMessageAsOneOfAnUnknownKind() {
        try (Fixture fixture = Fixture.on(TestDatabase.H2)) {
            create(fixture, 1);
            adoption(fixture).run();

            Delivery delivery = new Delivery(new MessageId(fixture.consumer, "m0"), new Position("orders", 0, 7));
            fixture.transactions.inTransaction(() -> assertThat(
                            fixture.store.claim(List.of(delivery)).get(0).processed())
                    .hasValueSatisfying(first -> assertThat(first.position()).isEqualTo(Position.UNKNOWN)));
        }
    }
}
