package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.ConsistencyLevel;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.kafka.annotation.KafkaListener;
import reactor.core.publisher.Mono;

/** A listener whose result comes later is refused: the container would commit the offset of one that failed. */
class AsyncResultTest {

    static class Futures {

        @KafkaListener(id = "FUTURE", topics = "${topic}-FUTURE")
        @Idempotent("future")
        CompletableFuture<Void> future(String value) {
            return CompletableFuture.completedFuture(null);
        }
    }

    static class Monos {

        @KafkaListener(id = "MONO", topics = "${topic}-MONO")
        @Idempotent(value = "mono", level = ConsistencyLevel.AT_LEAST_ONCE)
        Mono<Void> mono(String value) {
            return Mono.empty();
        }
    }

    @ParameterizedTest
    @ValueSource(classes = {Futures.class, Monos.class})
    void isRefusedAtStartUp(Class<?> listener) {
        try (ListenerBench bench = new ListenerBench().withoutJpa()) {
            assertThatThrownBy(() -> bench.start(listener))
                    .isInstanceOf(ListenerRefusedException.class)
                    .hasMessageContaining("returns before its work is done");
        }
    }
}
