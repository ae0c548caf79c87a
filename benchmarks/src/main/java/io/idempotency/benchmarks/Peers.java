package io.idempotency.benchmarks;

import io.eventuate.common.jdbc.EventuateSchema;
import io.eventuate.common.spring.jdbc.EventuateSpringJdbcStatementExecutor;
import io.eventuate.common.spring.jdbc.EventuateSpringTransactionTemplate;
import io.eventuate.tram.consumer.jdbc.SqlTableBasedDuplicateMessageDetector;
import io.eventuate.tram.messaging.common.Message;
import io.eventuate.tram.messaging.common.MessageImpl;
import io.eventuate.tram.messaging.common.SubscriberIdAndMessage;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import javax.sql.DataSource;
import org.apache.camel.processor.idempotent.jdbc.JdbcMessageIdRepository;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.springframework.integration.jdbc.metadata.JdbcMetadataStore;
import org.springframework.integration.selector.MetadataStoreSelector;
import org.springframework.integration.support.MessageBuilder;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.transaction.support.TransactionTemplate;

/** Other libraries: each remembers a message in the transaction of its effect, and commits it. */
final class Peers {

    private static final String CONSUMER = "benchmark";

    private final DataSource dataSource;
    private final TransactionTemplate transactions;
    private final Effects effects;

    Peers(DataSource dataSource, TransactionTemplate transactions, Effects effects) {
        this.dataSource = dataSource;
        this.transactions = transactions;
        this.effects = effects;
    }

    static final String REMEMBER = "insert into processed (message_id) values (?) on conflict do nothing";

    /** Many teams' own code: a table of ids with a text key, in a {@code @Transactional} listener. */
    Consumer<ConsumerRecord<byte[], byte[]>> handWritten() {
        JdbcTemplate jdbc = new JdbcTemplate(dataSource);
        return message -> transactions.executeWithoutResult(status -> {
            if (jdbc.update(REMEMBER, Effects.id(message)) == 1) {
                effects.one(message);
            }
        });
    }

    /** Apache Camel's repository as a transacted route uses it: it adds the id in the transaction, and confirms it. */
    Consumer<ConsumerRecord<byte[], byte[]>> camel() {
        JdbcMessageIdRepository repository = new JdbcMessageIdRepository(dataSource, transactions, CONSUMER);
        repository.start();
        return message -> transactions.executeWithoutResult(status -> {
            String id = Effects.id(message);
            if (repository.add(id)) {
                effects.one(message);
                repository.confirm(id);
            }
        });
    }

    /** The selector of Spring Integration's idempotent receiver, within a transaction as its documentation requires. */
    Consumer<ConsumerRecord<byte[], byte[]>> springIntegration() {
        JdbcMetadataStore store = new JdbcMetadataStore(dataSource);
        store.setRegion(CONSUMER);
        store.afterPropertiesSet();
        store.start();
        MetadataStoreSelector selector = new MetadataStoreSelector(
                message -> Objects.requireNonNull(message.getHeaders().get("message-id", String.class)), store);
        return message -> transactions.executeWithoutResult(status -> {
            if (selector.accept(MessageBuilder.withPayload(message.value())
                    .setHeader("message-id", Effects.id(message))
                    .build())) {
                effects.one(message);
            }
        });
    }

    /** Eventuate Tram's detector, which begins the transaction itself. */
    Consumer<ConsumerRecord<byte[], byte[]>> eventuateTram() {
        SqlTableBasedDuplicateMessageDetector detector = new SqlTableBasedDuplicateMessageDetector(
                new EventuateSchema(EventuateSchema.DEFAULT_SCHEMA),
                "(ROUND(EXTRACT(EPOCH FROM CURRENT_TIMESTAMP) * 1000))",
                new EventuateSpringJdbcStatementExecutor(new JdbcTemplate(dataSource)),
                new EventuateSpringTransactionTemplate(transactions));
        return message -> detector.doWithMessage(
                new SubscriberIdAndMessage(CONSUMER, new MessageImpl("", Map.of(Message.ID, Effects.id(message)))),
                () -> effects.one(message));
    }
}
