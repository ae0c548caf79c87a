package io.idempotency.faultkit;

import io.idempotency.spring.TestServers;
import io.idempotency.testkit.faults.FaultKit;
import io.idempotency.testkit.faults.IdempotencyTest;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.test.context.DynamicPropertyRegistry;
import org.springframework.test.context.DynamicPropertySource;
import org.springframework.transaction.annotation.Transactional;

/** What users write about the listeners. {@link ListenersTest} runs it. */
@SpringBootTest(
        classes = {
            Shop.class,
            RightListeners.class,
            RightContainers.class,
            BrokenListeners.class,
            BrokenContainers.class
        },
        properties = {
            "spring.kafka.consumer.auto-offset-reset=earliest",
            "spring.flyway.enabled=false",
            "spring.jpa.hibernate.ddl-auto=none",
            "idempotency.schema.mode=always",
            "idempotency.lease=200ms"
        })
abstract class ListenerUsers {

    @DynamicPropertySource
    static void broker(DynamicPropertyRegistry properties) {
        properties.add("spring.kafka.bootstrap-servers", TestServers::bootstrapServers);
    }

    private static void charges(String listener, FaultKit kit) {
        kit.send(listener, "order " + kit.id());
        kit.effects("select count(*) from charge where listener = '" + listener + "'");
    }

    private static void chargesBatch(String listener, FaultKit kit) {
        for (int order = 0; order < 3; order++) {
            kit.send(listener, "customer", "order " + order + " " + kit.id());
        }
        kit.effects("select message, count(*) from charge where listener = '" + listener + "' group by message");
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
        chargesBatch(RightListeners.BATCH, kit);
    }

    @IdempotencyTest
    void brokenBatch(FaultKit kit) {
        chargesBatch(BrokenListeners.BATCH, kit);
    }

    @IdempotencyTest
    void upsert(FaultKit kit) {
        chargesOnce(RightListeners.UPSERT, kit);
    }

    @IdempotencyTest
    void givesUp(FaultKit kit) {
        chargesOnce(BrokenListeners.GIVES_UP, kit);
    }

    @IdempotencyTest
    void leased(FaultKit kit) {
        chargesOnce(RightListeners.LEASED, kit);
    }

    @IdempotencyTest
    void methods(FaultKit kit) {
        charges(RightContainers.METHODS, kit);
    }

    @IdempotencyTest
    void bound(FaultKit kit) {
        charges(RightContainers.BOUND, kit);
    }

    @IdempotencyTest
    void catching(FaultKit kit) {
        chargesOnce(RightContainers.CATCHING, kit);
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
    void logs(FaultKit kit) {
        chargesOnce(BrokenContainers.LOGS, kit);
    }

    @IdempotencyTest
    void recovers(FaultKit kit) {
        chargesOnce(BrokenContainers.RECOVERS, kit);
    }

    @IdempotencyTest
    void acknowledgesEarly(FaultKit kit) {
        chargesOnce(BrokenContainers.ACKNOWLEDGES_EARLY, kit);
    }

    @IdempotencyTest(patienceSeconds = 1)
    void stuck(FaultKit kit) {
        charges(BrokenContainers.STUCK, kit);
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
        kit.effects("select 'many'");
    }

    @IdempotencyTest
    void notSerializable(FaultKit kit) {
        kit.send(RightListeners.JDBC, new Object());
        kit.effects("select count(*) from charge");
    }

    @Transactional
    @IdempotencyTest
    void inATransaction(FaultKit kit) {
        charges(RightListeners.JDBC, kit);
    }
}
