package io.idempotency.cli;

import io.idempotency.replay.Replay;

/** A replay for a person. */
final class ReplayView {

    private ReplayView() {}

    static Fields fields(Replay replay) {
        Replay.Progress progress = replay.progress();
        return Fields.of("id", replay.request().id())
                .and("consumer", replay.request().selection().consumer())
                .and("status", replay.status())
                .and("total", progress.total())
                .and("processed", progress.processed())
                .and("duplicates", progress.duplicates())
                .and("failed", progress.failed())
                .and("unreadable", progress.unreadable())
                .and("left", progress.left())
                .and("selection", replay.selection())
                .and("requestedAt", replay.requestedAt())
                .and("endedAt", replay.endedAt())
                .and("actor", replay.request().actor())
                .and("reason", replay.request().reason())
                .and("stoppedBy", replay.stoppedBy());
    }
}
