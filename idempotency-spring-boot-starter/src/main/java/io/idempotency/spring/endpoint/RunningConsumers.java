package io.idempotency.spring.endpoint;

import io.idempotency.TransactionPer;
import java.util.Optional;

/** Knows how the listeners of this application are set up, as far as their consumers do not tell. */
@FunctionalInterface
public interface RunningConsumers {

    /** Returns how many records of a listener share a transaction; empty if the consumer has no listener here. */
    Optional<TransactionPer> transactionPer(String consumer);
}
