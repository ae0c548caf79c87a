package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.memory.MemoryAudit;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryReplays;
import io.idempotency.memory.MemoryStore;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantinedMessage;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class QuarantineImportTest {

    private final MemoryStore store = MemoryStore.builder().build();
    private final MemoryQuarantine quarantine = new MemoryQuarantine(store);
    private final MemoryReplays replays = new MemoryReplays(store, quarantine);
    private final MemoryAudit audit = new MemoryAudit(store);
    private final Operations operations = Operations.of(store, quarantine, replays, audit);

    @Test
    @Tag("rule-8.29")
    void copiesOfAnImportedMessageAreSkippedUntilItIsReplayed() {
        assertThat(imported(false, message("new", 1, "a"))).isEqualTo(new Imported(1, 0, 0, 0, 0));

        assertThat(claim("new", 9)).isEqualTo(Claim.Status.QUARANTINED);
        assertThat(value("new")).isEqualTo("a");
        assertThat(audit.list("billing", Instant.EPOCH, 9)).singleElement().satisfies(act -> {
            assertThat(act.verb()).isEqualTo("import");
            assertThat(act.messages()).isEqualTo(1);
        });
    }

    @Test
    @Tag("rule-8.29")
    void aSettledMessageIsNotImported() {
        claim("processed", 1);
        imported(false, message("dropped", 2, "a"));
        operations.drop(new MessageId("billing", "dropped"), "INC-42");

        QuarantinedMessage[] both = {message("processed", 1, "a"), message("dropped", 2, "a")};
        assertThat(operations.countImportable("billing", List.of(both).iterator(), true))
                .isEqualTo(new Imported(0, 0, 0, 2, 0));
        assertThat(imported(true, both)).isEqualTo(new Imported(0, 0, 0, 2, 0));

        assertThat(quarantine.totals()).isEmpty();
        assertThat(claim("processed", 9)).isEqualTo(Claim.Status.DUPLICATE);
        assertThat(claim("dropped", 9)).isEqualTo(Claim.Status.DUPLICATE);
    }

    @Test
    @Tag("rule-8.29")
    void aKnownMessageIsReplacedOnlyIfAsked() {
        imported(false, message("bad", 1, "broken"));

        assertThat(imported(false, message("bad", 1, "mended"))).isEqualTo(new Imported(0, 0, 1, 0, 0));
        assertThat(value("bad")).isEqualTo("broken");
        assertThat(imported(true, message("bad", 1, "mended"))).isEqualTo(new Imported(0, 1, 0, 0, 0));
        assertThat(value("bad")).isEqualTo("mended");
    }

    @Test
    @Tag("rule-8.29")
    void aMessageOfARunningReplayStaysAsItIs() {
        imported(false, message("bad", 1, "broken"));
        operations.replay(ReplayRequest.of(QuarantineSelection.of("billing")), "INC-42");

        assertThat(operations.countImportable(
                        "billing", List.of(message("bad", 1, "mended")).iterator(), true))
                .isEqualTo(new Imported(0, 0, 0, 0, 1));
        assertThat(imported(true, message("bad", 1, "mended"))).isEqualTo(new Imported(0, 0, 0, 0, 1));
        assertThat(value("bad")).isEqualTo("broken");
    }

    @Test
    void worksInBatchesWithOneAuditRecord() {
        QuarantinedMessage[] many = IntStream.range(0, 250)
                .mapToObj(number -> message("m-" + number, number, "a"))
                .toArray(QuarantinedMessage[]::new);
        List<Long> progress = new ArrayList<>();

        assertThat(operations
                        .importQuarantined("billing", List.of(many).iterator(), false, "INC-42", progress::add)
                        .added())
                .isEqualTo(250);

        assertThat(progress).containsExactly(100L, 200L, 250L);
        assertThat(audit.list("billing", Instant.EPOCH, 9))
                .singleElement()
                .satisfies(act -> assertThat(act.messages()).isEqualTo(250));
    }

    @Test
    void refusesAMessageOfAnotherConsumer() {
        QuarantinedMessage other = new QuarantinedMessage(
                new Delivery(new MessageId("shipping", "1"), new Position("orders", 3, 1)),
                Payload.none(Payload.Origin.SWITCHED_OFF),
                new QuarantineFailure("java.lang.Error", "g", "text"),
                1);

        assertThatThrownBy(() -> imported(false, message("mine", 2, "a"), other))
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContaining("is no message of billing");

        assertThat(quarantine.totals()).as("the batch is undone").isEmpty();
    }

    private Imported imported(boolean isReplacing, QuarantinedMessage... messages) {
        return operations.importQuarantined("billing", List.of(messages).iterator(), isReplacing, "INC-42", read -> {});
    }

    private static QuarantinedMessage message(String id, long offset, String value) {
        return new QuarantinedMessage(
                delivery(id, offset),
                new Payload(null, value.getBytes(StandardCharsets.UTF_8), List.of(), Payload.Origin.RAW),
                new QuarantineFailure("java.lang.IllegalStateException", "g-1", "text"),
                5);
    }

    private static Delivery delivery(String id, long offset) {
        return new Delivery(new MessageId("billing", id), new Position("orders", 3, offset));
    }

    private Claim.Status claim(String id, long offset) {
        Claim.Status[] status = new Claim.Status[1];
        store.transactions()
                .inTransaction(() -> status[0] =
                        store.claim(List.of(delivery(id, offset))).get(0).status());
        return status[0];
    }

    private String value(String id) {
        byte[] value = quarantine
                .find(new MessageId("billing", id))
                .map(QuarantineEntry::message)
                .orElseThrow()
                .payload()
                .value();
        return new String(value == null ? new byte[0] : value, StandardCharsets.UTF_8);
    }
}
