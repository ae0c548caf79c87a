package io.idempotency;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;

/** What a failure tells of itself. */
final class Causes {

    private Causes() {}

    /** Returns the chain of causes, from the outside in, each once. */
    static Iterable<Throwable> of(Throwable failure) {
        Set<Throwable> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        java.util.List<Throwable> chain = new java.util.ArrayList<>();
        for (Throwable cause = failure; cause != null && seen.add(cause); cause = cause.getCause()) {
            chain.add(cause);
        }
        return chain;
    }

    /** Throws an error of the virtual machine on. A stack overflow is none: it is the message's own. */
    static void letFatalLeave(Throwable failure) {
        if (failure instanceof VirtualMachineError error && !(failure instanceof StackOverflowError)) {
            throw error;
        }
    }

    /** Returns whether the thread was told to end. */
    static boolean isInterruption(Throwable failure) {
        for (Throwable cause : of(failure)) {
            if (cause instanceof InterruptedException) {
                return true;
            }
        }
        return false;
    }

    /** Two failures are the same when the innermost exceptions have one type and come from one place. */
    static String signature(Throwable failure) {
        Throwable innermost = failure;
        for (Throwable cause : of(failure)) {
            innermost = cause;
        }
        StackTraceElement[] trace = innermost.getStackTrace();
        return innermost.getClass().getName() + (trace.length == 0 ? "" : " " + trace[0]);
    }

    static String stackTrace(Throwable failure) {
        StringWriter text = new StringWriter();
        failure.printStackTrace(new PrintWriter(text, true));
        return text.toString();
    }
}
