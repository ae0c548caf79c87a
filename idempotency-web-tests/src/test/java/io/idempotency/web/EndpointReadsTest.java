package io.idempotency.web;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the endpoint shows. */
class EndpointReadsTest {

    private static EndpointBench bench;

    @BeforeAll
    static void start() {
        bench = EndpointBench.start();
    }

    @AfterAll
    static void stop() {
        bench.close();
    }

    @Test
    void showsTheConsumers() {
        EndpointBench.Answer all = bench.get("");

        assertThat(all.status()).isEqualTo(200);
        assertThat(all.body().path("consumers").get(0).path("consumer").asString())
                .isEqualTo("billing");
    }
}
