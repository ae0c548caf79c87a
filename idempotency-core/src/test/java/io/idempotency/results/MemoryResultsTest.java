package io.idempotency.results;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.ConsistencyLevel;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.memory.MemoryResults;
import io.idempotency.memory.MemoryStore;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MemoryResultsTest {

    private static final ResultCodec TEXT = new ResultCodec() {
        @Override
        public byte[] toBytes(Object value) {
            return value.toString().getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public <T> T fromBytes(byte[] content, Class<T> type) {
            return type.cast(new String(content, StandardCharsets.UTF_8));
        }
    };

    private final MemoryStore store = MemoryStore.create();
    private final MemoryResults results = new MemoryResults(store);

    private IdempotentConsumer<String> consumer(ConsistencyLevel level) {
        return IdempotentConsumer.<String>named("api")
                .level(level)
                .store(store)
                .messageId(Optional::of)
                .failures(FailurePolicy.leaveToCaller())
                .build();
    }

    @ParameterizedTest
    @EnumSource(names = {"STRONG", "AT_LEAST_ONCE"})
    void givesADuplicateTheFirstAnswerUntilItsMessageIsForgotten(ConsistencyLevel level) {
        IdempotentConsumer<String> consumer = consumer(level);
        AnsweringConsumer<String, String> api = AnsweringConsumer.of(consumer, results, TEXT, String.class);
        assertThatThrownBy(() -> api.answer("a", (message, claim) -> {
                    throw new IllegalStateException("as planned");
                }))
                .hasMessage("as planned");

        assertThat(api.answer("a", (message, claim) -> "first")).isEqualTo(new Answer<>("first", false));
        assertThat(api.answer("a", (message, claim) -> "second")).isEqualTo(new Answer<>("first", true));

        consumer.forget("a");
        assertThat(api.answer("a", (message, claim) -> "third")).isEqualTo(new Answer<>("third", false));
    }

    @Test
    void callsAFinishedStepNeverAgain() {
        Steps steps = Steps.in(results, TEXT);
        List<String> charges = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            boolean isFailing = i == 0;
            Runnable run =
                    () -> consumer(ConsistencyLevel.AT_LEAST_ONCE).consume("a", steps.handler((message, step) -> {
                        step.once("charge", charges::add);
                        if (isFailing) {
                            throw new IllegalStateException("as planned");
                        }
                    }));
            if (isFailing) {
                assertThatThrownBy(run::run).hasMessage("as planned");
            } else {
                run.run();
            }
        }
        assertThat(charges).hasSize(1);
    }
}
