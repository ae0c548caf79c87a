package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Pools with fewer connections than are wanted. */
@ExtendWith(LongOutage.class)
@Tag("rule-1.4")
@Tag("rule-1.5")
class DryPoolTest {

    private final Postgres postgres = Postgres.shared();
    private final Watch watch = new Watch();

    @ParameterizedTest
    @EnumSource(names = {"STRONG", "AT_LEAST_ONCE"})
    void goesOnWhenTheOnlyConnectionComesBack(ConsistencyLevel level) throws SQLException {
        String topic = Kafka.topic(1);
        try (Ledger ledger = Ledger.open(Ledger.anyConsumer(), postgres.url(), 1);
                Service service = Service.of(ledger, topic)
                        .with(builder -> builder.level(level)
                                .chunk(10, Duration.ofSeconds(5))
                                .lease(Duration.ofSeconds(3)))
                        .start(watch, (message, claim) -> ledger.enter(message))) {
            List<Entry> sent = new ArrayList<>(Kafka.send(topic, 0, "before", 30));
            service.until(() -> postgres.effects(ledger.consumer()).size() >= sent.size());

            Connection taken = takeTheOnlyOne(ledger);
            long transients = watch.transients();
            sent.addAll(Kafka.send(topic, 0, "meanwhile", 30));
            service.until(() -> watch.transients() >= transients + 3);
            taken.close();

            service.until(() -> postgres.effects(ledger.consumer()).size() >= sent.size());
            Entry.assertSame(postgres.effects(ledger.consumer()), sent);
            watch.assertNothingCounted();
        }
    }

    private static Connection takeTheOnlyOne(Ledger ledger) {
        return eventually()
                .ignoreExceptions()
                .until(() -> ledger.pool().getConnection(), connection -> connection != null);
    }

    @Test
    void servesFourConsumersWithTwoConnections() {
        String topic = Kafka.topic(4);
        AtomicInteger holders = new AtomicInteger();
        List<Service> services = new ArrayList<>();
        try (Ledger ledger = Ledger.open(Ledger.anyConsumer(), postgres.url(), 2)) {
            List<Entry> sent = new ArrayList<>();
            try {
                for (int i = 0; i < 4; i++) {
                    services.add(Service.of(ledger, topic)
                            .with(builder -> builder.chunk(10, Duration.ofSeconds(5)))
                            .start(watch, (message, claim) -> {
                                ledger.enter(message);
                                if (holders.incrementAndGet() <= 2) {
                                    eventually().until(() -> watch.transients() > 0);
                                }
                            }));
                }
                Kafka.awaitMembersWithOnePartition(services.get(0).group(), 4);
                for (int partition = 0; partition < 4; partition++) {
                    sent.addAll(Kafka.send(topic, partition, "m", 50));
                }
                eventually().until(() -> postgres.effects(ledger.consumer()).size() >= sent.size());
            } finally {
                services.forEach(Service::close);
            }
            Entry.assertSame(postgres.effects(ledger.consumer()), sent);
            assertThat(watch.transients()).isPositive();
            watch.assertNothingCounted();
        }
    }
}
