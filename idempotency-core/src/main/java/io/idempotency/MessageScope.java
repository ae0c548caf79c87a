package io.idempotency;

/**
 * What surrounds the work on a message, such as its tenant: entered before its transaction begins or its lease is taken, left after that has
 * ended. What chooses a connection or a session has to be there by then; a handler is called too late for it. Messages of different scopes share
 * neither a transaction nor a call of a batch handler.
 *
 * <p>Not entered by consumptions that join a transaction of the caller's, nor around the renewal of leases. Thread-safe.
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

    /** Returns the scope of a message; equal ones may share a transaction. What it throws is a failure of the message. */
    Object of(M message);

    /** Enters a scope on the calling thread. What it throws is a failure of the message. */
    Entered enter(Object scope);

    /** A scope that was entered. */
    @FunctionalInterface
    interface Entered extends AutoCloseable {

        /** Leaves it, on the same thread. */
        @Override
        void close();
    }
}
