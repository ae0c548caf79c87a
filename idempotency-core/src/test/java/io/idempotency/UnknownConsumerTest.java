package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.memory.MemoryAudit;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryReplays;
import io.idempotency.memory.MemoryStore;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageRange;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.NotFoundException;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantinedMessage;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Verbs about a consumer with a wrong name. */
@Tag("rule-8.28")
class UnknownConsumerTest {

    private static final String TYPO = "billling";

    private final MemoryStore store = MemoryStore.create();
    private final MemoryQuarantine quarantine = new MemoryQuarantine(store);
    private final MemoryAudit audit = new MemoryAudit(store);
    private final Operations operations = Operations.of(store, quarantine, new MemoryReplays(store, quarantine), audit);

    @BeforeEach
    void remember() {
        claim("billing");
        claim("idempotency.purger");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "explain",
                "count",
                "count range",
                "forget",
                "forget range",
                "drop",
                "drop old",
                "plan",
                "replay",
                "list replays"
            })
    void endInAnErrorThatNamesTheConsumersThatExist(String verb) {
        MessageId id = new MessageId(TYPO, "4711");
        MessageRange range = MessageRange.ofOffsets(TYPO, "orders", 0, 0, 9);
        ReplayRequest request = ReplayRequest.of(QuarantineSelection.of(TYPO));
        ThrowingCallable call = switch (verb) {
            case "explain" -> () -> operations.explain(TYPO, "4711");
            case "count" -> () -> operations.countForgettable(id);
            case "count range" -> () -> operations.countForgettable(range);
            case "forget" -> () -> operations.forget(id, "INC-42");
            case "forget range" -> () -> operations.forget(range, "INC-42", done -> {});
            case "drop" -> () -> operations.drop(id, "INC-42");
            case "drop old" -> () -> operations.dropOlderThan(TYPO, Instant.now(), "INC-42");
            case "plan" -> () -> operations.plan(request);
            case "replay" -> () -> operations.replay(request, "INC-42");
            default -> () -> operations.listReplays(TYPO, 10);
        };

        assertThatThrownBy(call)
                .isInstanceOf(NotFoundException.class)
                .hasMessage(
                        "Nothing is remembered of a consumer billling in the MemoryStore, and nothing of it is in quarantine. A consumer of"
                                + " another process is known from its first message on. Known here: billing");

        assertThat(audit.list(Instant.EPOCH, 10)).isEmpty();
    }

    @Test
    void aConsumerOfThisProcessIsKnownBeforeItsFirstMessage() {
        var unused = IdempotentConsumer.<String>named(TYPO)
                .store(store)
                .messageId(Optional::of)
                .build();

        assertThat(operations.explain(TYPO, "4711"))
                .extracting(Explanation::status)
                .containsExactly(MessageStatus.UNKNOWN);
    }

    @Test
    void aKnownConsumerHasNothingToForget() {
        assertThat(operations.explain("billing", "4711"))
                .extracting(Explanation::status)
                .containsExactly(MessageStatus.UNKNOWN);
        assertThat(operations.forget(new MessageId("billing", "4711"), "INC-42"))
                .isEqualTo(new Forgotten(0, 0));
        assertThat(operations.dropOlderThan("billing", Instant.now(), "INC-42")).isZero();
        assertThat(operations.listReplays("billing", 10)).isEmpty();
    }

    /** Its memory may be gone. */
    @Test
    void aConsumerIsKnownByItsQuarantine() {
        quarantine.save(new QuarantinedMessage(
                new Delivery(new MessageId("invoices", "bad"), new Position("orders", 0, 1)),
                Payload.none(Payload.Origin.SWITCHED_OFF),
                new QuarantineFailure("java.lang.Error", "g", "java.lang.Error"),
                1));

        assertThat(operations.explain("invoices", "4711")).hasSize(1);
        assertThatThrownBy(() -> operations.explain(TYPO, "4711"))
                .hasMessageEndingWith("Known here: billing, invoices");
    }

    @Test
    void namesABoundedNumberOfConsumers() {
        IntStream.range(100, 150).forEach(i -> claim("c" + i));

        assertThatThrownBy(() -> operations.explain(TYPO, "4711")).hasMessageEndingWith("c118 and 31 more");
    }

    private void claim(String consumer) {
        Delivery delivery = new Delivery(new MessageId(consumer, "m"), new Position("orders", 0, 0));
        store.transactions().inTransaction(() -> store.claim(List.of(delivery)));
    }
}
