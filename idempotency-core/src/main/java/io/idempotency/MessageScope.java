package io.idempotency;

/**
 * Surrounds the work on a message, for example with its tenant. The scope is entered before the transaction begins or the lease is taken, and
 * left after it has ended. So it can choose the connection or session, for which a handler comes too late. Messages of different scopes share
 * neither a transaction nor a call of a batch handler.
 *
 * <p>Consumptions that join the caller's transaction do not enter it, nor does the renewal of leases. Thread-safe.
 *
 * <pre>{@code
 * consumer.scope(new MessageScope<Order>() {
 *     public Object of(Order order) {
 *         return order.tenant();
 *     }
 *     public Entered enter(Object tenant) {
 *         Tenants.set(tenant);
 *         return Tenants::clear;
 *     }
 * })
 * }</pre>
 */
public interface MessageScope<M> {

    /** Returns the scope of a message; equal ones may share a transaction. An exception is a failure of the message. */
    Object of(M message);

    /** Enters a scope on the calling thread. An exception is a failure of the message. */
    Entered enter(Object scope);

    /** A scope that was entered. */
    @FunctionalInterface
    interface Entered extends AutoCloseable {

        /** Leaves it, on the same thread. */
        @Override
        void close();
    }
}
