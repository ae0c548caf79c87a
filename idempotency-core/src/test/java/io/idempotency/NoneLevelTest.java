package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import org.junit.jupiter.api.Test;

class NoneLevelTest {

    private final Bench bench = new Bench();
    private final IdempotentConsumer<Message> consumer = IdempotentConsumer.<Message>named("billing")
            .level(ConsistencyLevel.NONE)
            .messageId(Message::messageId)
            .reader(Message.READER)
            .listener(bench.events::add)
            .build();

    @Test
    void handlesEveryDeliveryAndMeasuresIt() {
        consumer.consume(Message.of("a", 0, 0), bench::handle);
        consumer.consume(Message.of("a", 0, 0), bench::handle);

        assertThat(bench.effects).containsExactly("a", "a");
        assertThat(bench.outcomes()).containsExactly(Outcome.PROCESSED, Outcome.PROCESSED);
    }

    @Test
    void stopsThePartitionOfAFailingMessage() {
        bench.failing.put("b", new IOException("no"));

        assertThat(consumer.consumeAll(Message.partition(0, "a", "b", "c"), bench::handle)
                        .outcomes())
                .containsExactly(Outcome.PROCESSED, Outcome.RELEASED, Outcome.RELEASED);
    }
}
