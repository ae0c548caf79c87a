package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.QuarantineEntry;
import org.jspecify.annotations.Nullable;

/** One quarantined message on its way through a replay, and what became of it. Confined to the thread of the replay. */
final class ReplayAttempt {

    private final String replay;
    private final QuarantineEntry entry;
    private @Nullable Claim claim;
    private boolean isGone;
    private boolean isSaving;
    private boolean isSaved;
    private @Nullable Consumption reported;

    ReplayAttempt(String replay, QuarantineEntry entry) {
        this.replay = replay;
        this.entry = entry;
    }

    String replay() {
        return replay;
    }

    QuarantineEntry entry() {
        return entry;
    }

    /** Returns the message as it was quarantined. */
    Delivery kept() {
        return entry.message().delivery();
    }

    /**
     * Returns whether the message has another id now than in quarantine, because its id could not be read then. Both ids are claimed, so that copies
     * with either are duplicates.
     */
    boolean hasOtherId(Delivery asked) {
        return !asked.id().equals(kept().id());
    }

    /** Notes that a claim or lease begins; what an earlier run was told holds no more. */
    void claiming() {
        claim = null;
        isSaving = false;
        isSaved = false;
    }

    void claimed(Claim answer) {
        claim = answer;
    }

    /** Returns what the store last said about the message; null if it was not asked. */
    @Nullable
    Claim claim() {
        return claim;
    }

    /** Returns whether the entry is gone, or was saved anew, since it was listed. */
    boolean isGone() {
        return isGone;
    }

    void gone() {
        isGone = true;
    }

    /** Notes that the running transaction puts the message back into quarantine. */
    void saving() {
        isSaving = true;
    }

    boolean isSaving() {
        return isSaving;
    }

    /** Notes that the failure of the message is committed. */
    void saved() {
        isSaved = true;
    }

    boolean isSaved() {
        return isSaved;
    }

    /** Notes what the flow reports of the message; the last report holds. */
    void report(Consumption consumption) {
        reported = consumption;
    }

    @Nullable
    Consumption reported() {
        return reported;
    }
}
