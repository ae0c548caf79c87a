package io.idempotency.benchmarks;

import io.idempotency.benchmarks.Application.Clock;
import java.util.List;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.transaction.annotation.Transactional;

/** Listeners without this library, as a user would write them. They run in the same application as those of {@link Starter}, without the starter in it. */
final class SpringAlone {

    private static final String WITHOUT_STARTER =
            "spring.autoconfigure.exclude=io.idempotency.spring.IdempotencyAutoConfiguration,"
                    + "io.idempotency.spring.IdempotencyTransactionAutoConfiguration,"
                    + "io.idempotency.spring.SwitchedOffAutoConfiguration";

    private SpringAlone() {}

    /** All messages of a poll in one transaction, without deduplication. */
    static Rounds bare(String broker, String database) {
        return new Application(broker, database, List.of(BareListener.class), List.of(WITHOUT_STARTER));
    }

    /** Each message in a transaction of its own, which remembers it by an insert. */
    static Rounds handWritten(String broker, String database) {
        return new Application(broker, database, List.of(HandWrittenListener.class), List.of(WITHOUT_STARTER));
    }

    static class BareListener {

        private final Effects effects;
        private final Clock clock;

        BareListener(Effects effects, Clock clock) {
            this.effects = effects;
            this.clock = clock;
        }

        @KafkaListener(groupId = "${group}", topics = "${topic}", batch = "true")
        @Transactional
        void all(List<ConsumerRecord<byte[], byte[]>> messages) {
            clock.start();
            effects.all(messages);
            clock.count(messages.size());
        }
    }

    static class HandWrittenListener {

        private final Effects effects;
        private final Clock clock;
        private final JdbcTemplate jdbc;

        HandWrittenListener(Effects effects, Clock clock, DataSource dataSource) {
            this.effects = effects;
            this.clock = clock;
            this.jdbc = new JdbcTemplate(dataSource);
        }

        @KafkaListener(groupId = "${group}", topics = "${topic}")
        @Transactional
        void one(ConsumerRecord<byte[], byte[]> message) {
            clock.start();
            if (jdbc.update(Peers.REMEMBER, Effects.id(message)) == 1) {
                effects.one(message);
                clock.count(1);
            }
        }
    }
}
