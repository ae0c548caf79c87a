package io.idempotency;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.Processed;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.TransactionRunner;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** Skeleton of the flow's public face. */
@SuppressWarnings("DoNotCallSuggester")
public final class IdempotentConsumer<M> implements AutoCloseable {

    /** How long a partition that stands still waits before its message is tried again. */
    public static final Duration STAND_STILL = Duration.ofSeconds(30);

    private final String name;

    private IdempotentConsumer(String name) {
        this.name = MessageId.requireConsumer(name);
    }

    public static <M> Builder<M> named(String consumer) {
        return new Builder<>(consumer);
    }

    public String name() {
        return name;
    }

    public ConsistencyLevel level() {
        return ConsistencyLevel.STRONG;
    }

    /** Returns whether a transaction on the store's data is active on the calling thread. */
    public boolean isTransactionActive() {
        throw new UnsupportedOperationException();
    }

    public Outcome consume(M message, MessageHandler<? super M> handler) {
        throw new UnsupportedOperationException();
    }

    public BatchResult consumeAll(List<M> messages, MessageHandler<? super M> handler) {
        throw new UnsupportedOperationException();
    }

    public BatchResult consumeBatch(List<M> messages, BatchHandler<? super M> handler) {
        throw new UnsupportedOperationException();
    }

    /** Charges a message that cannot become an M, such as a value that cannot be deserialized. */
    public BatchResult reject(Position position, Optional<String> messageId, Payload payload, Throwable cause) {
        throw new UnsupportedOperationException();
    }

    public Optional<Processed> find(String messageId) {
        throw new UnsupportedOperationException();
    }

    public boolean forget(String messageId) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}

    /** Builds a consumer. */
    public static final class Builder<M> {

        private final String name;

        private Builder(String name) {
            this.name = name;
        }

        public Builder<M> store(ClaimStore store) {
            return this;
        }

        public Builder<M> transactions(TransactionRunner transactions) {
            return this;
        }

        public Builder<M> messageId(MessageIdExtractor<? super M> extractor) {
            return this;
        }

        public Builder<M> reader(MessageReader<? super M> reader) {
            return this;
        }

        public Builder<M> level(ConsistencyLevel level) {
            return this;
        }

        public Builder<M> transactionPer(TransactionPer scope) {
            return this;
        }

        public Builder<M> failures(FailurePolicy policy) {
            return this;
        }

        public Builder<M> quarantine(QuarantineStore quarantine) {
            return this;
        }

        public Builder<M> keepPayloads(boolean keep) {
            return this;
        }

        public Builder<M> standStillAfter(int sameFailuresInARow) {
            return this;
        }

        public Builder<M> cache(DuplicateCache cache) {
            return this;
        }

        public Builder<M> listener(ConsumptionListener listener) {
            return this;
        }

        public Builder<M> chunk(int records, Duration time) {
            return this;
        }

        public Builder<M> lease(Duration length) {
            return this;
        }

        public IdempotentConsumer<M> build() {
            return new IdempotentConsumer<>(name);
        }
    }
}
