package io.idempotency.store;

import java.util.ArrayList;
import java.util.List;

/**
 * The ids that a person may mean by a text. An id that was not read from a header carries its kind, such as {@code ~value:4711}, and people do not write that.
 */
public final class IdForms {

    private static final String KIND = "~";
    private static final List<String> KINDS = List.of("key", "value", "record");

    private IdForms() {}

    /**
     * Returns the ids that the text may stand for, the text itself first: a header that begins with {@code ~}, a key, a value, a part of a record, and, if the
     * text has one space in it, the source and the id of a CloudEvent. A source is a URI and has no space.
     */
    public static List<String> of(String text) {
        List<String> forms = new ArrayList<>();
        forms.add(text);
        if (text.startsWith(KIND)) {
            forms.add(KIND + text);
        }
        KINDS.forEach(kind -> forms.add(KIND + kind + ":" + text));
        int space = text.indexOf(' ');
        if (space > 0 && space == text.lastIndexOf(' ') && space < text.length() - 1) {
            String source = text.substring(0, space);
            forms.add(KIND + "ce:" + source.length() + ":" + source + text.substring(space + 1));
        }
        return forms;
    }
}
