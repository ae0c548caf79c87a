package io.idempotency.faultkit;

import io.idempotency.spring.Idempotent;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** A listener that the library refuses. */
class RefusedListener {

    @KafkaListener(topics = "refused", groupId = "refused")
    @Idempotent("refused")
    @Transactional(propagation = Propagation.REQUIRES_NEW)
    public void refused(String order) {}
}
