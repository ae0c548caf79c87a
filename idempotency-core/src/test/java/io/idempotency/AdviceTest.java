package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.kafka.LogCapture;
import io.idempotency.memory.MemoryStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.TransientStoreException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.slf4j.helpers.NOPLoggerFactory;

/** What the log and the exceptions tell a reader to do. */
class AdviceTest {

    private final Bench bench = new Bench();
    private final LogCapture log = new LogCapture();
    private final Message somewhere = new Message("a", Position.UNKNOWN);

    @AfterEach
    void close() {
        log.close();
    }

    private void fail(IdempotentConsumer<Message> consumer, Message message, Throwable failure) {
        bench.failing.put(message.id(), failure);
        assertThatThrownBy(() -> consumer.consume(message, bench::handle)).isSameAs(failure);
    }

    @Test
    void saysWhenAPartitionIsTriedAgain() {
        fail(bench.strong().build(), Message.of("a", 0, 0), new IllegalStateException("scripted"));

        assertThat(log.warnings())
                .containsExactly("Attempt 1 of billing/a at orders-0@0 failed; its partition goes on in 100 ms.");
    }

    @Test
    void saysThatAMessageWithoutPositionIsToBeDeliveredAgain() {
        fail(bench.strong().build(), somewhere, new IllegalStateException("scripted"));

        assertThat(log.warnings())
                .containsExactly(
                        "Attempt 1 of billing/a at unknown position failed; nothing tries it again by itself: deliver it again.");
    }

    @Test
    void saysThatAMessageWithoutPositionIsToBeDeliveredAgainAfterATransientFailure() {
        fail(bench.strong().build(), somewhere, new TransientStoreException("scripted"));

        assertThat(log.all())
                .singleElement()
                .asString()
                .startsWith("Transient failure at billing/a at unknown position")
                .endsWith("nothing tries it again by itself: deliver it again.");
    }

    @Test
    void saysWhatAPartitionWaitsForIfAMessageIsClaimedElsewhere() {
        Delivery leased = new Delivery(new MessageId("billing", "a"), new Position("orders", 0, 0));
        bench.store.lease(List.of(leased), Duration.ofMinutes(1));

        assertThat(bench.strong().build().consume(Message.of("a", 0, 0), bench::handle))
                .isEqualTo(Outcome.IN_PROGRESS);

        assertThat(log.all())
                .singleElement()
                .asString()
                .startsWith("billing/a at orders-0@0 is claimed by another process, or was by one that died.");
    }

    @Test
    void saysWhatToDoAboutAPartitionThatStandsStillWithoutQuarantine() {
        IdempotentConsumer<Message> consumer = withoutQuarantine();
        fail(consumer, Message.of("a", 0, 0), new IllegalStateException("scripted"));

        assertThat(log.warnings())
                .containsExactly(
                        "Partition orders-0 stands still at billing/a at orders-0@0 after 1 attempt: there is no quarantine"
                                + " store. Mend the handler or the message, or set quarantine(..). It is tried again every 30 s. Nothing behind"
                                + " it is lost.");
    }

    @Test
    @Tag("rule-7.12")
    void saysThatAPartitionGoesOnThatWasStoppedForLong() {
        AtomicLong now = new AtomicLong();
        IdempotentConsumer<Message> consumer = bench.strong()
                .failures(failure -> FailurePolicy.Decision.retryAfter(Duration.ofSeconds(1)))
                .build(now::get);
        for (long seconds : new long[] {0, 5, 9}) {
            now.set(Duration.ofSeconds(seconds).toNanos());
            fail(consumer, Message.of("a", 0, 0), new IllegalStateException("scripted"));
        }
        now.set(Duration.ofSeconds(12).toNanos());
        bench.failing.clear();

        consumer.consume(Message.of("a", 0, 0), bench::handle);
        consumer.consume(Message.of("b", 0, 1), bench::handle);
        fail(consumer, Message.of("c", 0, 2), new TransientStoreException("scripted"));
        bench.failing.clear();
        consumer.consume(Message.of("c", 0, 2), bench::handle);

        assertThat(log.all())
                .filteredOn(line -> line.contains("goes on:"))
                .containsExactly("Partition orders-0 goes on: billing/a at orders-0@0 had stopped it for 12 s.");
    }

    @Test
    void saysWhatToDoAboutAMessageWithoutPositionThatCannotBeQuarantined() {
        IdempotentConsumer<Message> consumer = withoutQuarantine();
        fail(consumer, somewhere, new IllegalStateException("scripted"));

        assertThat(log.warnings())
                .containsExactly(
                        "billing/a at unknown position is not settled after 1 attempt: there is no quarantine store. Mend the"
                                + " handler or the message, or set quarantine(..). Then deliver it again.");
    }

    private IdempotentConsumer<Message> withoutQuarantine() {
        return IdempotentConsumer.<Message>named("billing")
                .store(bench.store)
                .messageId(Message::messageId)
                .reader(Message.READER)
                .failures(FailurePolicy.quarantineAfter(1))
                .build();
    }

    /** What the last line says of a message that was quarantined, which is at WARN: nothing stands still. */
    private String quarantined(IdempotentConsumer<Message> consumer, int attempts) {
        bench.failing.put("a", new IllegalStateException("scripted"));
        for (int attempt = 0; attempt < attempts; attempt++) {
            consumer.consumeAll(List.of(Message.of("a", 0, 0)), bench::handle);
        }
        assertThat(log.traces()).last().asString().contains("scripted");
        assertThat(log.errors()).isEmpty();
        return log.warnings().get(log.warnings().size() - 1);
    }

    @Test
    @Tag("rule-7.10")
    void saysWhereAQuarantinedMessageIsAndThatItsBytesAreThere() {
        assertThat(quarantined(bench.strong().build(), 3))
                .isEqualTo(
                        "Quarantined billing/a at orders-0@0 after 3 attempts, in the memory of this process, with its bytes.");
    }

    @Test
    @Tag("rule-7.10")
    void saysOfAQuarantinedMessageThatItNeverCameToItsHandler() {
        bench.strong().build().quarantine(Message.of("a", 0, 0), new IllegalStateException("scripted"));

        assertThat(log.warnings())
                .containsExactly(
                        "Quarantined billing/a at orders-0@0 before its handler was called, in the memory of this process,"
                                + " with its bytes.");
    }

    @Test
    @Tag("rule-7.10")
    void saysThatTheBytesOfAQuarantinedMessageAreNotKept() {
        FailurePolicy once = FailurePolicy.quarantineAfter(1);

        assertThat(quarantined(bench.strong().failures(once).keepPayloads(false).build(), 1))
                .isEqualTo(
                        "Quarantined billing/a at orders-0@0 after 1 attempt, in the memory of this process, without its bytes, which"
                                + " are not to be kept.");
        bench.quarantine.delete(new MessageId("billing", "a"));
        bench.store.unquarantine(new Delivery(new MessageId("billing", "a"), new Position("orders", 0, 0)));
        assertThat(quarantined(bench.strong().failures(once).reader(positions()).build(), 1))
                .isEqualTo(
                        "Quarantined billing/a at orders-0@0 after 1 attempt, in the memory of this process, without its bytes: they"
                                + " are in the topic only, until its retention ends.");
    }

    @Test
    @Tag("rule-7.10")
    void doesNotSendAnybodyToATopicWhereThereIsNone() {
        IdempotentConsumer<Message> consumer = bench.strong()
                .failures(FailurePolicy.quarantineAfter(1))
                .reader(positions())
                .build();
        bench.failing.put("a", new IllegalStateException("scripted"));

        consumer.consumeAll(List.of(somewhere), bench::handle);

        assertThat(log.warnings())
                .containsExactly(
                        "Quarantined billing/a at unknown position after 1 attempt, in the memory of this process, without its bytes.");
    }

    @Test
    @Tag("rule-7.10")
    void saysWhereAMessageIsThatFailedAtMostOnce() {
        assertThat(quarantined(bench.level(ConsistencyLevel.AT_MOST_ONCE).build(), 1))
                .isEqualTo(
                        "The handler of billing/a at orders-0@0 failed. It does not run again, because the level is AT_MOST_ONCE. The"
                                + " message is kept in the memory of this process, with its bytes.");
    }

    @Test
    @Tag("rule-7.10")
    void isAnErrorIfNothingButTheLineKeepsTheMessage() {
        bench.failing.put("a", new IllegalStateException("scripted"));

        IdempotentConsumer.<Message>named("billing")
                .store(bench.store)
                .level(ConsistencyLevel.AT_MOST_ONCE)
                .messageId(Message::messageId)
                .reader(Message.READER)
                .build()
                .consumeAll(List.of(Message.of("a", 0, 0)), bench::handle);

        assertThat(log.errors()).singleElement().asString().contains("is kept in this line only");
    }

    private static MessageReader<Message> positions() {
        return new MessageReader<>() {
            @Override
            public Position position(Message message) {
                return message.position();
            }

            @Override
            public Payload payload(Message message) {
                return Payload.none(Payload.Origin.POSITION_ONLY);
            }
        };
    }

    @Test
    void namesTheOneMessageThatAStoreCannotBeUsedFor() {
        FaultyStore faulty = new FaultyStore(bench.store);
        faulty.fail("claim", new IllegalStateException("no tables"));
        IdempotentConsumer<Message> consumer =
                bench.strong().store(faulty.store).build();

        assertThatThrownBy(() -> consumer.consume(Message.of("a", 0, 0), bench::handle))
                .hasMessage("The store cannot be used for billing/a at orders-0@0; nothing was recorded. no tables");
        assertThatThrownBy(() -> consumer.consumeAll(Message.partition(0, "a", "b", "c"), bench::handle))
                .hasMessage(
                        "The store cannot be used for billing/a at orders-0@0 and 2 more; nothing was recorded. no tables");
    }

    @Test
    void refusesToRunWhereAnOldSlf4jKeepsEverythingFromBeingLogged() {
        assertThatThrownBy(() -> LoggingCheck.requireHeard(new NOPLoggerFactory(), false))
                .hasMessageContainingAll("kafka-clients", "Declare org.slf4j:slf4j-api 2.0");
        LoggingCheck.requireHeard(new NOPLoggerFactory(), true);
        LoggingCheck.requireHeard(LoggerFactory.getILoggerFactory(), false);
        LoggingCheck.requireHeard();
    }

    @Test
    void refusesANameOfTheLibraryItself() {
        assertThatThrownBy(() -> IdempotentConsumer.<Message>named("idempotency.purger")
                        .store(bench.store)
                        .messageId(Message::messageId)
                        .build())
                .hasMessageContaining("belong to the library");
    }

    @Test
    void warnsOfASecondHandlerUnderOneNameOnOneStore() {
        bench.strong().build().consume(Message.of("a", 0, 0), bench::handle);
        bench.strong().store(MemoryStore.create()).build().consume(Message.of("a", 0, 0), (message, claim) -> {});
        assertThat(log.warnings()).isEmpty();

        bench.strong().build().consume(Message.of("a", 0, 0), (message, claim) -> {});
        assertThat(log.warnings())
                .singleElement()
                .asString()
                .startsWith("There are two handlers under the consumer name billing on one store")
                .contains("skips");
    }

    @Test
    void doesNotWarnOfCopiesOfOneHandler() {
        for (int thread = 0; thread < 2; thread++) {
            IdempotentConsumer<Message> copy = bench.strong().build();
            copy.consumeAll(Message.partition(thread, "a"), bench::handle);
        }

        assertThat(log.warnings()).isEmpty();
    }

    @Test
    void doesNotWarnOfANameWhoseConsumerWasClosed() {
        IdempotentConsumer<Message> closed = bench.strong().build();
        closed.consume(Message.of("a", 0, 0), bench::handle);
        closed.close();
        bench.strong().build().consume(Message.of("a", 0, 0), (message, claim) -> {});

        assertThat(log.warnings()).isEmpty();
    }
}
