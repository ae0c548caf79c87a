package io.idempotency.spring.endpoint;

import io.idempotency.Explanation;
import io.idempotency.replay.Replay;
import io.idempotency.store.AuditRecord;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineGroup;
import io.idempotency.store.QuarantineSummary;
import io.idempotency.store.StoredMessage;

/** Turns what the library tells into answers. */
final class Shown {

    private Shown() {}

    static Answers.Explained explained(Explanation of) {
        return new Answers.Explained(
                of.id().consumer(),
                of.id().value(),
                of.status().name(),
                of.stored().map(StoredMessage::position).map(Position::toString).orElse(null),
                of.stored().map(StoredMessage::at).orElse(null),
                of.stored().map(StoredMessage::attempt).orElse(null),
                of.kept().map(Explanation.Kept::failureType).orElse(null),
                of.kept().map(Explanation.Kept::failureGroup).orElse(null),
                of.kept().map(Explanation.Kept::attempts).orElse(null),
                of.kept().map(Explanation.Kept::firstAt).orElse(null),
                of.kept().flatMap(Explanation.Kept::replay).orElse(null),
                of.rememberedUntil().orElse(null),
                of.rememberedSince().orElse(null),
                of.sentence());
    }

    static Answers.Quarantined quarantined(QuarantineSummary of) {
        return new Answers.Quarantined(
                of.delivery().position().toString(),
                of.delivery().id().value(),
                of.firstAt(),
                of.failureType(),
                of.failureGroup(),
                of.attempts(),
                of.isBehind(),
                of.replay().orElse(null));
    }

    static Answers.Group group(QuarantineGroup of) {
        return new Answers.Group(
                of.group(),
                of.messages(),
                of.failureTypes(),
                of.oldest(),
                of.newest(),
                of.lastHour(),
                of.lastDay(),
                of.hours());
    }

    static Answers.ReplayOf replay(Replay of) {
        Replay.Progress progress = of.progress();
        return new Answers.ReplayOf(
                of.request().id(),
                of.request().selection().consumer(),
                of.status().name(),
                progress.total(),
                progress.processed(),
                progress.duplicates(),
                progress.failed(),
                progress.unreadable(),
                progress.left(),
                of.request().perSecond(),
                of.selection(),
                of.requestedAt(),
                of.endedAt().orElse(null),
                of.request().actor(),
                of.request().reason(),
                of.stoppedBy().orElse(null));
    }

    static Answers.Act act(AuditRecord of) {
        return new Answers.Act(
                of.at(), of.actor(), of.origin(), of.verb(), of.consumer(), of.messages(), of.subject(), of.reason());
    }
}
