package io.idempotency.spring.endpoint;

import io.idempotency.ConsumerStores;
import io.idempotency.Forgotten;
import io.idempotency.Operations;
import io.idempotency.jdbc.Purger;
import io.idempotency.replay.Replay;
import io.idempotency.replay.ReplayPlan;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageRange;
import io.idempotency.store.Printable;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.springframework.boot.actuate.endpoint.SecurityContext;

/** What can be changed by HTTP, in the name of the caller. Thread-safe. */
record Writes(
        Operations operations,
        QuarantineStore quarantine,
        ConsumerStores stores,
        Permissions permissions,
        OutboxVerbs outputs) {

    /** The origin of the audit. */
    static final String ORIGIN = "endpoint";

    private static final List<String> OF_A_REPLAY = List.of("replay", "consumer", "reason");
    static final Map<String, List<String>> PARAMETERS = Map.of(
            "replay",
            List.of(
                    "consumer",
                    "id",
                    "failureType",
                    "failureGroup",
                    "from",
                    "to",
                    "topic",
                    "partition",
                    "firstOffset",
                    "lastOffset",
                    "limit",
                    "perSecond",
                    "stopAfter",
                    "mayRepeat",
                    "reason",
                    "dryRun"),
            "pause",
            OF_A_REPLAY,
            "resume",
            OF_A_REPLAY,
            "stop",
            OF_A_REPLAY,
            "drop",
            List.of("consumer", "id", "olderThan", "reason", "dryRun"),
            "forget",
            List.of(
                    "consumer",
                    "id",
                    "topic",
                    "partition",
                    "firstOffset",
                    "lastOffset",
                    "from",
                    "to",
                    "reason",
                    "dryRun"),
            "purge",
            List.of("reason", "dryRun"),
            "resend",
            List.of("number", "topic", "reason", "dryRun"),
            "discard",
            List.of("number", "reason", "dryRun"));

    /** What only changes something; replay is a view, too. */
    static final Set<String> ACTS = Set.of("pause", "resume", "stop", "drop", "forget", "purge", "resend", "discard");

    /** An answer, and whether its work goes on afterwards. */
    record Done(Answers.Answer answer, boolean goesOn) {

        static Done now(Answers.Answer answer) {
            return new Done(answer, false);
        }
    }

    /**
     * Does what is asked for.
     *
     * @throws RefusedException if the caller may not, or there is no act of this name
     */
    Done act(String name, Arguments asked, SecurityContext caller) {
        permissions.whyNoWrite(caller).ifPresent(why -> {
            throw new RefusedException(403, why);
        });
        String actor = Permissions.actor(caller);
        Operations own = operations.as(actor, ORIGIN);
        Optional.ofNullable(PARAMETERS.get(name)).ifPresent(known -> asked.allowOnly(name, known));
        return switch (name) {
            case "replay" -> replay(own, asked);
            case "pause" -> change(own, asked, "RUNNING", own::pauseReplay);
            case "resume" -> change(own, asked, "PAUSED", own::resumeReplay);
            case "stop" -> change(own, asked, "RUNNING or PAUSED", own::stopReplay);
            case "drop" -> Done.now(drop(own, asked));
            case "forget" -> Done.now(forget(own, asked));
            case "purge" -> Done.now(purge(asked));
            case "resend" -> Done.now(outputs.resend(actor, asked));
            case "discard" -> Done.now(outputs.discard(actor, asked));
            default ->
                throw new RefusedException(
                        404,
                        "There is no act " + Printable.of(name)
                                + ": there are replay, pause, resume, stop, drop, forget, purge, resend and discard.");
        };
    }

    private static Done replay(Operations own, Arguments asked) {
        QuarantineSelection chosen = asked.selection();
        if (asked.has("id")) {
            MessageId id = Views.one(own, chosen.consumer(), asked.required("id"));
            chosen = chosen.ids(List.of(id.value()));
        }
        if (asked.has("limit")) {
            chosen = chosen.limit(asked.positive("limit", 1));
        }
        ReplayRequest request = ReplayRequest.of(chosen)
                .perSecond(asked.positive("perSecond", ReplayRequest.DEFAULT_PER_SECOND))
                .stopAfter(asked.positive("stopAfter", ReplayRequest.DEFAULT_STOP_AFTER));
        request = asked.flag("mayRepeat") ? request.acceptRepeatedEffects() : request;
        return asked.flag("dryRun")
                ? Done.now(plan(own.plan(request)))
                : new Done(Shown.replay(own.replay(request, asked.required("reason"))), true);
    }

    private static Answers.Plan plan(ReplayPlan plan) {
        return new Answers.Plan(
                plan.total(),
                plan.inOtherReplays(),
                plan.withoutBytes(),
                plan.alreadyProcessed(),
                plan.byFailure(),
                plan.byPartition(),
                plan.oldest().orElse(null),
                true);
    }

    /** A verb on a replay, which returns whether the replay was in the state for it. */
    @FunctionalInterface
    private interface Change {
        boolean of(String replay, String reason);
    }

    private static Done change(Operations own, Arguments asked, String needed, Change change) {
        String id = asked.required("replay");
        String reason = asked.required("reason");
        boolean isChanged = change.of(id, reason);
        Replay now = Views.replay(own, id);
        if (!isChanged) {
            throw new RefusedException(409, "This needs a replay that is " + needed + ". " + now + ".");
        }
        return Done.now(Shown.replay(now));
    }

    private Answers.Changed drop(Operations own, Arguments asked) {
        String consumer = asked.consumer();
        asked.requireOneOf(
                "Give an id, or olderThan.",
                asked.has("id"),
                asked.instant("olderThan").isPresent());
        boolean isDry = asked.flag("dryRun");
        if (asked.has("id")) {
            MessageId id = Views.one(own, consumer, asked.required("id"));
            if (isDry) {
                return new Answers.Changed(
                        consumer, count(QuarantineSelection.of(consumer).ids(List.of(id.value()))), true);
            }
            own.drop(id, asked.required("reason"));
            return new Answers.Changed(consumer, 1, false);
        }
        Instant before = asked.instant("olderThan").orElseThrow();
        return isDry
                ? new Answers.Changed(
                        consumer, count(QuarantineSelection.of(consumer).to(before)), true)
                : new Answers.Changed(consumer, own.dropOlderThan(consumer, before, asked.required("reason")), false);
    }

    private long count(QuarantineSelection chosen) {
        long messages = quarantine.count(chosen).messages();
        Views.requireConsumerIf(operations, messages == 0, chosen.consumer());
        return messages;
    }

    private static Answers.Forgot forget(Operations own, Arguments asked) {
        String consumer = asked.consumer();
        boolean isOfOffsets = asked.has("topic", "partition", "firstOffset", "lastOffset");
        boolean isOfTime = asked.has("from", "to");
        asked.requireOneOf(
                "Give an id, or topic, partition, firstOffset and lastOffset, or from and to.",
                asked.has("id"),
                isOfOffsets,
                isOfTime);
        boolean isDry = asked.flag("dryRun");
        Forgotten forgotten;
        if (asked.has("id")) {
            MessageId id = Views.one(own, consumer, asked.required("id"));
            forgotten = isDry ? own.countForgettable(id) : own.forget(id, asked.required("reason"));
        } else {
            MessageRange range = isOfOffsets ? offsets(consumer, asked) : times(consumer, asked);
            forgotten = isDry ? own.countForgettable(range) : own.forget(range, asked.required("reason"), sofar -> {});
        }
        return new Answers.Forgot(consumer, forgotten.messages(), forgotten.quarantined(), isDry);
    }

    private static MessageRange offsets(String consumer, Arguments asked) {
        return MessageRange.ofOffsets(
                consumer,
                asked.required("topic"),
                asked.required("partition", Integer::valueOf),
                asked.required("firstOffset", Long::valueOf),
                asked.required("lastOffset", Long::valueOf));
    }

    private static MessageRange times(String consumer, Arguments asked) {
        asked.required("from");
        asked.required("to");
        return MessageRange.ofTime(
                consumer,
                asked.instant("from").orElseThrow(),
                asked.instant("to").orElseThrow());
    }

    /** Each store by the retention of its consumers, as the applications purge from time to time. */
    private Answers.Purged purge(Arguments asked) {
        boolean isDry = asked.flag("dryRun");
        Set<ClaimStore> all = new LinkedHashSet<>();
        stores.all().values().forEach(all::addAll);
        long messages = 0;
        for (ClaimStore store : all) {
            try (Purger purger = Purger.of(store).build()) {
                messages += isDry ? purger.count() : purger.runOnce();
            }
        }
        return new Answers.Purged(messages, isDry);
    }
}
