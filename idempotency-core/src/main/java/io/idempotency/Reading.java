package io.idempotency;

import io.idempotency.store.Delivery;
import io.idempotency.store.InvalidMessageIdException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.StandIn;
import io.idempotency.store.UnreadableMessageIdException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads the positions and ids of messages. A message whose id cannot be read fails, alone. Thread-safe. */
final class Reading<M> {

    private static final Logger log = LoggerFactory.getLogger(IdempotentConsumer.class);
    private static final int MOST_STREAMS = 10_000;

    private final String consumer;
    private final MessageReader<? super M> reader;
    private final MessageIdExtractor<? super M> messageId;
    private final Optional<KeyReading<M>> key;
    private final MessageExpiry<? super M> expiry;
    private final boolean isPartitioned;
    /** Streams that have had a message with a usable id, up to a limit. */
    private final Set<String> streams = ConcurrentHashMap.newKeySet();

    Reading(Settings<M> settings) {
        this.consumer = settings.name();
        this.reader = settings.messages().reader();
        this.messageId = settings.messages().id();
        this.key = settings.messages().key();
        this.expiry = settings.messages().expiry();
        this.isPartitioned = settings.level() != ConsistencyLevel.NONE
                && settings.storage().store().isPartitioned();
    }

    List<Item<M>> read(List<M> messages) {
        List<Item<M>> items = new ArrayList<>(messages.size());
        Lane lane = Lane.of(Position.UNKNOWN);
        @Nullable Lane usable = null;
        boolean isUsable = true;
        for (int i = 0; i < messages.size(); i++) {
            M message = messages.get(i);
            Position position = position(message);
            if (isShared(message)) {
                lane = Lane.alone(position);
            } else if (!lane.holds(position)) {
                lane = Lane.of(position);
            }
            Item<M> item = read(i, message, position, lane);
            items.add(item);
            if (!item.hasUsableId()) {
                isUsable = false;
            } else if (!lane.equals(usable)) {
                noteUsable(lane);
                usable = lane;
            }
        }
        if (!isUsable) {
            items.forEach(this::doubt);
        }
        return items;
    }

    /** Returns the position; {@link Position#UNKNOWN} if it cannot be read. */
    private Position position(M message) {
        try {
            return Objects.requireNonNull(reader.position(message));
        } catch (Throwable thrown) {
            Causes.letFatalLeave(thrown);
            log.warn(
                    "The position of a message cannot be read; it is handled as one without a position.",
                    FailureText.loggable(thrown));
            return Position.UNKNOWN;
        }
    }

    private boolean isShared(M message) {
        try {
            return reader.isShared(message);
        } catch (Throwable thrown) {
            Causes.letFatalLeave(thrown);
            log.warn("It is unknown how a message was delivered.", FailureText.loggable(thrown));
            return false;
        }
    }

    private long timestamp(M message) {
        try {
            return reader.timestamp(message);
        } catch (Throwable thrown) {
            Causes.letFatalLeave(thrown);
            log.warn("The timestamp of a message cannot be read.", FailureText.loggable(thrown));
            return -1;
        }
    }

    /** What could be read of a message besides its id. */
    record Read(@Nullable Throwable unreadable, @Nullable Instant expiry) {

        /** Its id can be used, and it never expires. */
        static final Read PLAIN = new Read(null, null);
    }

    private Item<M> read(int index, M message, Position position, Lane lane) {
        MessageId id;
        Read read;
        try {
            if (isPartitioned) {
                reader.requireHome(message);
            }
            id = new MessageId(
                    consumer,
                    messageId
                            .messageId(message)
                            .orElseThrow(() -> new InvalidMessageIdException("There is no message id at " + position
                                    + ". Let the producer send one, or name its place by messageId(..)")));
            read = expiry(message, position);
        } catch (Throwable thrown) {
            Causes.letFatalLeave(thrown);
            id = new MessageId(consumer, reader.standIn(message));
            read = new Read(located(position, thrown), null);
        }
        Item<M> item = new Item<>(index, message, new Delivery(id, position, timestamp(message)), lane, read);
        key.ifPresent(reading -> reading.read(item));
        return item;
    }

    private Read expiry(M message, Position position) {
        try {
            Optional<Instant> at = expiry.expiry(message);
            return at.isEmpty() ? Read.PLAIN : new Read(null, at.get());
        } catch (InvalidExpiryException invalid) {
            return new Read(invalid, null);
        } catch (Throwable thrown) {
            Causes.letFatalLeave(thrown);
            return new Read(
                    new InvalidExpiryException(
                            "The expiry of the message at " + position + " cannot be read. "
                                    + FailureText.message(thrown),
                            thrown),
                    null);
        }
    }

    private void noteUsable(Lane lane) {
        if (!streams.contains(lane.stream()) && streams.size() < MOST_STREAMS) {
            streams.add(lane.stream());
        }
    }

    private void doubt(Item<M> item) {
        if (!item.hasUsableId() && !streams.contains(item.lane().stream())) {
            item.doubtReading();
        }
    }

    private static Throwable located(Position position, Throwable thrown) {
        boolean isInvalid = thrown instanceof InvalidMessageIdException;
        if (isInvalid ? FailureText.message(thrown).contains(position.toString()) : !isUnknown(position)) {
            return thrown;
        }
        // Without id and position its attempts cannot be counted, so it is one that is not tried again.
        String what = "The message at " + position + " has no usable id. " + FailureText.message(thrown);
        return isInvalid && !(thrown instanceof UnreadableMessageIdException)
                ? new InvalidMessageIdException(what, thrown)
                : new UnreadableMessageIdException(what, thrown);
    }

    /** Returns the item of a message that cannot become an {@code M}; an unusable id counts as none. */
    Item<Payload> rejected(Lane lane, Position position, Optional<String> messageIdValue, Payload payload) {
        String standIn = StandIn.of(position, payload.key(), payload.value());
        MessageId id;
        try {
            id = new MessageId(consumer, messageIdValue.orElse(standIn));
        } catch (InvalidMessageIdException e) {
            id = new MessageId(consumer, standIn);
        }
        Item<Payload> item = new Item<>(0, payload, new Delivery(id, position), lane, Read.PLAIN);
        key.ifPresent(reading -> reading.readRejected(item));
        return item;
    }

    private static boolean isUnknown(Position position) {
        return position.equals(Position.UNKNOWN);
    }
}
