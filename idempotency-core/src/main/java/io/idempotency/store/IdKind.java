package io.idempotency.store;

/**
 * The place that a message id comes from. It is part of the stored id, so ids of two places never meet: the text {@code 4711} is stored as {@code 4711} if
 * a header carried it, and as {@code ~value:4711} if it was read from the value.
 */
public enum IdKind {
    /** A header. Its text is stored as it is, with another {@code ~} in front if it begins with one. */
    HEADER(""),
    /** The key of the record. */
    KEY("~key:"),
    /** A function on the value. */
    VALUE("~value:"),
    /** A function on the record, or in the Spring Boot starter an expression or a JSON pointer. */
    RECORD("~record:"),
    /** No place: the text is an id as the library stores it, with its kind. For ids that were copied from the library, or built by hand. */
    STORED("");

    private static final String MARK = "~";

    private final String prefix;

    IdKind(String prefix) {
        this.prefix = prefix;
    }

    /** Returns the id that a consumer gives a message if it finds this text at this place. */
    public String idOf(String text) {
        return this == HEADER && text.startsWith(MARK) ? MARK + text : prefix + text;
    }
}
