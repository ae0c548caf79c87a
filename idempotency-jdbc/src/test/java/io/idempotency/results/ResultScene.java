package io.idempotency.results;

import com.zaxxer.hikari.HikariDataSource;
import io.idempotency.ConsistencyLevel;
import io.idempotency.FailurePolicy;
import io.idempotency.IdempotentConsumer;
import io.idempotency.jdbc.JdbcResults;
import io.idempotency.jdbc.JdbcTransactions;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TableStore;
import io.idempotency.jdbc.TestDatabase;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.store.StoredResult;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.springframework.jdbc.core.JdbcTemplate;

/** A store and results with tables of their own, and a table of effects without a constraint. */
final class ResultScene implements AutoCloseable {

    static final Duration LEASE = Duration.ofMinutes(1);

    /** A request: its id and its content. */
    record Request(String id, String content) {}

    /** Text as its bytes. */
    static final ResultCodec TEXT = new ResultCodec() {
        @Override
        public byte[] toBytes(Object value) {
            return value.toString().getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public <T> T fromBytes(byte[] content, Class<T> type) {
            return type.cast(new String(content, StandardCharsets.UTF_8));
        }
    };

    final HikariDataSource dataSource;
    final String prefix;
    final TableStore store;
    final JdbcResults results;
    final JdbcTransactions transactions;
    final JdbcTemplate effects;

    ResultScene(TestDatabase database) {
        this.dataSource = database.pool(12);
        this.prefix = "r" + UUID.randomUUID().toString().substring(0, 8) + "_";
        Schema.on(dataSource).tablePrefix(prefix).create();
        this.store = TableStore.builder(dataSource)
                .tablePrefix(prefix)
                .claimTimeout(Duration.ofSeconds(1))
                .build();
        this.results = JdbcResults.on(dataSource).tablePrefix(prefix);
        this.transactions = (JdbcTransactions) store.transactions();
        this.effects = new JdbcTemplate(transactions.dataSource());
        effects.execute("create table " + prefix + "effect (request varchar(100) not null)");
    }

    IdempotentConsumer<Request> consumer(ConsistencyLevel level) {
        return IdempotentConsumer.<Request>named("api")
                .level(level)
                .store(store)
                .lease(LEASE)
                .messageId(request -> Optional.of(request.id()))
                .failures(FailurePolicy.leaveToCaller())
                .build();
    }

    AnsweringConsumer<Request, String> answering(ConsistencyLevel level) {
        return AnsweringConsumer.of(consumer(level), results, TEXT, String.class)
                .fingerprint(request -> request.content().getBytes(StandardCharsets.UTF_8));
    }

    /** Handles a request: one effect, and an answer that no other call returns. */
    String handle(Request request, Claim claim) {
        effects.update("insert into " + prefix + "effect (request) values (?)", request.id());
        return request.content() + " done " + UUID.randomUUID();
    }

    long count(String id) {
        Long count =
                effects.queryForObject("select count(*) from " + prefix + "effect where request = ?", Long.class, id);
        return count == null ? 0 : count;
    }

    static MessageId id(String value) {
        return new MessageId("api", value);
    }

    Claim lease(String id, Duration length) {
        return store.lease(List.of(new Delivery(id(id), Position.UNKNOWN)), length)
                .get(0);
    }

    static StoredResult result(String name, String content) {
        return new StoredResult(name, String.class.getName(), new byte[0], content.getBytes(StandardCharsets.UTF_8));
    }

    List<String> stored(String id) {
        return results.find(id(id)).stream()
                .map(each -> each.name() + "=" + new String(each.content(), StandardCharsets.UTF_8))
                .toList();
    }

    void passTime(Duration time) {
        TestDatabase.passTime(dataSource, prefix, time);
    }

    @Override
    public void close() {
        dataSource.close();
    }
}
