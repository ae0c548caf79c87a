package io.idempotency.samples.orders;

import io.idempotency.samples.outbox.Outbox;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Repository;
import org.springframework.transaction.annotation.Transactional;

/** Stores the placed orders. */
@Repository
class Orders {

    private final JdbcClient jdbc;
    private final Outbox outbox;

    Orders(JdbcClient jdbc, Outbox outbox) {
        this.jdbc = jdbc;
        this.outbox = outbox;
    }

    /** Stores an order and its message in one transaction. Returns whether the order is new. */
    @Transactional
    public boolean place(Order order) {
        boolean isNew = jdbc.sql("insert into orders (id, customer, cents) values (?, ?, ?) on conflict do nothing")
                        .params(order.id(), order.customer(), order.cents())
                        .update()
                == 1;
        if (isNew) {
            outbox.add("orders", order.customer(), order);
        }
        return isNew;
    }

    Optional<Order> find(UUID id) {
        return jdbc.sql("select id, customer, cents from orders where id = ?")
                .param(id)
                .query(Order.class)
                .optional();
    }
}
