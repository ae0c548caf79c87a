package io.idempotency;

import io.idempotency.store.ClaimStore;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Warns of two handlers under one consumer name on one store of this process. Several consumers with one handler, each on its own thread, are the
 * usual way to share the work; two handlers under one name are a mistake. Thread-safe.
 */
final class NamesInUse {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);
    private static final List<Use> USES = new ArrayList<>();

    private record Use(WeakReference<ClaimStore> store, String name, Class<?> handler) {

        boolean is(Settings<?> settings) {
            return store.refersTo(settings.storage().store()) && name.equals(settings.name());
        }
    }

    private NamesInUse() {}

    /** Notes the class of the handler of a consumer; warns if it is a second one. */
    static void add(Settings<?> settings, Class<?> handler) {
        synchronized (USES) {
            USES.removeIf(use -> use.store().refersTo(null));
            List<Class<?>> others = USES.stream()
                    .filter(use -> use.is(settings))
                    .<Class<?>>map(Use::handler)
                    .distinct()
                    .toList();
            if (others.size() == 1 && others.get(0) != handler) {
                log.warn(
                        "There are two handlers under the consumer name {} on one store, {} and {}, so each skips the messages that the"
                                + " other has processed. Another handler needs a name of its own.",
                        settings.name(),
                        others.get(0).getName(),
                        handler.getName());
            }
            USES.add(new Use(new WeakReference<>(settings.storage().store()), settings.name(), handler));
        }
    }

    /** Forgets a consumer that was closed. */
    static void remove(Settings<?> settings, Class<?> handler) {
        synchronized (USES) {
            for (Use use : USES) {
                if (use.is(settings) && use.handler() == handler) {
                    USES.remove(use);
                    return;
                }
            }
        }
    }
}
