package io.idempotency;

import io.idempotency.store.ClaimStore;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The names of the consumers that this process has on each store. Thread-safe. */
final class NamesInUse {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);
    private static final List<Use> USES = new ArrayList<>();

    private record Use(WeakReference<ClaimStore> store, String name) {

        boolean is(ClaimStore other, String otherName) {
            return store.refersTo(other) && name.equals(otherName);
        }
    }

    private NamesInUse() {}

    /** Notes a consumer; warns if it is the second one. */
    static void add(Settings<?> settings) {
        synchronized (USES) {
            USES.removeIf(use -> use.store().refersTo(null));
            long before = USES.stream()
                    .filter(use -> use.is(settings.store(), settings.name()))
                    .count();
            if (before == 1) {
                log.warn(
                        "There are two consumers named {} on one store, so each skips what the other has processed. Right only for"
                                + " copies of one handler; another handler needs a name of its own.",
                        settings.name());
            }
            USES.add(new Use(new WeakReference<>(settings.store()), settings.name()));
        }
    }

    /** Forgets a consumer that was closed. */
    static void remove(Settings<?> settings) {
        synchronized (USES) {
            for (Use use : USES) {
                if (use.is(settings.store(), settings.name())) {
                    USES.remove(use);
                    return;
                }
            }
        }
    }
}
