package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A minute without a database. It begins in the background, on a server of its own, before the first test of the package, so that
 * the other tests run meanwhile.
 */
final class LongOutage implements BeforeAllCallback {

    /** How long the database is down. */
    static final Duration LENGTH = Duration.ofSeconds(Long.getLong("outage.seconds", 60));

    private static final int PARTITIONS = 4;
    private static final int HALF = 60;

    /** The observations of one service. */
    record Findings(
            List<Entry> sent,
            List<Entry> effects,
            Map<Integer, Long> committed,
            Set<String> memberBefore,
            Set<String> memberAfter,
            double rebalancesBefore,
            double rebalancesAfter,
            Watch watch) {}

    /** Whether the JVM ends, so that nobody waits for the findings. */
    private static volatile boolean isEnding;

    private static final FutureTask<Map<String, Findings>> RUN = new FutureTask<>(LongOutage::run);

    @Override
    public void beforeAll(ExtensionContext context) {
        Background.begin();
    }

    /** Begins with the first class, and stops everything with the JVM: it may be given one class after the other. */
    private static final class Background {

        private static final Thread THREAD = new Thread(RUN, "long-outage");

        static {
            THREAD.start();
            Runtime.getRuntime().addShutdownHook(new Thread(Background::end));
        }

        static void begin() {
            // Loading the class does it.
        }

        private static void end() {
            // Not by an interrupt: it would hit whoever stops a server, and leave that behind.
            isEnding = true;
            try {
                THREAD.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            Kafka.stop();
            Postgres.stopShared();
        }
    }

    /** Waits for the end of the outage, and until everything is processed. Returns the observations of the consumer with that group protocol. */
    static Findings findings(String protocol) {
        try {
            return Objects.requireNonNull(RUN.get().get(protocol));
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Map<String, Findings> run() {
        try (Postgres postgres = Postgres.start();
                Run classic = new Run(postgres, "classic");
                Run consumer = new Run(postgres, "consumer")) {
            classic.begin();
            consumer.begin();
            postgres.crash();
            long downSince = System.nanoTime();
            classic.goOn();
            consumer.goOn();
            eventually()
                    .atMost(LENGTH.multipliedBy(2))
                    .until(() -> isEnding || System.nanoTime() - downSince > LENGTH.toNanos());
            if (isEnding) {
                return Map.of();
            }
            postgres.comeBack();
            return Map.of("classic", classic.end(), "consumer", consumer.end());
        }
    }

    /** One service during the outage. */
    private static final class Run implements AutoCloseable {

        private final String topic = Kafka.topic(PARTITIONS);
        private final Watch watch = new Watch();
        private final Gate inTransaction = new Gate();
        private final List<Entry> sent = new ArrayList<>();
        private final Postgres postgres;
        private final Ledger ledger;
        private final Service service;
        private Set<String> memberBefore = Set.of();
        private double rebalancesBefore;

        Run(Postgres postgres, String protocol) {
            this.postgres = postgres;
            this.ledger = Ledger.open("outage-" + protocol, postgres.url(), 4);
            this.service = Service.of(ledger, topic)
                    .property("group.protocol", protocol)
                    .property("max.poll.interval.ms", 10_000)
                    .with(builder -> builder.chunk(20, Duration.ofSeconds(2)))
                    .start(watch, (message, claim) -> {
                        if (message.value().equals("before-0-" + HALF / 2)) {
                            inTransaction.pass();
                        }
                        ledger.enter(message);
                    });
        }

        /** Returns in mid-run, with effects that are committed and a handler in its transaction. */
        void begin() {
            send("before");
            inTransaction.awaitArrival();
            memberBefore = Kafka.members(service.group()).keySet();
            rebalancesBefore = service.rebalances();
        }

        /** Lets the handler meet the crash, and sends more. */
        void goOn() {
            inTransaction.open();
            send("during");
        }

        Findings end() {
            service.until(() -> postgres.effects(ledger.consumer()).size() >= sent.size());
            service.until(
                    () -> Kafka.committed(service.group()).values().stream().allMatch(end -> end == 2 * HALF));
            return new Findings(
                    sent,
                    postgres.effects(ledger.consumer()),
                    Kafka.committed(service.group()),
                    memberBefore,
                    Kafka.members(service.group()).keySet(),
                    rebalancesBefore,
                    service.rebalances(),
                    watch);
        }

        private void send(String idBegins) {
            for (int partition = 0; partition < PARTITIONS; partition++) {
                sent.addAll(Kafka.send(topic, partition, idBegins, HALF));
            }
        }

        @Override
        public void close() {
            service.close();
            ledger.close();
        }
    }
}
