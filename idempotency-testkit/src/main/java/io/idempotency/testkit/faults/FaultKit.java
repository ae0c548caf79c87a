package io.idempotency.testkit.faults;

import io.idempotency.BatchResult;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageHandler;
import io.idempotency.store.ClaimStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The parameter of an {@link IdempotencyTest}: says what is sent or delivered, and how effects are counted. Nothing happens before the method has returned.
 * Confined to the thread of the test.
 */
public final class FaultKit {

    private final Optional<Application> application;
    private final Duration patience;
    private final Probe probe;
    private final String id = UUID.randomUUID().toString();
    private final List<Application.Sent> sent = new ArrayList<>();
    private Optional<String> listener = Optional.empty();
    private Optional<DataSource> dataSource = Optional.empty();
    private @Nullable Subject code;
    private @Nullable EffectCount effects;

    FaultKit(Optional<Application> application, Duration patience) {
        this.application = application;
        this.patience = patience;
        this.probe = application.map(Application::probe).orElseGet(Probe::new);
    }

    /** Code that gets a message. */
    @FunctionalInterface
    public interface MessageCode<M> {

        /**
         * Gets a message.
         *
         * @throws Exception if the message is to be delivered again
         */
        void deliver(M message) throws Exception;
    }

    /** Returns a text that is new in each run of the method: for ids and keys in messages whose effects are found by them. It is a random UUID. */
    public String id() {
        return id;
    }

    /** Sends a message without a key to a listener of the application, by its {@code KafkaTemplate}. Its header {@code message-id} is new in each run. */
    public void send(String topic, Object value) {
        send(topic, null, value, Map.of());
    }

    /** Sends a message as {@link #send(String, Object)} does, with a key. */
    public void send(String topic, Object key, Object value) {
        send(topic, key, value, Map.of());
    }

    /**
     * Sends a message with headers as texts. Messages that are sent together should have one key, so that the listener gets them in one poll; the faults
     * happen to the last one of record listeners, and to the call of batch listeners.
     */
    public void send(String topic, @Nullable Object key, @Nullable Object value, Map<String, String> headers) {
        sent.add(new Application.Sent(topic, key, value, headers));
    }

    /** Names the listener by the id of its container, if several listeners get the messages. */
    public void listener(String containerId) {
        listener = Optional.of(containerId);
    }

    /**
     * Delivers a message to an idempotent consumer with a handler. For commits that break, the consumer's store is made by {@link #dataSource} or {@link #store}.
     *
     * @param message makes the message, equal each time. A {@code ConsumerRecord} comes again at the next offset, too
     */
    public <M> void deliver(
            Supplier<? extends M> message, IdempotentConsumer<M> consumer, MessageHandler<? super M> handler) {
        deliver(new CodeSubject<M>(message, next -> settles(consumer, next, handler), true, probe, patience));
    }

    private <M> boolean settles(IdempotentConsumer<M> consumer, M message, MessageHandler<? super M> handler) {
        probe.history().consumedAt(consumer.level());
        BatchResult result = consumer.consumeAll(List.of(message), (next, claim) -> {
            probe.history().identified(claim.delivery().id().value());
            probe.handlerBegins();
            Throwable thrown = null;
            try {
                handler.handle(next, claim);
            } catch (Throwable e) {
                thrown = e;
                throw e;
            } finally {
                probe.handlerEnds(thrown);
            }
        });
        probe.history().happened(result.outcomes().get(0).toString());
        return result.isSettled();
    }

    /**
     * Delivers a message to any code, such as a service with a transaction of its own. If it throws, the message is delivered again.
     *
     * @param message makes the message, equal each time
     */
    public <M> void deliver(Supplier<? extends M> message, MessageCode<? super M> receiver) {
        deliver(new CodeSubject<M>(
                message,
                next -> {
                    receiver.deliver(next);
                    return true;
                },
                false,
                probe,
                patience));
    }

    private void deliver(Subject subject) {
        if (code != null) {
            throw new MisuseException("deliver(..) was called twice. Write one test for each message");
        }
        code = subject;
    }

    /** Returns the data source with connections that break. Give it to everything: stores, transaction managers, the code under test. */
    public DataSource dataSource(DataSource real) {
        dataSource = Optional.of(real);
        return FaultyConnection.dataSource(real, probe);
    }

    /** Returns the store with transactions that break. For stores whose data source is not from {@link #dataSource(DataSource)}, such as a memory store. */
    public ClaimStore store(ClaimStore real) {
        return FaultyStore.of(real, probe);
    }

    /**
     * Counts effects by a query with one number, or with rows of a key and a number: on the application's data source, or the one that was given to {@link
     * #dataSource(DataSource)}. What counts is by how much a message changes the numbers.
     */
    public void effects(String query) {
        effects(EffectCount.of(query, this::queried));
    }

    /** Counts effects by a query as {@link #effects(String)} does, on this data source. */
    public void effects(DataSource on, String query) {
        effects(EffectCount.of(query, () -> on));
    }

    /** Counts effects by a function. */
    public void effects(LongSupplier count) {
        effects(EffectCount.of(count));
    }

    private void effects(EffectCount count) {
        if (effects != null) {
            throw new MisuseException("effects(..) was called twice. One query can count several tables");
        }
        effects = count;
    }

    private DataSource queried() {
        return dataSource
                .or(() -> application.map(Application::dataSource))
                .orElseThrow(
                        () -> new MisuseException(
                                "A query of effects needs a data source. Use effects(dataSource, query), or give yours to dataSource(..) first"));
    }

    /** Returns the run of the scenario with what the method has said. */
    ScenarioRun run(Scenario scenario) {
        if (effects == null) {
            throw new MisuseException("The test counts no effects. Call effects(..) with a query or a function");
        }
        return new ScenarioRun(scenario, probe, subject(), effects);
    }

    private Subject subject() {
        if (sent.isEmpty() == (code == null)) {
            throw new MisuseException(
                    sent.isEmpty()
                            ? "The test sends no message. Call send(..) for a listener, or deliver(..) for other code"
                            : "The test calls send(..) and deliver(..). Write two tests");
        }
        application.ifPresent(Application::requireNoTransaction);
        if (code != null) {
            return code;
        }
        return application
                .orElseThrow(
                        () -> new MisuseException(
                                "send(..) needs an application: annotate the class by @SpringBootTest and @EmbeddedKafka, or call deliver(..)"))
                .listener(sent, listener, patience);
    }
}
