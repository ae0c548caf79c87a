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

/** What a listener threw, on its way back to the container that asked for it. */
final class Failure {

    private static final int MOST_CAUSES = 1_000;

    private Failure() {}

    /** Returns the exception as it is: the container expects what the listener adapter throws, checked or not. */
    @SuppressWarnings("unchecked")
    static <E extends Throwable> RuntimeException of(Throwable thrown) throws E {
        throw (E) thrown;
    }

    /**
     * Returns the failure as a container and its error handlers can deal with it: as it is, unless its causes go round in a circle or its methods
     * throw. An error is wrapped, for it would end the thread of the container, and with it all other partitions.
     */
    static Throwable presentable(Throwable thrown) {
        if (!isSound(thrown)) {
            return new ListenerExecutionFailedException(
                    "The listener failed, and its failure cannot be looked into",
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

    /** Returns what the listener itself threw, without what the container, the adapter and retry topics put around it. */
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
