package io.idempotency.faultkit;

import io.idempotency.spring.Idempotent;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.dao.DataAccessException;
import org.springframework.kafka.annotation.KafkaListener;

/** Listeners with the usual mistakes. */
class BrokenListeners {

    static final String OUTSIDE = "outside";
    static final String REQUIRES_NEW = "requires-new";
    static final String OFFSET_ID = "offset-id";
    static final String SWALLOWS = "swallows";
    static final String CACHES = "caches";
    static final String BATCH = "broken-batch";
    static final String IDLE = "idle";
    static final String GIVES_UP = "gives-up";

    private final Shop.Charges charges;
    private final Shop.OwnTransaction own;
    private final Set<String> seen = ConcurrentHashMap.newKeySet();

    BrokenListeners(Shop.Charges charges, Shop.OwnTransaction own) {
        this.charges = charges;
        this.own = own;
    }

    /** A connection of its own, in no transaction. */
    @KafkaListener(topics = OUTSIDE, groupId = OUTSIDE)
    @Idempotent(OUTSIDE)
    void outside(String order) throws SQLException {
        try (Connection connection = charges.dataSource().getConnection();
                PreparedStatement insert =
                        connection.prepareStatement("insert into charge (listener, message) values (?, ?)")) {
            insert.setString(1, OUTSIDE);
            insert.setString(2, order);
            insert.executeUpdate();
        }
    }

    @KafkaListener(topics = REQUIRES_NEW, groupId = REQUIRES_NEW)
    @Idempotent(REQUIRES_NEW)
    void requiresNew(String order) {
        own.charge(REQUIRES_NEW, order);
    }

    @KafkaListener(topics = OFFSET_ID, groupId = OFFSET_ID)
    @Idempotent(value = OFFSET_ID, messageId = "partition() + '@' + offset()")
    void offsetId(String order) {
        charges.charge(OFFSET_ID, order);
    }

    @KafkaListener(topics = SWALLOWS, groupId = SWALLOWS)
    @Idempotent(SWALLOWS)
    void swallows(String order) {
        try {
            charges.charge(SWALLOWS, order);
        } catch (DataAccessException e) {
            // Somebody will look at it.
        }
    }

    /** Remembers what it has seen, to be faster. */
    @KafkaListener(topics = CACHES, groupId = CACHES)
    @Idempotent(CACHES)
    void caches(String order) {
        if (seen.add(order)) {
            charges.charge(CACHES, order);
        }
    }

    @KafkaListener(topics = BATCH, groupId = BATCH, batch = "true")
    @Idempotent(BATCH)
    void batch(List<String> orders) {
        own.charge(BATCH, orders.get(0));
        orders.stream().skip(1).forEach(order -> charges.charge(BATCH, order));
    }

    @KafkaListener(topics = IDLE, groupId = IDLE)
    @Idempotent(IDLE)
    void idle(String order) {}

    /** Without the library, and with a check of its own that is right. A copy would do the lost work. */
    @KafkaListener(topics = GIVES_UP, groupId = GIVES_UP)
    void givesUp(String order) {
        try {
            charges.chargeOnce(order);
        } catch (DataAccessException e) {
            // Somebody will look at it.
        }
    }
}
