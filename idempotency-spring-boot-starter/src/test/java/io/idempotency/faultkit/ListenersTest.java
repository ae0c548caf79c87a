package io.idempotency.faultkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.spring.TestServers;
import io.idempotency.testkit.faults.FaultKit;
import io.idempotency.testkit.faults.IdempotencyTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;

/** The kit on listeners of an application, with a real broker and H2. */
class ListenersTest {

    /** What users write. It is run by the tests around it. */
    @SpringBootTest(
            classes = {Shop.class, RightListeners.class, BrokenListeners.class},
            properties = {
                "spring.kafka.consumer.auto-offset-reset=earliest",
                "spring.datasource.url=jdbc:h2:mem:shop;DB_CLOSE_DELAY=-1",
                "spring.flyway.enabled=false",
                "spring.jpa.hibernate.ddl-auto=none",
                "idempotency.schema.mode=always",
                "idempotency.lease=200ms"
            })
    static class Users {

        @DynamicPropertySource
        static void broker(DynamicPropertyRegistry properties) {
            properties.add("spring.kafka.bootstrap-servers", TestServers::bootstrapServers);
        }

        private static void charges(String listener, FaultKit kit) {
            kit.send(listener, "order " + kit.id());
            kit.effects("select count(*) from charge where listener = '" + listener + "'");
        }

        private static void chargesOnce(String listener, FaultKit kit) {
            kit.send(listener, "order " + kit.id());
            kit.effects("select count(*) from charge_once");
        }

        @IdempotencyTest
        void jdbc(FaultKit kit) {
            charges(RightListeners.JDBC, kit);
        }

        @IdempotencyTest
        void jpa(FaultKit kit) {
            charges(RightListeners.JPA, kit);
        }

        @IdempotencyTest
        void batch(FaultKit kit) {
            for (int order = 0; order < 3; order++) {
                kit.send(RightListeners.BATCH, "customer", "order " + order + " " + kit.id());
            }
            kit.effects("select message, count(*) from charge where listener = 'batch' group by message");
        }

        @IdempotencyTest
        void upsert(FaultKit kit) {
            chargesOnce(RightListeners.UPSERT, kit);
        }

        @IdempotencyTest
        void leased(FaultKit kit) {
            chargesOnce(RightListeners.LEASED, kit);
        }

        @IdempotencyTest
        void outside(FaultKit kit) {
            charges(BrokenListeners.OUTSIDE, kit);
        }

        @IdempotencyTest
        void requiresNew(FaultKit kit) {
            charges(BrokenListeners.REQUIRES_NEW, kit);
        }

        @IdempotencyTest
        void offsetId(FaultKit kit) {
            charges(BrokenListeners.OFFSET_ID, kit);
        }

        @IdempotencyTest
        void swallows(FaultKit kit) {
            charges(BrokenListeners.SWALLOWS, kit);
        }

        @IdempotencyTest
        void caches(FaultKit kit) {
            charges(BrokenListeners.CACHES, kit);
        }

        @IdempotencyTest
        void idle(FaultKit kit) {
            charges(BrokenListeners.IDLE, kit);
        }

        @IdempotencyTest
        void unknownTopic(FaultKit kit) {
            charges("nobody-listens", kit);
        }

        @IdempotencyTest
        void unknownListener(FaultKit kit) {
            kit.listener("nobody");
            charges(RightListeners.JDBC, kit);
        }

        @IdempotencyTest
        void unknownTable(FaultKit kit) {
            kit.send(RightListeners.JDBC, "order");
            kit.effects("select count(*) from nothing");
        }

        @IdempotencyTest
        void noNumber(FaultKit kit) {
            kit.send(RightListeners.JDBC, "order");
            kit.effects("select 'many' from charge");
        }

        @IdempotencyTest
        void notSerializable(FaultKit kit) {
            kit.send(RightListeners.JDBC, new Object());
            kit.effects("select count(*) from charge");
        }
    }

    private static TestRun run(String method) {
        TestRun run = TestRun.of(Users.class, method);
        System.out.println(run.results().keySet());
        run.failures().forEach((name, failure) -> System.out.println("--- " + method + ": " + name + "\n" + failure));
        return run;
    }

    @ParameterizedTest
    @ValueSource(strings = {"jdbc", "jpa", "batch", "upsert", "leased"})
    void passesRightListeners(String listener) {
        TestRun run = run(listener);

        assertThat(run.failures()).isEmpty();
        assertThat(run.results()).hasSizeGreaterThanOrEqualTo(7);
    }

    @ParameterizedTest
    @ValueSource(strings = {"outside", "requiresNew", "offsetId", "swallows", "caches", "idle"})
    void findsBrokenListeners(String listener) {
        TestRun run = run(listener);

        assertThat(run.failures()).isNotEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"unknownTopic", "unknownListener", "unknownTable", "noNumber", "notSerializable"})
    void saysWhatIsWrongWithATest(String test) {
        TestRun run = run(test);

        assertThat(run.failures()).hasSize(1);
    }

    @Test
    void x() {}
}
