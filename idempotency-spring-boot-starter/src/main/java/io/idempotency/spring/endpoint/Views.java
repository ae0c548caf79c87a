package io.idempotency.spring.endpoint;

import io.idempotency.Explanation;
import io.idempotency.Operations;
import io.idempotency.replay.Replay;
import io.idempotency.store.AuditRecord;
import io.idempotency.store.AuditStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Printable;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineGroup;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantineSummary;
import io.idempotency.store.QuarantinedMessage;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.springframework.boot.actuate.endpoint.SecurityContext;

/** What can be read by HTTP. Changes nothing. Thread-safe. */
record Views(
        Operations operations,
        QuarantineStore quarantine,
        AuditStore audit,
        Permissions permissions,
        List<PayloadMask> masks,
        OutboxVerbs outputs) {

    static final int MOST_ROWS = 500;
    private static final int MOST_GROUPS = 100;
    private static final int FEW_BYTES = 2048;
    private static final int MANY_BYTES = 65_536;

    /**
     * Answers a view.
     *
     * @throws RefusedException if there is none of this name
     */
    Answers.Answer view(String name, Arguments asked, SecurityContext caller) {
        return switch (name) {
            case "why" -> why(asked);
            case "groups" -> groups(asked);
            case "quarantine" -> page(asked);
            case "message" -> message(asked, caller);
            case "replays" -> replays(asked);
            case "replay" -> Shown.replay(replay(operations, asked.required("replay")));
            case "outbox" -> outputs.status();
            case "refused" -> outputs.page(asked);
            case "output" -> outputs.one(asked, caller);
            case "audit" -> audit(asked);
            case "session" -> session(caller);
            default -> throw none(name);
        };
    }

    private static RefusedException none(String name) {
        return Writes.ACTS.contains(name)
                ? new RefusedException(405, "To " + name + " changes something: send it by POST.")
                : new RefusedException(
                        404,
                        "There is no view " + Printable.of(name)
                                + ": there are why, groups, quarantine, message, replays, replay, outbox, refused, output, audit and"
                                + " session.");
    }

    private Answers.Explanations why(Arguments asked) {
        return new Answers.Explanations(operations.explain(asked.consumer(), asked.required("id")).stream()
                .map(Shown::explained)
                .toList());
    }

    private Answers.Groups groups(Arguments asked) {
        QuarantineSelection chosen = asked.selection();
        List<QuarantineGroup> groups = quarantine.groups(chosen, MOST_GROUPS);
        requireConsumerIf(operations, groups.isEmpty(), chosen.consumer());
        return new Answers.Groups(groups.stream().map(Shown::group).toList());
    }

    private Answers.Page page(Arguments asked) {
        QuarantineSelection chosen = asked.selection();
        Optional<Delivery> after = asked.text("after").map(cursor -> Cursor.read(chosen.consumer(), cursor));
        int limit = asked.limit("limit", 50, MOST_ROWS);
        List<QuarantineSummary> found = quarantine.list(chosen, after, limit + 1);
        requireConsumerIf(operations, found.isEmpty(), chosen.consumer());
        List<QuarantineSummary> page = found.subList(0, Math.min(limit, found.size()));
        return new Answers.Page(
                page.stream().map(Shown::quarantined).toList(),
                found.size() > limit ? Cursor.of(page.get(limit - 1).delivery()) : null);
    }

    /** Refuses a consumer that nobody knows, if nothing was found. */
    static void requireConsumerIf(Operations operations, boolean isNothing, String consumer) {
        if (isNothing) {
            operations.listReplays(consumer, 1);
        }
    }

    /** Returns how many bytes of a part are shown. */
    static int mostBytes(Arguments asked) {
        return asked.flag("full") ? MANY_BYTES : FEW_BYTES;
    }

    private Answers.Message message(Arguments asked, SecurityContext caller) {
        int most = mostBytes(asked);
        MessageId id = one(operations, asked.consumer(), asked.required("id"));
        QuarantineEntry entry = quarantine
                .find(id)
                .orElseThrow(
                        () -> new RefusedException(404, id + " is not in quarantine: why tells what became of it."));
        QuarantinedMessage message = entry.message();
        ShownPayload payload = new ShownPayload(message.delivery(), message.payload(), masks, most);
        Optional<String> hidden = permissions.whyHidden(caller);
        boolean isShown = hidden.isEmpty();
        return new Answers.Message(
                id.consumer(),
                message.delivery().position().toString(),
                id.value(),
                Optional.of(message.delivery().timestamp())
                        .filter(millis -> millis > 0)
                        .map(Instant::ofEpochMilli)
                        .orElse(null),
                entry.firstAt(),
                entry.at(),
                message.failure().type(),
                message.failure().group(),
                message.attempts(),
                message.isBehind(),
                message.keyHash() == 0
                        ? 0
                        : quarantine.countBehind(
                                id.consumer(), message.delivery().position(), message.keyHash()),
                entry.replay().orElse(null),
                isShown ? payload.failure(message.failure().text()) : null,
                message.payload().origin().name(),
                isShown ? payload.headers() : ShownPayload.names(message.payload()),
                isShown ? payload.key() : null,
                isShown ? payload.value() : null,
                hidden.orElse(null));
    }

    /**
     * Returns the one message that the text means: its id, with or without its kind, or its position in quarantine.
     *
     * @throws RefusedException if it may mean several
     */
    static MessageId one(Operations operations, String consumer, String text) {
        List<Explanation> found = operations.explain(consumer, text);
        if (found.size() > 1) {
            throw RefusedException.badInput(Printable.of(text) + " may be any of "
                    + found.stream()
                            .map(each -> Printable.of(each.id().value()))
                            .collect(Collectors.joining(", "))
                    + ": give one of these ids.");
        }
        return found.get(0).id();
    }

    private Answers.Replays replays(Arguments asked) {
        return new Answers.Replays(
                operations.listReplays(asked.consumer(), asked.limit("limit", 20, MOST_ROWS)).stream()
                        .map(Shown::replay)
                        .toList());
    }

    /**
     * Returns the replay of this name.
     *
     * @throws RefusedException if there is none
     */
    static Replay replay(Operations operations, String id) {
        return operations
                .findReplay(id)
                .orElseThrow(() -> new RefusedException(404, "There is no replay " + Printable.of(id) + "."));
    }

    private Answers.Audit audit(Arguments asked) {
        Instant since = asked.instant("since").orElse(Instant.EPOCH);
        int limit = asked.limit("limit", 100, MOST_ROWS);
        List<AuditRecord> acts =
                asked.has("consumer") ? audit.list(asked.consumer(), since, limit) : audit.list(since, limit);
        return new Answers.Audit(acts.stream().map(Shown::act).toList());
    }

    private Answers.Session session(SecurityContext caller) {
        Optional<String> whyNot = permissions.whyNoWrite(caller);
        return new Answers.Session(Permissions.user(caller).orElse(null), whyNot.isEmpty(), whyNot.orElse(null));
    }
}
