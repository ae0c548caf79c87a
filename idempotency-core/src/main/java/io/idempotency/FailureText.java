package io.idempotency;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.idempotency.store.Printable;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.Sha256;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes failures as bounded text, even if their own methods throw. Texts of one line have line breaks and invisible characters escaped,
 * see {@link Printable}.
 */
public final class FailureText {

    static final int MOST_CHARS = 64 * 1024;
    static final int MOST_CAUSES = 30;
    private static final int MOST_OF_LINE = 2_000;
    private static final int MOST_OF_MESSAGE = 8_000;
    private static final int MOST_CALLS = 200;

    /** After so much text only messages follow and no calls, to leave room for the innermost cause. */
    private static final int ENOUGH = 24 * 1024;

    /** What containers and executors wrap around an exception. By name, because their libraries may not be there. */
    private static final Set<String> WRAPPERS = Set.of(
            "org.springframework.kafka.listener.ListenerExecutionFailedException",
            "org.springframework.kafka.listener.TimestampedException",
            "java.util.concurrent.CompletionException",
            "java.util.concurrent.ExecutionException");

    private FailureText() {}

    /** Returns class and message in one line. */
    public static String line(Throwable failure) {
        return Printable.of(of(failure, MOST_OF_LINE));
    }

    /** Returns class and message of the failure and of its innermost cause in one line. */
    public static String lineWithCause(Throwable failure) {
        List<Throwable> causes = Causes.of(failure);
        Throwable innermost = causes.get(causes.size() - 1);
        return innermost == failure ? line(failure) : line(failure) + ", caused by " + line(innermost);
    }

    /** Returns the message as it is, cut where it gets too long. */
    static String message(Throwable failure) {
        try {
            return cut(String.valueOf(failure.getMessage()), MOST_OF_MESSAGE);
        } catch (Throwable broken) {
            return unreadable(broken);
        }
    }

    /** Returns the stack trace, with the outer causes and the innermost one. */
    static String trace(Throwable failure) {
        StringBuilder text = new StringBuilder();
        try {
            List<Throwable> causes = Causes.of(failure);
            int last = causes.size() - 1;
            int share = MOST_CHARS / 2 / Math.min(causes.size(), MOST_CAUSES);
            for (int i = 0; i <= last; i++) {
                if (i == MOST_CAUSES - 1 && i < last) {
                    text.append("... ").append(last - i).append(" causes left out\n");
                    i = last;
                }
                text.append(i == 0 ? "" : "Caused by: ")
                        .append(of(causes.get(i), share))
                        .append('\n');
                appendCalls(
                        text, causes.get(i), i == 0 ? new StackTraceElement[0] : Causes.stackTrace(causes.get(i - 1)));
            }
        } catch (Throwable broken) {
            text.append(unreadable(broken));
        }
        return cut(text.toString(), MOST_CHARS);
    }

    /** Returns what the quarantine keeps of the failure. */
    static QuarantineFailure forQuarantine(Throwable failure) {
        return new QuarantineFailure(type(failure), group(failure), trace(failure));
    }

    private static String type(Throwable failure) {
        for (Throwable cause : Causes.of(failure)) {
            if (!WRAPPERS.contains(cause.getClass().getName())) {
                return cause.getClass().getName();
            }
        }
        return failure.getClass().getName();
    }

    /** Returns 16 digits, equal for failures that have one signature. */
    private static String group(Throwable failure) {
        return HexFormat.of().formatHex(Sha256.of(Causes.signature(failure).getBytes(UTF_8)), 0, 8);
    }

    /** Returns the failure itself if a logger can print it in bounded space, or an exception with its text. */
    public static Throwable loggable(Throwable failure) {
        return isPrintable(failure, new int[1]) ? failure : new Unprintable(trace(failure));
    }

    /** Stands in the log for a failure that a logger could not print. */
    private static final class Unprintable extends Exception {

        private static final long serialVersionUID = 1L;

        Unprintable(String text) {
            super(text, null, false, false);
        }
    }

    private static boolean isPrintable(@Nullable Throwable failure, int[] count) {
        if (failure == null) {
            return true;
        }
        try {
            if (++count[0] > MOST_CAUSES
                    || failure.toString().length() > MOST_OF_MESSAGE
                    || failure.getStackTrace() == null
                    || String.valueOf(failure.getMessage()).length() > MOST_OF_MESSAGE) {
                return false;
            }
            for (Throwable suppressed : failure.getSuppressed()) {
                if (!isPrintable(suppressed, count)) {
                    return false;
                }
            }
            return isPrintable(failure.getCause(), count);
        } catch (Throwable broken) {
            return false;
        }
    }

    private static void appendCalls(StringBuilder text, Throwable failure, StackTraceElement[] outer) {
        StackTraceElement[] trace = Causes.stackTrace(failure);
        int own = Math.min(trace.length - inCommon(trace, outer), MOST_CALLS);
        int shown = 0;
        while (shown < own && text.length() < ENOUGH) {
            text.append("\tat ").append(trace[shown++]).append('\n');
        }
        if (shown < trace.length) {
            text.append("\t... ").append(trace.length - shown).append(" more\n");
        }
        Throwable[] suppressed = failure.getSuppressed();
        for (int i = 0; i < suppressed.length && text.length() < ENOUGH; i++) {
            text.append("\tSuppressed: ")
                    .append(of(suppressed[i], MOST_OF_LINE))
                    .append('\n');
        }
    }

    private static int inCommon(StackTraceElement[] inner, StackTraceElement[] outer) {
        int common = 0;
        while (common < inner.length
                && common < outer.length
                && inner[inner.length - 1 - common].equals(outer[outer.length - 1 - common])) {
            common++;
        }
        return common;
    }

    private static String of(Throwable failure, int most) {
        try {
            return cut(String.valueOf(failure.toString()), most);
        } catch (Throwable broken) {
            return failure.getClass().getName() + ": " + unreadable(broken);
        }
    }

    private static String unreadable(Throwable broken) {
        return "(its text cannot be read: " + broken.getClass().getName() + ")";
    }

    private static String cut(String text, int most) {
        if (text.length() <= most) {
            return text;
        }
        int end = Character.isHighSurrogate(text.charAt(most - 1)) ? most - 1 : most;
        return text.substring(0, end) + "...";
    }
}
