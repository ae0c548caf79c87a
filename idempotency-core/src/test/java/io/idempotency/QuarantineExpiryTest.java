package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.memory.MemoryAudit;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.store.AuditRecord;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineSelection;
import java.time.Duration;
import java.time.Instant;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Old messages are dropped from quarantine; some of them stay. */
@Tag("rule-8.27")
class QuarantineExpiryTest {

    private static final int MESSAGES = 350;

    private final ReplayScene scene = new ReplayScene();
    private final MemoryAudit audit = new MemoryAudit(scene.bench.store);
    private final Operations operations =
            Operations.of(scene.bench.store, scene.bench.quarantine, scene.replays, audit);

    /** There are more of them than a page has. */
    @Test
    void leavesTheMessagesOfARunningReplay() {
        String[] ids = IntStream.range(0, MESSAGES).mapToObj(i -> "m" + i).toArray(String[]::new);
        scene.quarantine(scene.consumer(ConsistencyLevel.STRONG), Message.partition(0, ids), ids);
        var unused = scene.replays.request(ReplayRequest.of(
                QuarantineSelection.of("billing").stream("orders").partition(0).offsets(50, 249)));
        scene.bench.passTime(Duration.ofDays(30));

        assertThat(operations.dropOlderThan("billing", scene.bench.now(), "INC-42"))
                .isEqualTo(MESSAGES - 200);

        assertThat(scene.bench.quarantine.list("billing", MESSAGES))
                .hasSize(200)
                .contains(new MessageId("billing", "m50"), new MessageId("billing", "m249"));
        assertThat(audit.list(Instant.EPOCH, 10))
                .extracting(AuditRecord::messages)
                .containsExactly(MESSAGES - 200L);
    }
}
