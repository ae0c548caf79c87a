package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.memory.MemoryAudit;
import io.idempotency.memory.MemoryQuarantine;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.AuditRecord;
import io.idempotency.store.Claim;
import io.idempotency.store.ConflictException;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageRange;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantinedMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class OperationsTest {

    private static final Instant NOW = Instant.parse("2026-11-28T18:00:00Z");

    private Instant now = NOW;
    private final MemoryStore store = MemoryStore.builder().clock(() -> now).build();
    private final MemoryQuarantine quarantine = new MemoryQuarantine(store);
    private final MemoryAudit audit = new MemoryAudit(store);
    private final Operations operations =
            Operations.of(store, quarantine, audit).as("Ada", "cli");

    @Test
    @Tag("rule-8.22")
    void findsAnIdWithoutItsKind() {
        claim("~value:4711", 7);
        claim("~key:4711", 8);
        claim("4711", 9);

        assertThat(operations.explain("billing", "4711"))
                .extracting(each -> each.id().value())
                .containsExactly("4711", "~key:4711", "~value:4711");
        assertThat(operations.explain("billing", "~value:4711"))
                .singleElement()
                .extracting(Explanation::sentence)
                .isEqualTo("Message ~value:4711 of billing was processed at 2026-11-28T18:00:00Z from orders-3@7;"
                        + " copies of it are skipped.");
    }

    @Test
    @Tag("rule-8.22")
    void saysThatAMessageIsNotRemembered() {
        claim("other", 7);

        assertThat(operations.explain("billing", "4711")).singleElement().satisfies(one -> {
            assertThat(one.status()).isEqualTo(MessageStatus.UNKNOWN);
            assertThat(one.id().value()).isEqualTo("4711");
            assertThat(one.sentence())
                    .isEqualTo("Message 4711 of billing is not remembered: it never came, is in progress, or was"
                            + " forgotten. No message of this consumer was forgotten by age.");
        });
    }

    @Test
    @Tag("rule-8.22")
    void saysWhyAMessageIsInQuarantine() {
        quarantine("bad", 7, false);
        quarantine("behind", 8, true);

        assertThat(operations.explain("billing", "bad").get(0).sentence())
                .isEqualTo("Message bad of billing is in quarantine from orders-3@7 since 2026-11-28T18:00:00Z, after 5"
                        + " attempts, with java.lang.IllegalStateException (group g-1); no replay is asked to handle it"
                        + " again.");
        assertThat(operations.explain("billing", "behind").get(0).status()).isEqualTo(MessageStatus.BEHIND);
    }

    @Test
    @Tag("rule-8.22")
    void countsAttemptsAsTheLogDoes() {
        quarantine("once", 7, false, 1);
        quarantine("unread", 8, false, 0);

        assertThat(operations.explain("billing", "once").get(0).sentence())
                .contains(":00Z, after 1 attempt, with java.lang.IllegalStateException");
        assertThat(operations.explain("billing", "unread").get(0).sentence())
                .contains(":00Z, before its handler was called, with java.lang.IllegalStateException");
    }

    @Test
    @Tag("rule-8.22")
    void findsAQuarantinedMessageByItsPosition() {
        quarantine("~none~orders-3@7~9c1f", 7, false);
        quarantine("bad", 8, false);

        assertThat(operations.explain("billing", "orders-3@7"))
                .singleElement()
                .extracting(each -> each.id().value())
                .isEqualTo("~none~orders-3@7~9c1f");
        assertThat(operations.explain("billing", "orders-3@9"))
                .extracting(Explanation::status)
                .containsExactly(MessageStatus.UNKNOWN);
    }

    @Test
    @Tag("rule-8.22")
    void saysWhetherALeaseLasts() {
        store.lease(List.of(delivery("leased", 7)), Duration.ofMinutes(1));

        assertThat(operations.explain("billing", "leased").get(0).sentence())
                .isEqualTo("Message leased of billing is in progress from orders-3@7, under a lease until"
                        + " 2026-11-28T18:01:00Z.");
        assertThatThrownBy(() -> operations.forget(id("leased"), "INC-42"))
                .isInstanceOf(ConflictException.class)
                .hasMessageContaining("in progress");
    }

    /** Otherwise whoever deletes the entry later, forgets the id and claims it again, has two effects. */
    @Test
    @Tag("rule-8.20")
    void forgetsNoMessageWhoseEntryIsInQuarantine() {
        quarantine("bad", 7, false);

        assertThatThrownBy(() -> operations.forget(id("bad"), "INC-42"))
                .isInstanceOf(ConflictException.class)
                .hasMessage("billing/bad is in quarantine, so it is not forgotten: replay it, or drop it");
        assertThat(operations.countForgettable(id("bad"))).isEqualTo(new Forgotten(0, 1));

        assertThat(quarantine.find(id("bad"))).isPresent();
        assertThat(acts()).isEmpty();
    }

    @Test
    @Tag("rule-8.20")
    void forgetsAProcessedMessageOnce() {
        claim("done", 7);
        claim("other", 6);
        assertThat(operations.countForgettable(id("done"))).isEqualTo(new Forgotten(1, 0));

        assertThat(operations.forget(id("done"), "INC-42")).isEqualTo(new Forgotten(1, 0));
        assertThat(operations.forget(id("done"), "INC-42")).isEqualTo(new Forgotten(0, 0));

        assertThat(claim("done", 8).isGranted()).isTrue();
        assertThat(acts())
                .containsExactly(new AuditRecord(NOW, "Ada", "cli", "forget", "billing", 1, "done", "INC-42"));
    }

    @Test
    @Tag("rule-8.21")
    void dropsAMessageAndItsEntryTogether() {
        quarantine("bad", 7, false);

        assertThat(operations.drop(id("bad"), "INC-42")).isTrue();

        assertThat(quarantine.find(id("bad"))).isEmpty();
        assertThat(claim("bad", 8).status()).isEqualTo(Claim.Status.DUPLICATE);
        assertThat(operations.explain("billing", "bad").get(0).status()).isEqualTo(MessageStatus.DROPPED);
        assertThat(acts()).containsExactly(new AuditRecord(NOW, "Ada", "cli", "drop", "billing", 1, "bad", "INC-42"));
    }

    @Test
    @Tag("rule-8.21")
    void dropsNothingThatIsNotInQuarantine() {
        claim("done", 7);

        assertThatThrownBy(() -> operations.drop(id("done"), "INC-42"))
                .isInstanceOf(ConflictException.class)
                .hasMessage("billing/done is not in quarantine, so it cannot be dropped: it is PROCESSED");
        assertThatThrownBy(() -> operations.drop(id("never"), "INC-42"))
                .isInstanceOf(ConflictException.class)
                .hasMessageContaining("it is UNKNOWN");

        assertThat(claim("never", 8).isGranted()).isTrue();
        assertThat(acts()).isEmpty();
    }

    @Test
    @Tag("rule-8.24")
    void changesNothingWithoutAReason() {
        claim("done", 7);

        assertThatThrownBy(() -> operations.forget(id("done"), " "))
                .isInstanceOf(IdempotencyException.class)
                .hasMessageStartingWith("Say why");

        assertThat(claim("done", 8).isGranted()).isFalse();
    }

    @Test
    @Tag("rule-8.23")
    @Tag("rule-8.24")
    void forgetsARangeInBatchesWithOneRecord() {
        for (int i = 0; i < 2500; i++) {
            claim("m-" + i, i);
        }
        MessageRange range = MessageRange.ofOffsets("billing", "orders", 3, 100, 2399);
        List<Long> progress = new ArrayList<>();

        assertThat(operations.countForgettable(range)).isEqualTo(new Forgotten(2300, 0));
        assertThat(operations.forget(range, "INC-42", progress::add)).isEqualTo(new Forgotten(2300, 0));

        assertThat(progress).hasSizeGreaterThan(2).isSorted().last().isEqualTo(2300L);
        assertThat(acts())
                .containsExactly(new AuditRecord(
                        NOW,
                        "Ada",
                        "cli",
                        "forget-range",
                        "billing",
                        2300,
                        "offsets 100 to 2399 of orders-3",
                        "INC-42"));
    }

    @Test
    @Tag("rule-8.23")
    @Tag("rule-8.24")
    void leavesARecordOfWhatWasDoneIfItEndsInTheMiddle() {
        for (int i = 0; i < 2500; i++) {
            claim("m-" + i, i);
        }
        MessageRange range = MessageRange.ofTime("billing", NOW, NOW.plusSeconds(1));

        assertThatThrownBy(() -> operations.forget(range, "INC-42", done -> {
                    throw new IllegalStateException("the process dies");
                }))
                .hasMessage("the process dies");

        assertThat(acts()).singleElement().satisfies(act -> {
            assertThat(act.messages()).isEqualTo(1000);
            assertThat(act.subject()).endsWith(" (unfinished)");
        });
        assertThat(operations.forget(range, "INC-42, again", done -> {})).isEqualTo(new Forgotten(1500, 0));
    }

    @Test
    @Tag("rule-8.25")
    void cachesOfThisProcessForgetAtOnce() {
        Bench.MapCache cache = new Bench.MapCache();
        KnownDuplicates known = new KnownDuplicates("billing", cache);
        claim("done", 7);
        known.remember(delivery("done", 7), Optional.empty(), known.mark());

        operations.forget(id("done"), "INC-42");

        assertThat(known.find(id("done"))).isEmpty();
    }

    @Test
    @Tag("rule-8.25")
    void cachesOfOtherProcessesForgetAtTheNextLook() {
        List<Runnable> looks = new ArrayList<>();
        KnownDuplicates known = new KnownDuplicates("billing", new Bench.MapCache());
        claim("done", 7);
        claim("other", 8);
        try (AuditWatch watch = AuditWatch.start(audit, (interval, name, look) -> {
            looks.add(look);
            return () -> {};
        })) {
            assertThat(watch).isNotNull();
            looks.get(0).run();
            known.remember(delivery("done", 7), Optional.empty(), known.mark());
            known.remember(delivery("other", 8), Optional.empty(), known.mark());
            audit.write(new AuditRecord(NOW, "Ada", "cli", "forget", "billing", 1, "done", "INC-42"));

            looks.get(0).run();
            assertThat(known.find(id("done"))).isEmpty();
            assertThat(known.find(id("other"))).isPresent();

            audit.write(new AuditRecord(NOW, "Ada", "cli", "forget-range", "billing", 1, "a range", "INC-42"));
            looks.get(0).run();
            assertThat(known.find(id("other"))).isEmpty();

            for (int i = 0; i < 12; i++) {
                looks.get(0).run();
            }
            known.remember(delivery("done", 9), Optional.empty(), known.mark());
            looks.get(0).run();
            assertThat(known.find(id("done"))).isPresent();
        }
    }

    @Test
    @Tag("rule-8.27")
    void dropsWhatIsOlderThanAMomentWithOneRecord() {
        for (int i = 0; i < 250; i++) {
            quarantine("bad-" + i, i, false);
        }
        now = NOW.plus(Duration.ofDays(30));
        quarantine("young", 999, false);

        assertThat(operations.dropOlderThan("billing", now, "too old")).isEqualTo(250);

        assertThat(quarantine.list("billing", 10)).containsExactly(id("young"));
        assertThat(claim("bad-7", 1000).status()).isEqualTo(Claim.Status.DUPLICATE);
        assertThat(acts()).singleElement().satisfies(act -> {
            assertThat(act.messages()).isEqualTo(250);
            assertThat(act.subject()).isEqualTo("messages quarantined before " + now);
        });
        assertThat(operations.dropOlderThan("billing", now, "too old")).isZero();
        assertThat(acts()).hasSize(1);
    }

    private Claim claim(String id, long offset) {
        List<Claim> claims = new ArrayList<>();
        store.transactions().inTransaction(() -> claims.addAll(store.claim(List.of(delivery(id, offset)))));
        return claims.get(0);
    }

    private void quarantine(String id, long offset, boolean isBehind) {
        quarantine(id, offset, isBehind, 5);
    }

    private void quarantine(String id, long offset, boolean isBehind, int attempts) {
        store.quarantine(claim(id, offset));
        quarantine.save(new QuarantinedMessage(
                delivery(id, offset),
                Payload.none(Payload.Origin.SWITCHED_OFF),
                new QuarantineFailure("java.lang.IllegalStateException", "g-1", "java.lang.IllegalStateException"),
                attempts,
                0,
                isBehind));
    }

    private List<AuditRecord> acts() {
        return audit.list(Instant.EPOCH, 100);
    }

    private static Delivery delivery(String id, long offset) {
        return new Delivery(id(id), new Position("orders", 3, offset));
    }

    private static MessageId id(String value) {
        return new MessageId("billing", value);
    }
}
