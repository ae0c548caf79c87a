package io.idempotency.samples.orders;

import io.idempotency.outbox.Outbox;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Repository;
import org.springframework.transaction.annotation.Transactional;
import tools.jackson.databind.json.JsonMapper;

/** Stores the placed orders. */
@Repository
class Orders {

    private final JdbcClient jdbc;
    private final Outbox<String, String> outbox;
    private final JsonMapper json;

    Orders(JdbcClient jdbc, Outbox<String, String> outbox, JsonMapper json) {
        this.jdbc = jdbc;
        this.outbox = outbox;
        this.json = json;
    }

    /** Stores an order and its message in one transaction. Returns whether the order is new. */
    @Transactional
    public boolean place(Order order) {
        boolean isNew = jdbc.sql("insert into orders (id, customer, cents) values (?, ?, ?) on conflict do nothing")
                        .params(order.id(), order.customer(), order.cents())
                        .update()
                == 1;
        if (isNew) {
            outbox.send("orders", order.customer(), json.writeValueAsString(order));
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
