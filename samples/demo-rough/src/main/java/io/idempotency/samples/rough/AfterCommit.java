package io.idempotency.samples.rough;

import io.idempotency.IdempotentConsumer;
import io.idempotency.Outcome;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.IdempotencyException;
import java.util.Optional;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.event.TransactionalEventListener;
import org.springframework.transaction.support.TransactionTemplate;

/** Consumes after the commit of a listener. In the ended transaction that is refused; in a new one it works. */
@Component
class AfterCommit {

    /** The consumer without a transaction. */
    static final String REFUSED = "after-commit";

    /** The consumer with a transaction of its own. */
    static final String ASIDE = "after-commit-aside";

    private final IdempotentConsumer<Accepted> refused;
    private final IdempotentConsumer<Accepted> consumer;
    private final TransactionTemplate requiresNew;
    private final JdbcTemplate jdbc;
    private final Aside aside;

    AfterCommit(ClaimStore store, PlatformTransactionManager manager, JdbcTemplate jdbc, Aside aside) {
        this.refused = consumer(REFUSED, store);
        this.consumer = consumer(ASIDE, store);
        this.requiresNew = new TransactionTemplate(manager);
        requiresNew.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
        this.jdbc = jdbc;
        this.aside = aside;
    }

    private static IdempotentConsumer<Accepted> consumer(String name, ClaimStore store) {
        return IdempotentConsumer.<Accepted>named(name)
                .store(store)
                .messageId(event -> Optional.of("order-" + event.number()))
                .build();
    }

    @TransactionalEventListener
    void on(Accepted event) {
        if (event.isAside()) {
            requiresNew.executeWithoutResult(
                    status -> consumer.consume(event, (message, claim) -> write(ASIDE, message)));
            return;
        }
        try {
            Outcome outcome = refused.consume(event, (message, claim) -> write(REFUSED, message));
            aside.problem("Order " + event.number() + " was consumed after the commit: " + outcome);
        } catch (IdempotencyException e) {
            if (!String.valueOf(e.getMessage()).contains("REQUIRES_NEW")) {
                aside.problem(
                        "Order " + event.number() + " was refused after the commit, but the error names no way out: "
                                + e.getClass().getSimpleName());
            }
        }
    }

    private void write(String name, Accepted event) {
        jdbc.update(
                "insert into effect (listener, message, tx, segment, is_auto, part) values (?, ?, '', 0, 0, 0)",
                name,
                event.number());
    }
}
