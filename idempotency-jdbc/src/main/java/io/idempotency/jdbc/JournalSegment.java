package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import io.idempotency.store.StoredId;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A row of a journal: the messages of one partition that were granted to one claim, in the order of their offsets.
 *
 * @param kind the outcome of the messages
 * @param at when, in microseconds since 1970 UTC; never earlier than the previous segment
 * @param ids two numbers for each message
 * @param offsets one for each message, ascending
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares segments
record JournalSegment(JournalTip tip, Kind kind, long at, long[] ids, long[] offsets) {

    /** The outcome of the messages of a segment. A later entry of a message overrides an earlier one. */
    enum Kind {
        PROCESSED(0),
        QUARANTINED(1),
        FORGOTTEN(2),
        /** Committed and never proved: it counts as absent, but takes up its version. */
        UNPROVED(3),
        /** Deleted from quarantine: settled, not processed. */
        DROPPED(4),
        /** Expired before it was handled: settled, not processed. */
        EXPIRED(5);

        private final int number;

        Kind(int number) {
            this.number = number;
        }

        int number() {
            return number;
        }

        static Kind of(int number) {
            return switch (number) {
                case 0 -> PROCESSED;
                case 1 -> QUARANTINED;
                case 2 -> FORGOTTEN;
                case 4 -> DROPPED;
                case 5 -> EXPIRED;
                default -> UNPROVED;
            };
        }
    }

    /** Returns the same segment with another token. */
    JournalSegment withAnotherToken() {
        return new JournalSegment(
                new JournalTip(tip.version(), ThreadLocalRandom.current().nextLong()), kind, at, ids, offsets);
    }

    /** The content of a segment, without tip and time. */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares contents
    record Content(Kind kind, long[] ids, long[] offsets) {

        /** Returns entries about the messages of deliveries of one partition. */
        static Content of(Kind kind, List<Delivery> deliveries) {
            List<Delivery> sorted = deliveries.stream()
                    .sorted(Comparator.comparing(delivery -> delivery.position().offset()))
                    .toList();
            long[] ids = new long[2 * sorted.size()];
            long[] offsets = new long[sorted.size()];
            for (int i = 0; i < offsets.length; i++) {
                UUID id = StoredId.of(sorted.get(i).id().value());
                ids[2 * i] = id.getMostSignificantBits();
                ids[2 * i + 1] = id.getLeastSignificantBits();
                offsets[i] = sorted.get(i).position().offset();
            }
            return new Content(kind, ids, offsets);
        }

        JournalSegment at(JournalTip tip, long at) {
            return new JournalSegment(tip, kind, at, ids, offsets);
        }

        int size() {
            return offsets.length;
        }

        long first() {
            return offsets[0];
        }

        long last() {
            return offsets[offsets.length - 1];
        }

        byte[] packedIds() {
            ByteBuffer bytes = ByteBuffer.allocate(ids.length * Long.BYTES);
            bytes.asLongBuffer().put(ids);
            return bytes.array();
        }

        /** Returns the gap between each offset and the previous one, seven bits in a byte; empty if all offsets are consecutive. */
        byte[] packedGaps() {
            if (isInARow(offsets)) {
                return new byte[0];
            }
            ByteBuffer bytes = ByteBuffer.allocate(offsets.length * MOST_BYTES_OF_A_GAP);
            for (int i = 1; i < offsets.length; i++) {
                long gap = offsets[i] - offsets[i - 1];
                while (gap > 0x7F) {
                    bytes.put((byte) ((gap & 0x7F) | 0x80));
                    gap >>>= 7;
                }
                bytes.put((byte) gap);
            }
            return Arrays.copyOf(bytes.array(), bytes.position());
        }
    }

    private static final int MOST_BYTES_OF_A_GAP = 9;

    static boolean isInARow(long[] offsets) {
        for (int i = 1; i < offsets.length; i++) {
            if (offsets[i] != offsets[i - 1] + 1) {
                return false;
            }
        }
        return true;
    }

    static Content unpacked(int kind, long first, byte[] ids, byte[] gaps) {
        LongBuffer numbers = ByteBuffer.wrap(ids).asLongBuffer();
        long[] unpackedIds = new long[numbers.remaining()];
        numbers.get(unpackedIds);
        long[] offsets = new long[unpackedIds.length / 2];
        ByteBuffer left = ByteBuffer.wrap(gaps);
        offsets[0] = first;
        for (int i = 1; i < offsets.length; i++) {
            offsets[i] = offsets[i - 1] + (gaps.length == 0 ? 1 : gap(left));
        }
        return new Content(Kind.of(kind), unpackedIds, offsets);
    }

    private static long gap(ByteBuffer bytes) {
        long gap = 0;
        int shift = 0;
        byte next = bytes.get();
        while (next < 0) {
            gap |= (long) (next & 0x7F) << shift;
            shift += 7;
            next = bytes.get();
        }
        return gap | (long) next << shift;
    }
}
