package io.idempotency.samples.plain;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import io.idempotency.jdbc.Adopted;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.KafkaRecords;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.h2.jdbcx.JdbcConnectionPool;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * The way from a table of one's own to this library, with the code of the page. Each message is delivered in two of the situations, in each that is
 * possible in that order, after a crash or without one, and has one effect.
 */
class AdoptionStepsTest {

    /** The versions of the service that run at the same time, step by step. */
    private enum Situation {
        OLD_ALONE,
        OLD_BESIDE_BOTH,
        BOTH_BESIDE_OLD,
        BOTH_ALONE,
        BOTH_WHILE_ADOPTING,
        BOTH_AFTER_ADOPTION,
        BOTH_BESIDE_LIBRARY,
        LIBRARY_BESIDE_BOTH,
        LIBRARY_ALONE
    }

    /** How the first delivery of a message ends. */
    private enum End {
        COMMIT,
        CRASH_BEFORE_COMMIT,
        CRASH_BEFORE_OFFSET
    }

    private record Journey(String id, Situation first, End end, Situation second) {}

    private static final class Crash extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    private final JdbcConnectionPool pool = JdbcConnectionPool.create("jdbc:h2:mem:steps;DB_CLOSE_DELAY=-1", "sa", "");
    private final JdbcTemplate jdbc = new JdbcTemplate(pool);
    private final TableStore store = TableStore.on(pool);
    private final JdbcTransactions transactions = JdbcTransactions.on(pool);
    private final IdempotentConsumer<ConsumerRecord<String, String>> billing =
            KafkaRecords.<String, String>consumer("billing").store(store).build();
    private final HomeMade old = new HomeMade(transactions.dataSource());
    private final HomeMade both = AdoptionSteps.both(pool);
    private final Ledger ledger = new Ledger(transactions.dataSource());
    private long offset;

    @BeforeEach
    void createTables() throws SQLException {
        Schema.on(pool).create();
        new Ledger(pool).create();
        jdbc.execute("create table processed_message (message_id varchar(100) primary key, processed_at timestamp)");
    }

    @AfterEach
    void dropTables() {
        jdbc.execute("shutdown");
        pool.dispose();
    }

    @Test
    void eachMessageHasOneEffectWhateverTheStep() {
        List<Journey> journeys = journeys();

        walk(journeys, true);

        assertThat(effects())
                .hasSize(journeys.size())
                .allSatisfy((id, effects) -> assertThat(effects).as(id).isOne());
    }

    /** The test would notice a gap. */
    @Test
    void withoutTheAdoptionMessagesOfTheOldVersionRunAgain() {
        walk(journeys(), false);

        assertThat(effects())
                .containsEntry("OLD_ALONE COMMIT LIBRARY_ALONE", 2)
                .containsEntry("BOTH_ALONE COMMIT LIBRARY_ALONE", 1);
    }

    private static List<Journey> journeys() {
        List<Journey> all = new ArrayList<>();
        for (Situation first : Situation.values()) {
            for (Situation second : Situation.values()) {
                for (End end : End.values()) {
                    if (second.compareTo(first) >= 0) {
                        all.add(new Journey(first + " " + end + " " + second, first, end, second));
                    }
                }
            }
        }
        return all;
    }

    private void walk(List<Journey> journeys, boolean isAdopting) {
        for (Situation now : Situation.values()) {
            if (now == Situation.BOTH_WHILE_ADOPTING && isAdopting) {
                List<Adopted> told = new ArrayList<>();
                assertThatThrownBy(() -> AdoptionSteps.adopt(store, pool, soFar -> {
                            told.add(soFar);
                            journeys.forEach(journey -> step(journey, now));
                            throw new Crash();
                        }))
                        .isInstanceOf(Crash.class);
                assertThat(told).hasSize(1);
                continue;
            }
            if (now == Situation.BOTH_AFTER_ADOPTION && isAdopting) {
                AdoptionSteps.adopt(store, pool, soFar -> {});
                assertThat(AdoptionSteps.adopt(store, pool, soFar -> {}).adopted())
                        .isZero();
            }
            journeys.forEach(journey -> step(journey, now));
        }
    }

    private void step(Journey journey, Situation now) {
        ConsumerRecord<String, String> record = new ConsumerRecord<>("payments", 0, offset++, "key", journey.id + ",1");
        record.headers().add("message-id", journey.id.getBytes(UTF_8));
        if (journey.first == now) {
            boolean isCrashing = journey.end == End.CRASH_BEFORE_COMMIT;
            try {
                deliver(record, now, isCrashing);
            } catch (Crash expected) {
                assertThat(isCrashing).isTrue();
            }
        }
        boolean isAgain = journey.end != End.COMMIT || journey.second != journey.first;
        if (journey.second == now && isAgain) {
            deliver(record, now, false);
        }
    }

    private void deliver(ConsumerRecord<String, String> record, Situation now, boolean isCrashing) {
        switch (now) {
            case OLD_ALONE, OLD_BESIDE_BOTH ->
                transactions.inTransaction(() -> {
                    try {
                        old.handle(record);
                    } catch (SQLException e) {
                        throw new IllegalStateException(e);
                    }
                    crashIf(isCrashing);
                });
            case LIBRARY_BESIDE_BOTH, LIBRARY_ALONE ->
                consume(record, (message, claim) -> ledger.post(message.value()), isCrashing);
            default -> consume(record, (message, claim) -> both.handle(message), isCrashing);
        }
    }

    private void consume(
            ConsumerRecord<String, String> record,
            MessageHandler<ConsumerRecord<String, String>> handler,
            boolean isCrashing) {
        billing.consume(record, (message, claim) -> {
            handler.handle(message, claim);
            crashIf(isCrashing);
        });
    }

    private static void crashIf(boolean isCrashing) {
        if (isCrashing) {
            throw new Crash();
        }
    }

    private Map<String, Integer> effects() {
        Map<String, Integer> effects = new TreeMap<>();
        jdbc.query("select account, count(*) from posting group by account", row -> {
            effects.put(row.getString(1), row.getInt(2));
        });
        return effects;
    }
}
