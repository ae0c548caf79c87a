package io.idempotency.cli;

import io.idempotency.Explanation;
import io.idempotency.Operations;
import io.idempotency.store.Printable;
import java.util.List;
import java.util.stream.Collectors;

/** Finds the message that a person means. */
final class Ids {

    private Ids() {}

    /**
     * Returns the explanation of the one message that the text means: its id, with or without its kind, or its position in quarantine.
     *
     * @throws UsageException if it may mean several
     */
    static Explanation one(Operations operations, String consumer, String text) {
        List<Explanation> found = operations.explain(consumer, text);
        if (found.size() > 1) {
            throw new UsageException(Printable.of(text) + " may be any of "
                    + found.stream()
                            .map(each -> Printable.of(each.id().value()))
                            .collect(Collectors.joining(", "))
                    + ": give one of these ids");
        }
        return found.get(0);
    }
}
