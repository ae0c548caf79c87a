package io.idempotency.simulation;

/** The death of a simulated process: nothing of it runs any more, as after {@code kill -9}. */
final class Died extends VirtualMachineError {

    private static final long serialVersionUID = 1L;

    Died() {
        super("The process died");
    }

    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized") // it has no state
    public Throwable fillInStackTrace() {
        return this;
    }
}
