package io.idempotency.spring.endpoint;

import io.idempotency.outbox.OutboxOperations;
import io.idempotency.outbox.OutboxStore;
import io.idempotency.outbox.OutboxTotal;
import io.idempotency.outbox.Output;
import io.idempotency.outbox.RefusedOutput;
import io.idempotency.outbox.RefusedOutputs;
import io.idempotency.outbox.RefusedSummary;
import io.idempotency.store.Delivery;
import io.idempotency.store.InvalidMessageIdException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.Printable;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.SecurityContext;

/**
 * What is read and changed of the outbox by HTTP. Thread-safe.
 *
 * @param store null if the application has no outbox
 * @param operations asked for at each act, because they need the transaction manager of the application
 */
record OutboxVerbs(
        @Nullable OutboxStore store,
        Supplier<OutboxOperations> operations,
        Permissions permissions,
        List<PayloadMask> masks) {

    private OutboxStore outbox() {
        if (store == null) {
            throw new RefusedException(
                    404, "This application has no outbox: idempotency.outbox.enabled=true gives it one.");
        }
        return store;
    }

    private RefusedOutputs refused() {
        return outbox().refused();
    }

    /** Counts; empty if the application has no outbox. */
    Optional<Answers.OutboxCounts> counts() {
        return Optional.ofNullable(store)
                .map(OutboxStore::total)
                .map(total ->
                        new Answers.OutboxCounts(total.waiting(), total.age().toSeconds(), total.refused()));
    }

    Answers.OutboxStatus status() {
        OutboxTotal total = outbox().total();
        return new Answers.OutboxStatus(
                total.waiting(),
                total.age().toSeconds(),
                total.refused(),
                refused().countByTopic());
    }

    Answers.RefusedPage page(Arguments asked) {
        int limit = asked.limit("limit", 50, Views.MOST_ROWS);
        long after = asked.number("after", Long::valueOf).orElse(0L);
        List<RefusedSummary> found = refused().list(asked.text("topic"), after, limit + 1);
        List<RefusedSummary> page = found.subList(0, Math.min(limit, found.size()));
        return new Answers.RefusedPage(
                page.stream().map(OutboxVerbs::shown).toList(),
                found.size() > limit ? String.valueOf(page.get(limit - 1).number()) : null);
    }

    private static Answers.Refused shown(RefusedSummary of) {
        return new Answers.Refused(of.number(), of.topic(), of.id(), of.addedAt(), of.bytes(), of.reason());
    }

    Answers.OutputOf one(Arguments asked, SecurityContext caller) {
        int most = Views.mostBytes(asked);
        RefusedOutput found = find(asked.required("number", Long::valueOf));
        Output output = found.stored().output();
        Payload bytes = new Payload(output.key(), output.value(), output.headers(), Payload.Origin.RAW);
        ShownPayload payload = new ShownPayload(delivery(found), bytes, masks, most);
        Optional<String> hidden = permissions.whyHidden(caller);
        boolean isShown = hidden.isEmpty();
        return new Answers.OutputOf(
                found.stored().number(),
                output.topic(),
                output.partition(),
                output.id(),
                Optional.ofNullable(output.timestamp())
                        .map(Instant::ofEpochMilli)
                        .orElse(null),
                found.addedAt(),
                found.reason(),
                isShown ? payload.headers() : ShownPayload.names(bytes),
                isShown ? payload.key() : null,
                isShown ? payload.value() : null,
                hidden.orElse(null));
    }

    private RefusedOutput find(long number) {
        return refused().find(number).orElseThrow(() -> notRefused("output " + number));
    }

    private static RefusedException notRefused(String what) {
        return new RefusedException(404, "Kafka has not refused " + Printable.of(what) + ", or it was sent again.");
    }

    /** For masks. */
    private static Delivery delivery(RefusedOutput found) {
        Output output = found.stored().output();
        Integer partition = output.partition();
        Position position = new Position(
                output.topic(),
                partition == null ? -1 : partition,
                found.stored().number());
        try {
            return new Delivery(new MessageId(OutboxOperations.OUTBOX, output.id()), position);
        } catch (InvalidMessageIdException e) {
            // A sender may set any header.
            return new Delivery(
                    new MessageId(
                            OutboxOperations.OUTBOX,
                            String.valueOf(found.stored().number())),
                    position);
        }
    }

    Answers.ChangedOutputs resend(String actor, Arguments asked) {
        asked.requireOneOf("Give a number, or a topic.", asked.has("number"), asked.has("topic"));
        if (asked.has("number")) {
            return one(actor, asked, OutboxOperations::resend);
        }
        String topic = asked.required("topic");
        boolean isDry = asked.flag("dryRun");
        long outputs = isDry
                ? refused().countByTopic().getOrDefault(topic, 0L)
                : own(actor).resendAll(topic, asked.required("reason"));
        if (outputs == 0) {
            throw notRefused("any output to " + topic);
        }
        return new Answers.ChangedOutputs(outputs, isDry);
    }

    Answers.ChangedOutputs discard(String actor, Arguments asked) {
        return one(actor, asked, OutboxOperations::discard);
    }

    /** A verb on one output, which returns whether it was refused. */
    @FunctionalInterface
    private interface Change {
        boolean of(OutboxOperations own, long number, String reason);
    }

    private Answers.ChangedOutputs one(String actor, Arguments asked, Change change) {
        long number = asked.required("number", Long::valueOf);
        boolean isDry = asked.flag("dryRun");
        if (isDry) {
            find(number);
        } else if (!change.of(own(actor), number, asked.required("reason"))) {
            throw notRefused("output " + number);
        }
        return new Answers.ChangedOutputs(1, isDry);
    }

    private OutboxOperations own(String actor) {
        outbox();
        return operations.get().as(actor, Writes.ORIGIN);
    }
}
