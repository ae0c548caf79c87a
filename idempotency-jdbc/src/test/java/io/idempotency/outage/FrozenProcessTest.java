package io.idempotency.outage;

import static io.idempotency.outage.Eventually.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Outcome;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A process that is stopped inside its handler, with its transaction open. */
@ExtendWith(LongOutage.class)
@Tag("rule-3.8")
class FrozenProcessTest {

    private static final String SESSION_LIMIT = "&ApplicationName=zombie&options="
            + URLEncoder.encode("-c idle_in_transaction_session_timeout=8s", StandardCharsets.UTF_8);

    private final Postgres postgres = Postgres.shared();
    private final Watch watch = new Watch();

    @Test
    void theNewOwnerPollsOnAndTakesOverWhenTheSessionIsGoneAndTheZombieChangesNothing() {
        String topic = Kafka.topic(2);
        List<Entry> sent = new ArrayList<>();
        try (Ledger ledger = Ledger.open(Ledger.anyConsumer(), postgres.url(), 3);
                ChildProcess child = ChildProcess.start(
                        topic, ledger.consumer(), postgres.url() + SESSION_LIMIT, ConsistencyLevel.STRONG)) {
            String group = child.awaitLine("group").substring("group ".length());
            eventually().until(() -> Kafka.members(group).size() == 1);
            String zombie = Kafka.members(group).keySet().iterator().next();
            Service owner = Service.of(ledger, topic)
                    .with(builder -> builder.chunk(10, Duration.ofSeconds(5)))
                    .start(watch, (message, claim) -> ledger.enter(message));
            try (owner) {
                int held = partitionOf(group, zombie);
                sent.add(Kafka.send(topic, held, "held"));
                child.awaitLine("handling held");
                child.freeze();

                eventually().until(() -> watch.of("held").size() > 1);
                Set<String> members = Kafka.members(group).keySet();
                sent.addAll(Kafka.send(topic, 1 - held, "elsewhere", 20));
                sent.addAll(Kafka.send(topic, held, "behind", 20));
                eventually().until(() -> postgres.effects(ledger.consumer()).size() >= sent.size());

                List<Entry> effects = postgres.effects(ledger.consumer());
                assertThat(effects.get(0).partition()).as("goes on first").isEqualTo(1 - held);
                assertThat(Kafka.members(group).keySet()).isEqualTo(members).doesNotContain(zombie);
                assertThat(watch.of("held"))
                        .last()
                        .satisfies(seen -> assertThat(seen.outcome()).isEqualTo(Outcome.PROCESSED));

                child.thaw();
                child.tell(ChildConsumer.GO_ON);
                assertThat(child.awaitLine("outcome held")).startsWith("outcome held RELEASED transient");
                eventually().until(() -> Kafka.members(group).size() == 2);
            }
            assertThat(child.said()).noneMatch(line -> line.contains("PROCESSED"));
            Entry.assertSame(postgres.effects(ledger.consumer()), sent);
            assertThat(Kafka.committed(group)).isEqualTo(Map.of(0, (long) count(sent, 0), 1, (long) count(sent, 1)));
            watch.assertNothingCounted();
        }
    }

    private static int partitionOf(String group, String member) {
        Kafka.awaitMembersWithOnePartition(group, 2);
        return Kafka.members(group).getOrDefault(member, List.of()).get(0);
    }

    private static int count(List<Entry> entries, int partition) {
        return (int)
                entries.stream().filter(entry -> entry.partition() == partition).count();
    }
}
