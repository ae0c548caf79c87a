package io.idempotency.jdbc;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What a journal store keeps for the active transaction: what was appended in it, and the windows that it decided by. Confined to the transaction. */
final class JournalTransaction {

    private final Map<JournalKey, JournalOverlay> overlays = new TreeMap<>();
    private final Map<JournalPlace, JournalWindow> windows = new HashMap<>();

    private JournalTransaction() {}

    /** Returns what the store that owns the active transaction keeps for it. */
    static JournalTransaction of(ActiveTransaction active) {
        return active.state(JournalTransaction.class, JournalTransaction::new);
    }

    /** What the transaction appended to journals, in the order of their keys. */
    Map<JournalKey, JournalOverlay> overlays() {
        return overlays;
    }

    /**
     * Returns what the transaction appended to a journal; if that was through another store on the same tables, it is shared from now on. A window
     * must not take it for committed.
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

    /** The windows that the transaction decided by. It keeps to them: another one may not know yet what these were compared with. */
    Map<JournalPlace, JournalWindow> windows() {
        return windows;
    }
}
