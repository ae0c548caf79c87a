package io.idempotency.results;

import io.idempotency.ConsistencyLevel;
import io.idempotency.IdempotentConsumer;
import io.idempotency.Outcome;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimTimeoutException;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.ResultStore;
import io.idempotency.store.Sha256;
import io.idempotency.store.StoredResult;
import java.security.MessageDigest;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Answers requests: what the handler returned is stored with the claim of its message, and is returned again for a duplicate. It is for callers that wait for an
 * answer and ask again when none comes, such as those of an HTTP API with {@code Idempotency-Key}.
 *
 * <pre>{@code
 * AnsweringConsumer<Payment, Receipt> payments = AnsweringConsumer.of(consumer, JdbcResults.on(dataSource), json, Receipt.class)
 *     .fingerprint(payment -> payment.body());
 *
 * Answer<Receipt> answer = payments.answer(payment, (message, claim) -> pay(message));
 * }</pre>
 *
 * <p>Under {@link ConsistencyLevel#STRONG} effect, claim and answer are one transaction. Two callers at once get one answer: the second waits for the first, at
 * most the claim timeout. Under {@link ConsistencyLevel#AT_LEAST_ONCE} the answer is stored after the handler. A crash in between calls the handler again. From
 * then on all callers get the same answer.
 *
 * <p>Build the consumer with {@link io.idempotency.FailurePolicy#leaveToCaller}, so that the caller gets the exception of the handler, and may repeat a request
 * that failed. Thread-safe; callers may come from any number of threads.
 */
public final class AnsweringConsumer<M, A> {

    /** No step has this name. */
    static final String NAME = "$answer";

    private static final byte[] NO_FINGERPRINT = {};

    /** Handles a request and returns its answer. An exception is a failure of the message, and nothing is stored. */
    @FunctionalInterface
    public interface Handler<M, A> {

        /** Returns the answer, which is not null. May run more than once for a message, as every handler. Callers get it as the codec reads it. */
        A answer(M message, Claim claim) throws Exception;
    }

    private final IdempotentConsumer<M> consumer;
    private final ResultStore results;
    private final ResultCodec codec;
    private final Class<A> type;
    private final @Nullable Function<? super M, byte[]> fingerprint;

    private AnsweringConsumer(
            IdempotentConsumer<M> consumer,
            ResultStore results,
            ResultCodec codec,
            Class<A> type,
            @Nullable Function<? super M, byte[]> fingerprint) {
        this.consumer = consumer;
        this.results = results;
        this.codec = codec;
        this.type = type;
        this.fingerprint = fingerprint;
    }

    /**
     * Returns what answers the messages of a consumer.
     *
     * @param results on the data of the consumer's store
     * @param type of the answers
     * @throws IdempotencyException if the consumer is one in shadow mode, or has another level than {@code STRONG} and {@code AT_LEAST_ONCE}
     */
    public static <M, A> AnsweringConsumer<M, A> of(
            IdempotentConsumer<M> consumer, ResultStore results, ResultCodec codec, Class<A> type) {
        ConsistencyLevel level = consumer.level();
        if (consumer.isShadow() || (level != ConsistencyLevel.STRONG && level != ConsistencyLevel.AT_LEAST_ONCE)) {
            throw new IdempotencyException("Consumer " + consumer.name() + " cannot give answers"
                    + (consumer.isShadow() ? " in shadow mode" : " under " + level)
                    + ": use STRONG, or AT_LEAST_ONCE for a handler without a transaction");
        }
        return new AnsweringConsumer<>(consumer, results, codec, type, null);
    }

    /**
     * Returns what also compares requests with equal ids. Of the content only a SHA-256 is stored. Without this, a request that has the id of another one gets
     * the answer of that.
     *
     * @param content returns the bytes of what makes a request this one, such as the body
     */
    public AnsweringConsumer<M, A> fingerprint(Function<? super M, byte[]> content) {
        return new AnsweringConsumer<>(consumer, results, codec, type, content);
    }

    /**
     * Handles a request, or returns the answer that it got before. A duplicate takes one round trip more than without answers. In a transaction of the caller the
     * answer holds only if that commits.
     *
     * @throws OtherRequestException if the request is another one than that with this id; it was not handled
     * @throws RequestInProgressException if another caller's handler works on it
     * @throws NoAnswerException if it is settled without an answer
     * @throws IdempotencyException if the store failed, or the stored answer cannot be read. Exceptions of the handler leave unwrapped
     */
    public Answer<A> answer(M message, Handler<? super M, ? extends A> handler) {
        byte[] print = fingerprint == null ? NO_FINGERPRINT : Sha256.of(fingerprint.apply(message));
        Given<A> given = new Given<>();
        Outcome outcome;
        try {
            outcome = consumer.consume(message, (same, claim) -> handle(same, claim, print, handler, given));
        } catch (ClaimTimeoutException e) {
            if (given.isEntered) {
                // What the handler itself waited for.
                throw e;
            }
            RequestInProgressException inProgress = new RequestInProgressException(id(message));
            inProgress.initCause(e);
            throw inProgress;
        }
        return switch (outcome) {
            case PROCESSED ->
                given.stored == null
                        ? new Answer<>(Objects.requireNonNull(given.value), false)
                        : replayed(id(message), given.stored, print);
            case DUPLICATE ->
                replayed(
                        id(message),
                        consumer.lookUp(message, () -> stored(id(message)))
                                .orElseThrow(() -> new NoAnswerException(id(message), outcome)),
                        print);
            case QUARANTINED, EXPIRED -> throw new NoAnswerException(id(message), outcome);
            default -> throw new RequestInProgressException(id(message));
        };
    }

    /** What the handler of one call returned, or that of an earlier attempt. */
    private static final class Given<A> {
        private boolean isEntered;
        private @Nullable A value;
        private @Nullable StoredResult stored;
    }

    private void handle(M message, Claim claim, byte[] print, Handler<? super M, ? extends A> handler, Given<A> given)
            throws Exception {
        given.isEntered = true;
        if (claim.attempt() > 1) {
            // The former owner of the lease may have stored it and died. At the first attempt, an answer is that of a
            // message that was forgotten.
            given.stored = stored(claim.delivery().id()).orElse(null);
        }
        if (given.stored == null) {
            A value = handler.answer(message, claim);
            if (value == null) {
                throw new IdempotencyException("The handler of " + claim.delivery()
                        + " returned null, which is no answer. Return a value that says that there is nothing");
            }
            StoredResult result = new StoredResult(
                    NAME,
                    type.getName(),
                    print,
                    Codecs.write(codec, claim.delivery().id(), NAME, value));
            // All callers get what a duplicate will get. If that cannot be read, nothing happens.
            given.value = Codecs.read(codec, claim.delivery().id(), result, type);
            results.put(claim, result);
        }
    }

    private MessageId id(M message) {
        return consumer.idOf(message);
    }

    private Optional<StoredResult> stored(MessageId id) {
        List<StoredResult> all = results.find(id);
        return all.stream().filter(each -> each.name().equals(NAME)).findFirst();
    }

    private Answer<A> replayed(MessageId id, StoredResult stored, byte[] print) {
        boolean isKept = stored.fingerprint().length > 0 && print.length > 0;
        if (isKept && !MessageDigest.isEqual(stored.fingerprint(), print)) {
            throw new OtherRequestException(id);
        }
        return new Answer<>(Codecs.read(codec, id, stored, type), true);
    }
}
