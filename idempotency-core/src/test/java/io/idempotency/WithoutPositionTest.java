package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Messages from somewhere without positions come in any order. */
class WithoutPositionTest {

    private final Bench bench = new Bench();
    private static final Lane NOWHERE = Lane.of(Position.UNKNOWN);

    private final AtomicLong nanos = new AtomicLong();
    private Executable whileReading = () -> {};
    private final IdempotentConsumer<Message> consumer = bench.strong()
            .reader(new MessageReader<Message>() {
                @Override
                public Position position(Message message) {
                    return Position.UNKNOWN;
                }

                @Override
                public Payload payload(Message message) {
                    Executable once = whileReading;
                    whileReading = () -> {};
                    assertThatCode(once::execute).doesNotThrowAnyException();
                    return Message.READER.payload(message);
                }
            })
            .build();

    @Test
    void countsTheFailuresOfEachMessage() {
        bench.failing.put("a", new IOException("no"));
        bench.failing.put("b", new IOException("no"));
        for (int i = 0; i < 2; i++) {
            for (String id : new String[] {"a", "b"}) {
                assertThatThrownBy(() -> consumer.consume(Message.of(id, 0, 0), bench::handle))
                        .isInstanceOf(IOException.class);
            }
        }

        assertThat(consumer.consume(Message.of("a", 0, 0), bench::handle)).isEqualTo(Outcome.QUARANTINED);
        assertThat(consumer.consume(Message.of("b", 0, 0), bench::handle)).isEqualTo(Outcome.QUARANTINED);
    }

    @Test
    void keepsTheBytesOfTheMessageThatIsQuarantined() {
        bench.failing.put("a", new IOException("no"));
        bench.failing.put("b", new IOException("no"));
        whileReading = () -> {
            Thread other = new Thread(() -> consumer.consumeAll(List.of(Message.of("b", 0, 0)), bench::handle));
            other.start();
            other.join();
        };
        consumer.consumeAll(List.of(Message.of("a", 0, 0)), bench::handle);

        consumer.consumeAll(List.of(Message.of("b", 0, 0)), bench::handle);

        assertThat(consumer.consume(Message.of("b", 0, 0), bench::handle)).isEqualTo(Outcome.QUARANTINED);
        assertThat(bench.quarantine
                        .find(new MessageId("billing", "b"))
                        .orElseThrow()
                        .message()
                        .payload()
                        .value())
                .asString()
                .isEqualTo("b");
    }

    @Test
    @Tag("rule-7.8")
    void quarantinesMessagesThatFailInTurn() {
        IdempotentConsumer<Message> inTurn = bench.strong()
                .reader(MessageReader.withoutPosition())
                .standStillAfter(2_000)
                .build();
        List<String> ids = IntStream.range(0, 1_001).mapToObj(i -> "id-" + i).toList();
        ids.forEach(id -> bench.failing.put(id, new IOException("no " + id)));
        for (int round = 0; round < 3; round++) {
            ids.forEach(id -> inTurn.consumeAll(List.of(Message.of(id, 0, 0)), bench::handle));
        }

        assertThat(ids)
                .allMatch(id ->
                        bench.quarantine.find(new MessageId("billing", id)).isPresent());
    }

    @Test
    @Tag("rule-7.8")
    void takesBoundedRoomHoweverManyMessagesFailAndGetsToTheEndOfAllOfThem() {
        Lanes lanes = new Lanes(nanos::get);
        Deque<MessageId> open = new ArrayDeque<>(IntStream.range(0, Unplaced.MOST + 3_000)
                .mapToObj(i -> new MessageId("billing", "id-" + i))
                .toList());

        for (int tries = 0; !open.isEmpty() && tries < 10 * Unplaced.MOST; tries++) {
            MessageId id = open.removeFirst();
            if (lanes.countFailure(NOWHERE, id, 1) == 3) {
                lanes.quarantined(NOWHERE, id, "why");
            } else {
                open.addLast(id);
            }
            assertThat(tries % 5_000 != 0
                            || open.stream()
                                            .filter(each -> lanes.hasFailed(NOWHERE, each))
                                            .count()
                                    <= Unplaced.MOST)
                    .isTrue();
        }

        assertThat(open).isEmpty();
    }

    @Test
    @Tag("rule-7.8")
    void makesRoomOfMessagesThatDidNotComeAgain() {
        Lanes lanes = new Lanes(nanos::get);
        for (int i = 0; i < Unplaced.MOST; i++) {
            lanes.countFailure(NOWHERE, new MessageId("billing", "gone-" + i), 1);
        }
        MessageId id = new MessageId("billing", "a");
        lanes.countFailure(NOWHERE, id, 1);
        assertThat(lanes.countFailure(NOWHERE, id, 1)).isEqualTo(1);
        nanos.addAndGet(Unplaced.PATIENCE.plusSeconds(1).toNanos());
        lanes.countFailure(NOWHERE, id, 1);

        assertThat(lanes.countFailure(NOWHERE, id, 1)).isEqualTo(2);
    }
}
