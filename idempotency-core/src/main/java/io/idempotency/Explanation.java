package io.idempotency;

import io.idempotency.store.MessageId;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.Printable;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.StoredMessage;
import java.time.Instant;
import java.util.Optional;

/**
 * Why a message was handled, skipped or neither.
 *
 * @param id the id under which it is remembered, with its kind, such as {@code ~value:4711}
 * @param status what became of it
 * @param stored what the store remembers of it
 * @param kept its entry in quarantine, without bytes
 * @param rememberedUntil when it is forgotten at the earliest; empty while it is in quarantine, if it is not settled, or if nobody has given a retention
 * @param rememberedSince no message that was settled after this moment is forgotten, unless somebody asked for it; empty if none is forgotten
 */
public record Explanation(
        MessageId id,
        MessageStatus status,
        Optional<StoredMessage> stored,
        Optional<Kept> kept,
        Optional<Instant> rememberedUntil,
        Optional<Instant> rememberedSince) {

    /**
     * An entry of the quarantine.
     *
     * @param failureType class name of the exception
     * @param failureGroup equal for failures of the same kind from the same place
     * @param attempts how often its handler was started
     * @param firstAt when it was quarantined first
     * @param replay the running replay that it belongs to
     */
    public record Kept(
            String failureType, String failureGroup, int attempts, Instant firstAt, Optional<String> replay) {

        static Kept of(QuarantineEntry entry) {
            return new Kept(
                    entry.message().failure().type(),
                    entry.message().failure().group(),
                    entry.message().attempts(),
                    entry.firstAt(),
                    entry.replay());
        }
    }

    /** Returns the explanation in one sentence, for a person. */
    public String sentence() {
        String subject = "Message " + Printable.of(id.value()) + " of " + id.consumer();
        return subject + " "
                + switch (status) {
                    case PROCESSED -> "was processed " + at() + attempt() + "; copies of it are skipped" + until();
                    case EXPIRED ->
                        "had expired before it was handled, " + at() + "; copies of it are skipped" + until();
                    case LEASED -> leased();
                    case RELEASED ->
                        "was released after a failure " + at() + attempt() + "; its next delivery is handled";
                    case UNPROVED ->
                        "is in progress: its transaction was committed early " + position()
                                + ", and is to be proved until " + moment();
                    case QUARANTINED -> quarantined("is in quarantine");
                    case BEHIND -> quarantined("waits in quarantine behind an earlier message of its key");
                    case DROPPED -> "was deleted from quarantine " + at() + "; copies of it are skipped" + until();
                    case UNKNOWN -> unknown();
                }
                + ".";
    }

    private String leased() {
        boolean lasts = stored.filter(each -> each.age().isNegative()).isPresent();
        return lasts
                ? "is in progress " + position() + attempt() + ", under a lease until " + moment()
                : "was in progress " + position() + attempt() + ", but its lease ended at " + moment()
                        + "; its next delivery is handled";
    }

    private String quarantined(String where) {
        String entry = kept.map(each -> " since " + each.firstAt() + ", " + Reports.after(each.attempts()) + ", with "
                        + each.failureType() + " (group " + each.failureGroup() + ")"
                        + each.replay()
                                .map(name -> "; the replay " + Printable.of(name) + " is asked to handle it again")
                                .orElse("; no replay is asked to handle it again"))
                .orElse(", but its entry is gone; drop it before you forget it");
        return where + " " + position() + entry;
    }

    private String unknown() {
        return "is not remembered: it never came, is in progress, or was forgotten"
                + rememberedSince
                        .map(since -> ". Messages that were settled before " + since + " may be forgotten")
                        .orElse(". No message of this consumer was forgotten by age");
    }

    private String at() {
        return "at " + moment() + " " + position();
    }

    private String moment() {
        return stored.map(each -> each.at().toString()).orElse("an unknown time");
    }

    private String position() {
        return stored.map(each -> "from " + each.position()).orElse("from an unknown position");
    }

    private String attempt() {
        return stored.filter(each -> each.attempt() > 1)
                .map(each -> ", in attempt " + each.attempt())
                .orElse("");
    }

    private String until() {
        return rememberedUntil.map(until -> " until " + until).orElse("");
    }
}
