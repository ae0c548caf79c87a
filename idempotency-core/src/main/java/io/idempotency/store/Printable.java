package io.idempotency.store;

import java.time.Duration;

/** Prints values for a person: times, and foreign text, which it escapes so that it neither begins a new line nor changes the direction of one. */
public final class Printable {

    /** Characters that count as letters or symbols and are invisible all the same. */
    private static final String EMPTY_LETTERS = "\u115F\u1160\u2800\u3164\uFFA0";

    private Printable() {}

    /**
     * Returns the text with every character that does not show as itself written as {@code \}{@code uXXXX}: control, format, combining, private and
     * unassigned characters, every space but the common one, and unpaired surrogates.
     */
    public static String of(String text) {
        int plain = 0;
        while (plain < text.length() && isPlain(text.charAt(plain))) {
            plain++;
        }
        if (plain == text.length()) {
            return text;
        }
        StringBuilder printed = new StringBuilder(text.length() + 16).append(text, 0, plain);
        text.substring(plain).codePoints().forEach(point -> append(printed, point));
        return printed.toString();
    }

    private static void append(StringBuilder printed, int point) {
        if (shows(point)) {
            printed.appendCodePoint(point);
            return;
        }
        for (char unit : Character.toChars(point)) {
            printed.append(String.format("\\u%04X", (int) unit));
        }
    }

    /** Returns a time in full hours; in full minutes below two hours, and in full seconds below two minutes. */
    public static String of(Duration time) {
        if (time.toHours() >= 2) {
            return time.toHours() + " h";
        }
        return time.toMinutes() >= 2 ? time.toMinutes() + " min" : time.toSeconds() + " s";
    }

    private static boolean shows(int point) {
        return switch (Character.getType(point)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.NON_SPACING_MARK,
                    Character.ENCLOSING_MARK -> false;
            case Character.SPACE_SEPARATOR -> point == ' ';
            default -> EMPTY_LETTERS.indexOf(point) < 0;
        };
    }

    private static boolean isPlain(char c) {
        return c >= ' ' && c <= '~';
    }
}
