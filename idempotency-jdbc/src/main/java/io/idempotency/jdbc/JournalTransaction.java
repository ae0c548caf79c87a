package io.idempotency.jdbc;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The state of a journal store in the active transaction: its appends, and the windows that it decided by. Confined to the transaction. */
final class JournalTransaction {

    private final Map<JournalKey, JournalOverlay> overlays = new TreeMap<>();
    private final Map<JournalPlace, JournalWindow> windows = new HashMap<>();

    private JournalTransaction() {}

    /** Returns the state of the store that owns the active transaction. */
    static JournalTransaction of(ActiveTransaction active) {
        return active.state(JournalTransaction.class, JournalTransaction::new);
    }

    /** Returns the appends of the transaction, in the order of the journals' keys. */
    Map<JournalKey, JournalOverlay> overlays() {
        return overlays;
    }

    /**
     * Returns the appends of the transaction to a journal. Appends through another store on the same tables are shared from then on. A window must
     * not take them for committed.
     */
    @Nullable
    JournalOverlay overlay(JournalHead head) {
        JournalOverlay overlay = overlays.get(head.key());
        if (overlay == null) {
            overlay = ActiveTransaction.ofThread()
                    .flatMap(active -> active.state(JournalTransaction.class).stream())
                    .flatMap(other -> other.madeTo(head).stream())
                    .findFirst()
                    .orElse(null);
        }
        if (overlay != null) {
            overlays.put(head.key(), overlay);
        }
        return overlay;
    }

    private Optional<JournalOverlay> madeTo(JournalHead head) {
        return Optional.ofNullable(overlays.get(head.key())).filter(overlay -> overlay.hasMade(head.tip()));
    }

    /** Returns the windows that the transaction decided by. It keeps them: a newer window may lack appends that these were compared with. */
    Map<JournalPlace, JournalWindow> windows() {
        return windows;
    }
}
