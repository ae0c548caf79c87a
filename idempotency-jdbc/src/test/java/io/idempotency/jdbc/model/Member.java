package io.idempotency.jdbc.model;

import io.idempotency.jdbc.model.Journal.Head;
import io.idempotency.jdbc.model.Journal.Segment;
import io.idempotency.jdbc.model.Journal.Version;
import io.idempotency.jdbc.model.Journal.View;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * One member of the group: where it stands, its share of every partition, and what plain reads of its transaction show of the heads and archives (nothing
 * where all reads are current).
 */
record Member(Phase phase, List<Share> shares, List<View> snapshot) {

    /** Between the phases lies one step each; see {@link Protocol}. */
    enum Phase {
        /** Has no partitions, or crashed. */
        STANDBY,
        /** Between two transactions. */
        IDLE,
        /** Has read the heads, not yet the segments. */
        LOADING,
        /** Has decided in memory, except about what the archives may have. */
        ASKING,
        /** Has decided and locks the heads, one by one. */
        LOCKING,
        /** Has locked all heads and found one that is not where its window is. */
        BEHIND,
        /** Has appended; the handler is running. */
        HANDLING,
        /** Has committed; its window does not know it yet. */
        COMMITTED,
        /** Met an offset below the horizon, and waits for somebody to decide. */
        REFUSED
    }

    /**
     * What it does in one partition. Offsets from the position up to {@code to} are claimed in the running transaction;
     * those granted are bits. The base is where the window stood when it decided; the overlay is what the transaction
     * has appended. The asked one is the window while its archives are asked, or read.
     */
    record Share(int position, int to, Head base, int granted, List<Segment> overlay, Window asked) {

        static Share at(int position) {
            return new Share(position, position, Window.UNLOADED.head(), 0, List.of(), Window.UNLOADED);
        }

        boolean isGranted(int offset) {
            return ((granted >> offset) & 1) != 0;
        }

        List<Integer> grantedOffsets() {
            List<Integer> offsets = new ArrayList<>();
            for (int offset = position; offset < to; offset++) {
                if (isGranted(offset)) {
                    offsets.add(offset);
                }
            }
            return offsets;
        }

        /** Where the transaction's next append goes. */
        Version top() {
            return overlay.isEmpty()
                    ? base.version()
                    : overlay.get(overlay.size() - 1).version();
        }

        Share reaching(int offset) {
            return new Share(position, offset, base, granted, overlay, asked);
        }

        Share decided(Head decidedAt, int nowGranted) {
            return new Share(position, to, decidedAt, nowGranted, overlay, Window.UNLOADED);
        }

        Share asking(Window window) {
            return new Share(position, to, window.head(), 0, overlay, window);
        }

        Share appended(Segment segment) {
            return new Share(position, to, base, granted, Journal.joined(overlay, List.of(segment)), asked);
        }
    }

    static Member standby(int partitions) {
        return new Member(Phase.STANDBY, Collections.nCopies(partitions, Share.at(0)), List.of());
    }

    static Member idleAt(List<Integer> positions) {
        return new Member(Phase.IDLE, positions.stream().map(Share::at).toList(), List.of());
    }

    Member in(Phase next) {
        return new Member(next, shares, snapshot);
    }

    boolean isIn(Phase other) {
        return phase == other;
    }
}
