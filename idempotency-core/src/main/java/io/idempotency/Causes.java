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

/** Reads causes and stack traces of failures, even if their own methods throw. */
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

    /** Returns the stack trace, the innermost call first; empty if it cannot be read. */
    static StackTraceElement[] stackTrace(Throwable failure) {
        try {
            StackTraceElement[] trace = failure.getStackTrace().clone();
            return Arrays.asList(trace).contains(null) ? new StackTraceElement[0] : trace;
        } catch (Throwable broken) {
            return new StackTraceElement[0];
        }
    }

    /** Rethrows an error of the virtual machine, except a stack overflow: that is a failure of the message. */
    static void letFatalLeave(Throwable failure) {
        if (failure instanceof VirtualMachineError error && !(failure instanceof StackOverflowError)) {
            throw error;
        }
    }

    /** Returns whether an interruption caused the failure, on this thread or on another one that handed its failure over. */
    static boolean isInterruption(Throwable failure) {
        return of(failure).stream().anyMatch(InterruptedException.class::isInstance);
    }

    /** Returns whether an interruption of the calling thread caused the failure. */
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

    /** Recognises a thread by its outermost call outside of the JDK. */
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

    /** Returns a text that two failures share if their innermost exceptions have one type and come from one place. */
    static String signature(Throwable failure) {
        List<Throwable> chain = of(failure);
        Throwable innermost = chain.get(chain.size() - 1);
        StackTraceElement[] trace = stackTrace(innermost);
        return innermost.getClass().getName() + (trace.length == 0 ? "" : " " + trace[0]);
    }
}
