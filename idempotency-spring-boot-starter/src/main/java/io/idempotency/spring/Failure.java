package io.idempotency.spring;

import io.idempotency.FailureText;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.springframework.kafka.listener.ListenerExecutionFailedException;
import org.springframework.kafka.listener.TimestampedException;

/** Prepares the exceptions of listeners for their container and its error handlers. */
final class Failure {

    private static final int MOST_CAUSES = 1_000;

    private Failure() {}

    /** Throws the exception as it is, checked or not: the container expects the exceptions of the listener adapter. */
    @SuppressWarnings("unchecked")
    static <E extends Throwable> RuntimeException of(Throwable thrown) throws E {
        throw (E) thrown;
    }

    /**
     * Returns the failure in a form that error handlers can handle. It is wrapped if its causes form a cycle or its methods throw, and if it is an
     * Error: that would end the thread of the container, and with it all other partitions.
     */
    static Throwable presentable(Throwable thrown) {
        if (!isSound(thrown)) {
            return new ListenerExecutionFailedException(
                    "The listener failed with an exception that cannot be inspected",
                    new IllegalStateException(FailureText.line(thrown)));
        }
        return thrown instanceof Error
                ? new ListenerExecutionFailedException("The listener failed with an error", thrown)
                : thrown;
    }

    private static boolean isSound(Throwable thrown) {
        try {
            List<Throwable> causes = causes(thrown);
            for (Throwable cause : causes) {
                Objects.requireNonNull(cause.toString());
                Objects.requireNonNullElse(cause.getMessage(), "");
            }
            return causes.get(causes.size() - 1).getCause() == null;
        } catch (RuntimeException | StackOverflowError e) {
            return false;
        }
    }

    /** Returns the exception that the listener itself threw, without the wrappers of container, adapter and retry topics. */
    static Throwable thrown(Throwable failure) {
        for (Throwable cause : causes(failure)) {
            if (!(cause instanceof ListenerExecutionFailedException
                    || cause instanceof TimestampedException
                    || cause instanceof LeftRecordsException)) {
                return cause;
            }
        }
        return failure;
    }

    /** Returns the chain of causes from the outside in, each once, as far as it can be followed. */
    static List<Throwable> causes(Throwable thrown) {
        Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        List<Throwable> causes = new ArrayList<>();
        Throwable next = thrown;
        while (next != null && causes.size() < MOST_CAUSES && seen.add(next)) {
            causes.add(next);
            try {
                next = next.getCause();
            } catch (RuntimeException | StackOverflowError e) {
                next = null;
            }
        }
        return causes;
    }
}
