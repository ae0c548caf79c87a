package io.idempotency.faultkit;

import io.idempotency.ConsistencyLevel;
import io.idempotency.spring.Idempotent;
import jakarta.persistence.EntityManager;
import java.util.List;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.transaction.annotation.Transactional;

/** Listeners whose effects happen once. */
class RightListeners {

    static final String JDBC = "jdbc";
    static final String JPA = "jpa";
    static final String BATCH = "batch";
    static final String UPSERT = "upsert";
    static final String LEASED = "leased";

    private final Shop.Charges charges;
    private final EntityManager entities;

    RightListeners(Shop.Charges charges, EntityManager entities) {
        this.charges = charges;
        this.entities = entities;
    }

    @KafkaListener(topics = JDBC, groupId = JDBC, concurrency = "2")
    @Idempotent(JDBC)
    void jdbc(String order) {
        charges.charge(JDBC, order);
    }

    @KafkaListener(topics = JPA, groupId = JPA)
    @Idempotent(JPA)
    void jpa(String order) {
        entities.persist(new Shop.Charge(JPA, order));
    }

    @KafkaListener(topics = BATCH, groupId = BATCH, batch = "true")
    @Idempotent(BATCH)
    void batch(List<String> orders) {
        orders.forEach(order -> charges.charge(BATCH, order));
    }

    /** Needs no library. */
    @KafkaListener(topics = UPSERT, groupId = UPSERT)
    void upsert(String order) {
        charges.chargeOnce(order);
    }

    /** The effect may repeat, and does no harm. */
    @KafkaListener(topics = LEASED, groupId = LEASED)
    @Idempotent(value = LEASED, level = ConsistencyLevel.AT_LEAST_ONCE)
    @Transactional
    public void leased(String order) {
        charges.chargeOnce(order);
    }
}
