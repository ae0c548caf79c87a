package io.idempotency.simulation;

import io.idempotency.replay.ReplayResult;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantinedMessage;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a transaction has done until now, and how it ends. */
final class RunningTransaction {

    /** How a transaction ended, where it is not told plainly. */
    enum Ending {
        TOLD,
        /** It is committed, and nobody was told. */
        DONE_UNTOLD,
        /** It will be committed while its process goes on. */
        LATE,
        /** It is rolled back, and the runner returns as if it were not. */
        SILENTLY_UNDONE,
        /** It is rolled back, and a broken runner says that it is committed. */
        TAKEN_FOR_DONE
    }

    /** A result of a replay. */
    record Counted(String replay, ReplayResult result, Optional<QuarantineFailure> failure) {}

    final Map<MessageId, Delivery> granted = new LinkedHashMap<>();
    final List<Claim> quarantined = new ArrayList<>();
    final List<QuarantinedMessage> kept = new ArrayList<>();
    /** Messages that left the quarantine. */
    final List<Delivery> freed = new ArrayList<>();

    final List<Delivery> dropped = new ArrayList<>();
    final Set<MessageId> deleted = new HashSet<>();
    final List<Counted> counted = new ArrayList<>();
    final List<Delivery> effects = new ArrayList<>();
    final Set<MessageId> forgotten = new HashSet<>();
    /** Messages whose effects somebody has committed before the end. */
    final Set<MessageId> committedEarly = new HashSet<>();

    final List<Runnable> afterCommit = new ArrayList<>();
    final List<Runnable> ifCommittedEarly = new ArrayList<>();

    @Nullable
    MessageId waitsFor;

    /** A failure that a broken runner commits in spite of. */
    @Nullable
    RuntimeException hidden;

    Ending ending = Ending.TOLD;
    /** Whether a part of it failed, so that it cannot be committed any more. */
    boolean isLost;

    boolean isCommittedEarly;

    /** Whether it is one of a process that replays. */
    boolean isReplay;

    /** Returns whether the message is quarantined behind another one. */
    boolean isBehind(MessageId id) {
        return kept.stream()
                .anyMatch(
                        message -> message.isBehind() && message.delivery().id().equals(id));
    }

    boolean isQuarantined(MessageId id) {
        return quarantined.stream().anyMatch(claim -> claim.delivery().id().equals(id));
    }
}
