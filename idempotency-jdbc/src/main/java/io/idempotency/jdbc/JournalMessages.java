package io.idempotency.jdbc;

import io.idempotency.jdbc.JournalClaims.Following;
import io.idempotency.jdbc.JournalSegment.Content;
import io.idempotency.jdbc.JournalSegment.Kind;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageRange;
import io.idempotency.store.MessageStatus;
import io.idempotency.store.Processed;
import io.idempotency.store.StoredId;
import io.idempotency.store.StoredMessage;
import io.idempotency.store.StoredMessages;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import java.util.UUID;
import java.util.stream.Collectors;

/** The entries of journals, for operators. Each change is an entry that follows the newest one of its message. */
final class JournalMessages implements StoredMessages {

    private final JdbcTransactions transactions;
    private final Connections connections;
    private final StoreDatabase database;
    private final Retentions retentions;
    private final JournalWindows windows;
    private final JournalClaims claims;
    private final JournalSearch search;
    private final JournalRanges ranges;

    /** What the journals of a store share. */
    record Shared(
            JdbcTransactions transactions,
            Connections connections,
            StoreDatabase database,
            Retentions retentions,
            JournalWindows windows,
            JournalClaims claims) {}

    JournalMessages(Shared shared) {
        this.transactions = shared.transactions();
        this.connections = shared.connections();
        this.database = shared.database();
        this.retentions = shared.retentions();
        this.windows = shared.windows();
        this.claims = shared.claims();
        this.search = new JournalSearch(database, connections);
        this.ranges = new JournalRanges(database, windows, claims);
    }

    /** Returns the first journal that remembers the message, and its answer. */
    Optional<JournalSearch.Found> find(MessageId id) {
        return search.find(id, proposed(), own());
    }

    private Map<JournalTip, Kind> own() {
        return !transactions.isActive()
                ? Map.of()
                : JournalTransaction.of(ActiveTransaction.of(database)).overlays().values().stream()
                        .flatMap(overlay -> overlay.segments().stream())
                        .collect(Collectors.toMap(JournalSegment::tip, JournalSegment::kind));
    }

    private Map<String, Integer> proposed() {
        return transactions.isActive() ? ActiveTransaction.of(database).proposedNames() : new HashMap<>();
    }

    @Override
    public Optional<StoredMessage> look(MessageId id) {
        return find(id).map(found -> {
            Processed processed = found.processed();
            return new StoredMessage(status(found.kind()), processed.position(), processed.at(), processed.age(), 1);
        });
    }

    private static MessageStatus status(Kind kind) {
        return switch (kind) {
            case PROCESSED -> MessageStatus.PROCESSED;
            case QUARANTINED -> MessageStatus.QUARANTINED;
            case DROPPED -> MessageStatus.DROPPED;
            case EXPIRED -> MessageStatus.EXPIRED;
            case FORGOTTEN, UNPROVED -> MessageStatus.UNKNOWN;
        };
    }

    /** The oldest segments were purged. */
    private static final String FORGOTTEN =
            "select max(at_micros) - n.${column} from ${tables}journal where consumer = n.id and horizon_version > 0";

    @Override
    public Retained retained(String consumer) {
        return connections.onCurrent(
                "read a retention",
                connection -> retentions.retained(connection, consumer, FORGOTTEN, database.now(connection)));
    }

    @Override
    public SortedSet<String> consumers() {
        return connections.onCurrent("read the names of consumers", retentions::consumers);
    }

    /** {@inheritDoc} The position must be known. */
    @Override
    public boolean drop(Delivery delivery) {
        JournalPlace place = windows.place(delivery);
        return append(
                        "drop a message",
                        place,
                        content(Kind.DROPPED, delivery.id(), delivery.position().offset()),
                        (newest, offset) ->
                                newest == null || (newest.kind() != Kind.PROCESSED && newest.kind() != Kind.EXPIRED))
                > 0;
    }

    /** Forgets a message, see {@link JournalStore#forget}. */
    boolean forget(MessageId id) {
        Optional<JournalSearch.Found> found = find(id);
        if (found.isEmpty()) {
            return false;
        }
        Processed processed = found.get().processed();
        int forgotten = append(
                "forget a message",
                new JournalPlace(
                        id.consumer(),
                        processed.position().stream(),
                        processed.position().partition()),
                content(Kind.FORGOTTEN, id, processed.position().offset()),
                (newest, offset) -> newest == null || newest.kind() != Kind.QUARANTINED);
        if (forgotten == 0) {
            throw SqlFailures.quarantined(id);
        }
        return true;
    }

    private static Content content(Kind kind, MessageId message, long offset) {
        UUID id = StoredId.of(message.value());
        return new Content(
                kind, new long[] {id.getMostSignificantBits(), id.getLeastSignificantBits()}, new long[] {offset});
    }

    private int append(String verb, JournalPlace place, Content content, Following following) {
        return connections.joining(verb, connection -> {
            ActiveTransaction active = activeTransaction();
            int appended = claims.append(active, windows.of(connection, place, active), content, following);
            Integer consumer = database.consumer(connection, place.consumer(), active.proposedNames());
            if (appended > 0 && content.kind() == Kind.FORGOTTEN && consumer != null) {
                database.forgetSettled(connection, consumer);
            }
            return appended;
        });
    }

    @Override
    public Batch forget(MessageRange range, String after, int limit) {
        return batch("forget messages", new JournalRanges.Asked(range, after, limit, true));
    }

    @Override
    public Batch count(MessageRange range, String after, int limit) {
        return batch("count messages", new JournalRanges.Asked(range, after, limit, false));
    }

    private Batch batch(String verb, JournalRanges.Asked asked) {
        return connections.joining(verb, connection -> ranges.batch(connection, activeTransaction(), asked));
    }

    private ActiveTransaction activeTransaction() {
        transactions.requireClaimable();
        return ActiveTransaction.of(database);
    }
}
