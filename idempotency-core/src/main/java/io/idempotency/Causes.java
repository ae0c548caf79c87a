package io.idempotency;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.jspecify.annotations.Nullable;

/** What a failure tells of itself, whatever its own methods throw. */
final class Causes {

    private static final int MOST = 10_000;

    private Causes() {}

    /** Returns the chain of causes, from the outside in, each once, the first {@value #MOST} of them. */
    static List<Throwable> of(Throwable failure) {
        Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        List<Throwable> chain = new ArrayList<>();
        for (Throwable cause = failure; cause != null && chain.size() < MOST && seen.add(cause); ) {
            chain.add(cause);
            cause = causeOf(cause);
        }
        return chain;
    }

    private static @Nullable Throwable causeOf(Throwable failure) {
        try {
            return failure.getCause();
        } catch (Throwable broken) {
            return null;
        }
    }

    /** Returns where it comes from, the innermost call first; nothing if it does not say. */
    static StackTraceElement[] stackTrace(Throwable failure) {
        try {
            StackTraceElement[] trace = failure.getStackTrace().clone();
            return Arrays.asList(trace).contains(null) ? new StackTraceElement[0] : trace;
        } catch (Throwable broken) {
            return new StackTraceElement[0];
        }
    }

    /** Throws an error of the virtual machine on. A stack overflow is none: it is the message's own. */
    static void letFatalLeave(Throwable failure) {
        if (failure instanceof VirtualMachineError error && !(failure instanceof StackOverflowError)) {
            throw error;
        }
    }

    /** Returns whether a thread was told to end, this one or another one whose failure was handed over. */
    static boolean isInterruption(Throwable failure) {
        return of(failure).stream().anyMatch(InterruptedException.class::isInstance);
    }

    /** Returns whether the calling thread was told to end. */
    static boolean isOwnInterruption(Throwable failure) {
        for (Throwable cause : of(failure)) {
            if (cause instanceof ExecutionException || cause instanceof CompletionException) {
                return false;
            }
            if (cause instanceof InterruptedException) {
                return isOfThisThread(cause);
            }
        }
        return false;
    }

    /** A thread is known by the first call in it that is not the JDK's own. */
    private static boolean isOfThisThread(Throwable thrown) {
        StackTraceElement[] trace = stackTrace(thrown);
        return trace.length == 0
                || beginning(trace).equals(beginning(Thread.currentThread().getStackTrace()));
    }

    private static String beginning(StackTraceElement[] trace) {
        return Arrays.stream(trace)
                .filter(call -> !call.getClassName().startsWith("java.")
                        && !call.getClassName().startsWith("jdk."))
                .reduce((inner, outer) -> outer)
                .map(call -> call.getClassName() + "." + call.getMethodName())
                .orElse("");
    }

    /** Two failures are the same when the innermost exceptions have one type and come from one place. */
    static String signature(Throwable failure) {
        List<Throwable> chain = of(failure);
        Throwable innermost = chain.get(chain.size() - 1);
        StackTraceElement[] trace = stackTrace(innermost);
        return innermost.getClass().getName() + (trace.length == 0 ? "" : " " + trace[0]);
    }
}
