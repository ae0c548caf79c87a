package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import java.io.IOException;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Messages from somewhere without positions come in any order. */
class WithoutPositionTest {

    private final Bench bench = new Bench();
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
                        .payload()
                        .value())
                .asString()
                .isEqualTo("b");
    }

    @Test
    void takesBoundedRoomHoweverManyMessagesFail() {
        Lanes lanes = new Lanes();
        Lane lane = Lane.of(Position.UNKNOWN);

        for (int i = 0; i < 3_000; i++) {
            lanes.countFailure(lane, new MessageId("billing", "id-" + i));
        }

        assertThat(IntStream.range(0, 3_000).filter(i -> lanes.hasFailed(lane, new MessageId("billing", "id-" + i))))
                .hasSizeLessThanOrEqualTo(1_000)
                .endsWith(2_999);
    }
}
