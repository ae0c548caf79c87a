package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches deliveries beside their handlers, and never stands in their way:
 *
 * <ol>
 *   <li>Before the call it reads the id, as a real run does, because a handler may change its message.
 *   <li>The handler is called as without the library. Its exception leaves unchanged.
 *   <li>If the handler returned, the delivery goes into a bounded queue; if the queue is full, it is dropped and counted. Within a transaction
 *       on the store's data it goes there after the commit.
 *   <li>One thread takes the queue to the store, in {@link ShadowClaims}.
 * </ol>
 *
 * <p>Thread-safe.
 */
final class Shadow<M> implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);

    private final Settings<M> settings;
    private final Reading<M> reading;
    private final Scopes<M> scopes;
    private final LongSupplier nanoTime;
    private final ShadowReports reports;
    private final ShadowQueue queue;

    Shadow(Flow<M> flow, Reading<M> reading, Scopes<M> scopes) {
        this.settings = flow.settings();
        this.reading = reading;
        this.scopes = scopes;
        this.nanoTime = flow.nanoTime();
        this.reports = new ShadowReports(settings, nanoTime);
        this.queue = new ShadowQueue(
                settings.name(), settings.chunks().records(), reports, new ShadowClaims<>(flow, scopes, reports));
    }

    long nanos() {
        return nanoTime.getAsLong();
    }

    /** Calls the handler as without the library, and watches. */
    BatchResult handle(List<M> messages, Handling<M> handling) {
        if (!messages.isEmpty()) {
            WatchedCall call = watch(messages);
            try {
                handling.watched(messages, claims(messages, call), call);
            } catch (Exception thrown) {
                throw Sneaky.unchecked(thrown);
            }
        }
        return new BatchResult(Collections.nCopies(messages.size(), Outcome.PROCESSED), List.of());
    }

    private List<Claim> claims(List<M> messages, WatchedCall call) {
        List<Delivery> read = call.deliveries();
        return (read.isEmpty() ? Collections.nCopies(messages.size(), unread()) : read)
                .stream().map(Claim::granted).toList();
    }

    private Delivery unread() {
        return new Delivery(new MessageId(settings.name(), "unread"), Position.UNKNOWN);
    }

    /** Reads what a real run reads before it calls the handler. If that fails, the call is not watched. */
    WatchedCall watch(List<M> messages) {
        List<WatchedCall.Before> before = new ArrayList<>(messages.size());
        try {
            reading.read(messages).forEach(item -> before.add(before(item)));
        } catch (Throwable thrown) {
            Causes.letFatalLeave(thrown);
            log.debug("Shadow consumer {} cannot read messages.", settings.name(), FailureText.loggable(thrown));
            messages.forEach(message -> reports.dropped(unread()));
            before.clear();
        }
        return new WatchedCall(this, before);
    }

    private WatchedCall.Before before(Item<M> item) {
        if (item.unreadable().isPresent()) {
            return new WatchedCall.Before(item, null, item.unreadable());
        }
        try {
            return new WatchedCall.Before(item, scopes.of(item.message()), Optional.empty());
        } catch (Throwable thrown) {
            Causes.letFatalLeave(thrown);
            return new WatchedCall.Before(item, null, Optional.of(thrown));
        }
    }

    /** Notes the end of a handler call for some of its messages; drops them if that fails. */
    void note(List<WatchedCall.Before> some, Watched.Kind kind, long began, long ended) {
        try {
            if (kind == Watched.Kind.HANDLED
                    && settings.storage().store().transactions().isActive()) {
                List<WatchedCall.Before> later = List.copyOf(some);
                settings.storage().store().transactions().afterCommit(() -> add(later, kind, began, ended));
            } else {
                add(some, kind, began, ended);
            }
        } catch (RuntimeException e) {
            log.debug("{} is not watched.", some.get(0).item().delivery(), e);
            some.forEach(before -> reports.dropped(before.item().delivery()));
        }
    }

    private void add(List<WatchedCall.Before> some, Watched.Kind kind, long began, long ended) {
        for (WatchedCall.Before before : some) {
            if (queue.isFull()) {
                reports.dropped(before.item().delivery());
            } else {
                queue.add(new Watched(
                        before.item().delivery(),
                        kind,
                        before.refusal(),
                        before.scope(),
                        before.item().expiry().orElse(null),
                        began,
                        ended - began));
            }
        }
    }

    void left(Lane lane) {
        queue.left(lane);
    }

    @Override
    public void close() {
        queue.close();
    }
}
