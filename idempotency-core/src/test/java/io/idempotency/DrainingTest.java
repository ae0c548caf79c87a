package io.idempotency;

import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static io.idempotency.Outcome.RELEASED;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.kafka.LogCapture;
import io.idempotency.store.InvalidMessageIdException;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A topic does not drain into quarantine for what is wrong with its consumer; a sender of bad messages does not stop it for all others. */
class DrainingTest {

    private static final String WRONG = "wrong";

    private final Bench bench = new Bench();
    private final LogCapture log = new LogCapture();

    @AfterEach
    void close() {
        log.close();
    }

    private IdempotentConsumerBuilder<Message> consumer() {
        return bench.strong().failures(FailurePolicy.quarantineAfter(1)).standStillAfter(2);
    }

    private List<Outcome> deliver(IdempotentConsumer<Message> consumer, List<Message> messages) {
        return bench.deliver(messages, some -> consumer.consumeAll(some, bench::handle))
                .outcomes();
    }

    /** As an expression that does not fit the messages. */
    private static Optional<String> read(Message message) {
        if (message.id().startsWith(WRONG)) {
            throw new IllegalStateException("no such field");
        }
        return message.messageId();
    }

    @Test
    @Tag("rule-5.15")
    void standsStillAtMessagesWithoutIdWhereNoneHadOne() {
        List<Outcome> outcomes = deliver(consumer().build(), Message.partition(0, "", "", "", ""));

        assertThat(outcomes).containsExactly(QUARANTINED, QUARANTINED, RELEASED, RELEASED);
        assertThat(log.all())
                .anySatisfy(line -> assertThat(line)
                        .contains(
                                "Partition orders-0 stands still",
                                "2 messages in a row failed in the same way, and no message there has had a usable id",
                                "Correct where ids are read from",
                                "idempotency.stand-still-after=0"));
    }

    @Test
    @Tag("rule-5.15")
    void quarantinesMessagesWithoutIdWhereAnotherHadOne() {
        IdempotentConsumer<Message> consumer = consumer().build();
        assertThat(deliver(consumer, Message.partition(1, "a"))).containsExactly(PROCESSED);

        assertThat(deliver(consumer, Message.partition(0, "", "", "", ""))).containsOnly(QUARANTINED);
    }

    @Test
    @Tag("rule-5.15")
    void goesOnAsSoonAsAnotherPartitionHasAMessageWithAnId() {
        IdempotentConsumer<Message> consumer = consumer().build();
        deliver(consumer, Message.partition(0, "", "", ""));
        deliver(consumer, Message.partition(1, "a"));

        assertThat(deliver(consumer, Message.partition(0, "", "", "", "b")))
                .containsExactly(QUARANTINED, QUARANTINED, QUARANTINED, PROCESSED);
    }

    @Test
    @Tag("rule-5.15")
    void doesNotTakeAnUnusableIdForAFailureOfTheHandlerNorForItsEnd() {
        IdempotentConsumer<Message> consumer = consumer().build();
        IOException same = new IOException("the other system is down");
        List.of("b", "c", "d").forEach(id -> bench.failing.put(id, same));

        assertThat(deliver(consumer, Message.partition(0, "a", "b", "", "", "", "c", "d")))
                .containsExactly(PROCESSED, QUARANTINED, QUARANTINED, QUARANTINED, QUARANTINED, QUARANTINED, RELEASED);
    }

    @Test
    @Tag("rule-5.15")
    void standsStillAtTheFirstMessageWhoseIdCannotBeReadAtAll() {
        IdempotentConsumer<Message> consumer =
                consumer().messageId(DrainingTest::read).build();

        BatchResult result = consumer.consumeAll(Message.partition(0, WRONG, WRONG), bench::handle);

        assertThat(result.outcomes()).containsExactly(RELEASED, RELEASED);
        assertThat(result.stops()).singleElement().satisfies(stop -> {
            assertThat(stop.retryAfter()).isEqualTo(IdempotentConsumer.STAND_STILL);
            assertThat(stop.isCharged()).isFalse();
        });
        assertThat(bench.quarantine.list("billing", 10)).isEmpty();
        assertThat(log.all())
                .anySatisfy(line -> assertThat(line)
                        .contains("the id could not be read (java.lang.")
                        .contains("no message there has had a usable id")
                        .contains("idempotency.consumers.<name>.message-id"));
    }

    @Test
    @Tag("rule-5.15")
    void standsStillForACallerWhoDecidesOnFailuresToo() {
        IdempotentConsumer<Message> consumer = consumer()
                .failures(FailurePolicy.leaveToCaller())
                .messageId(DrainingTest::read)
                .build();

        Stop stop = consumer.consumeAll(Message.partition(0, WRONG), bench::handle)
                .stops()
                .get(0);

        assertThat(stop.retryAfter()).isEqualTo(IdempotentConsumer.STAND_STILL);
        assertThat(stop.isCharged()).isFalse();
    }

    @Test
    @Tag("rule-5.15")
    void quarantinesAMessageWhoseIdCannotBeReadWhereAnotherHadOne() {
        IdempotentConsumer<Message> consumer =
                consumer().messageId(DrainingTest::read).build();

        assertThat(deliver(consumer, Message.partition(0, WRONG, "a", WRONG, WRONG)))
                .containsExactly(QUARANTINED, PROCESSED, QUARANTINED, QUARANTINED);
    }

    @Test
    @Tag("rule-5.15")
    void quarantinesWhatIsRefusedAsAnIdAndNotUnread() {
        IdempotentConsumer<Message> consumer = consumer()
                .messageId(message -> {
                    throw new InvalidMessageIdException("a number with a fraction");
                })
                .build();

        assertThat(deliver(consumer, Message.partition(0, "a", "b", "c")))
                .containsExactly(QUARANTINED, QUARANTINED, RELEASED);
    }

    @Test
    @Tag("rule-5.15")
    void neverStandsStillIfThatIsSwitchedOff() {
        IdempotentConsumer<Message> consumer = consumer()
                .messageId(DrainingTest::read)
                .standStillAfter(Integer.MAX_VALUE)
                .build();

        assertThat(deliver(consumer, Message.partition(0, WRONG, WRONG, "", "", "", "", "")))
                .containsOnly(QUARANTINED);
    }

    @Test
    @Tag("rule-1.6")
    void standsStillWhereTheCallerQuarantines() {
        IdempotentConsumer<Message> consumer =
                consumer().failures(FailurePolicy.leaveToCaller()).build();
        IOException same = new IOException("the other system is down");

        List<BatchResult> results = Arrays.asList("a", "b", "c").stream()
                .map(id -> consumer.quarantine(Message.of(id, 0, id.charAt(0)), same))
                .toList();

        assertThat(results)
                .extracting(result -> result.outcomes().get(0))
                .containsExactly(QUARANTINED, QUARANTINED, RELEASED);
        assertThat(results.get(2).stops().get(0).retryAfter()).isEqualTo(IdempotentConsumer.STAND_STILL);
        assertThat(bench.outcomes()).containsExactly(QUARANTINED, QUARANTINED);
        assertThat(consumer.consume(Message.of("d", 0, 200), bench::handle)).isEqualTo(PROCESSED);
        assertThat(consumer.quarantine(Message.of("e", 0, 201), same).isSettled())
                .isTrue();
    }
}
