package io.idempotency.outbox;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Keeps outputs until they are sent. Its outputs are in 16 parts; those with equal keys are in the same part. Thread-safe.
 */
public interface OutboxStore {

    /** The number of parts. It never changes, because outputs would change their part. */
    int PARTS = 16;

    /**
     * Stores outputs in the active transaction, or, without one, in a transaction of its own. One round trip. If the transaction rolls back, they were
     * never there.
     *
     * @param afterCommit runs after the commit; also if nobody knows its outcome
     * @throws io.idempotency.store.IdempotencyException if the active transaction is one on other data, or has ended
     */
    void add(List<Output> outputs, Runnable afterCommit);

    /**
     * Returns whether the active transaction has claims. Only such a transaction commits if and only if its messages are processed, so only its outputs can have
     * ids that are derived from a message by number.
     */
    boolean isWithClaims();

    /**
     * Sends waiting outputs, in a transaction of its own:
     *
     * <ol>
     *   <li>lock some parts that have outputs and that no other relay has locked, in turn
     *   <li>read the first outputs of each, in the order in which they were added, and begin to send them while those of the next part are read
     *   <li>wait until all are sent
     *   <li>delete those that were acknowledged, set those aside that were refused, and commit
     * </ol>
     *
     * <p>After a crash before the commit the outputs are still there, and are sent again. Two transactions that overlap may add their outputs in one
     * order and commit them in the other. So an output may be sent after one with a greater number.
     *
     * @param most how many outputs at most
     * @return how many outputs were read; 0 if none waits in a part that is free
     */
    int relay(int most, Sending sending);

    /** Sends the outputs of a transaction. */
    interface Sending {

        /** Begins to send outputs, in their order, and behind those that were added before. Does not wait for them, unless they are sent one by one. */
        void add(List<StoredOutput> outputs);

        /** Waits for all. Called once, if there were any. */
        Sent await();

        /** Returns one that collects all outputs and sends them together, when it is waited for. */
        static Sending together(Function<List<StoredOutput>, Sent> sender) {
            List<StoredOutput> all = new ArrayList<>();
            return new Sending() {
                @Override
                public void add(List<StoredOutput> outputs) {
                    all.addAll(outputs);
                }

                @Override
                public Sent await() {
                    return sender.apply(all);
                }
            };
        }
    }

    /**
     * Tells the relays of all processes soon that outputs wait, if the database can notify. Returns at once, and may be called after every commit. An
     * announcement that is lost costs nothing but time: relays also look by themselves.
     */
    void announce();

    /**
     * Runs the action on a thread of its own when somebody has {@linkplain #announce announced} outputs, until the returned object is closed. Returns at
     * once. If the database cannot notify, the action never runs.
     */
    Listening listen(Runnable action);

    /** Listens until it is closed. Thread-safe. */
    interface Listening extends AutoCloseable {

        @Override
        void close();
    }

    /** Counts the outputs. It reads all of them. */
    OutboxTotal total();

    /** Returns the outputs that Kafka refused for good. */
    RefusedOutputs refused();
}
