package io.idempotency.streams;

import io.idempotency.store.IdempotencyException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * What the store keeps of an id: where its first record was, and when it came by two clocks. Some 21 bytes: numbers take as many bytes as they need, seven
 * bits in each.
 *
 * @param topic the {@linkplain TopicNames number} of the topic
 * @param partition the partition
 * @param offset the offset
 * @param streamTime the {@linkplain #streamTime stream time} when it came, in milliseconds since 1970
 * @param wallTime the time of the machine when it came, in milliseconds since 1970
 * @param life the number of the {@linkplain TaskLife life} of the task that wrote this
 */
record Seen(int topic, int partition, long offset, long streamTime, long wallTime, int life) {

    private static final byte FORMAT = 2;
    private static final int MOST_BYTES = 1 + Integer.BYTES + 5 * 10;
    private static final int MORE = 0x80;

    /** Reads an entry. */
    static Seen of(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        byte format = buffer.get();
        if (format != FORMAT) {
            throw new IdempotencyException(
                    "The state store has an entry of format " + format + ", and this version reads " + FORMAT
                            + " only. Run the version that wrote it, give the deduplication a name that no other store has, or reset the application");
        }
        int topic = buffer.getInt();
        int partition = (int) read(buffer);
        long offset = read(buffer);
        long streamTime = read(buffer);
        long wallTime = streamTime + read(buffer);
        return new Seen(topic, partition, offset, streamTime, wallTime, (int) read(buffer));
    }

    byte[] bytes() {
        ByteBuffer buffer = ByteBuffer.allocate(MOST_BYTES).put(FORMAT).putInt(topic);
        write(buffer, partition);
        write(buffer, offset);
        write(buffer, streamTime);
        write(buffer, wallTime - streamTime);
        write(buffer, life);
        return Arrays.copyOf(buffer.array(), buffer.position());
    }

    /** Returns whether both were read from the same place of the same topic. */
    boolean isAt(Seen other) {
        return topic == other.topic && partition == other.partition && offset == other.offset;
    }

    /** Returns the entry for a record that is forwarded once more: at its place, in its life, since the time of this one. */
    Seen again(Seen now) {
        return new Seen(now.topic, now.partition, now.offset, streamTime, wallTime, now.life);
    }

    /**
     * Returns the stream time that counts: it is never ahead of the clock of the machine. Otherwise one record with a timestamp far ahead would stop it, and no id
     * would be old any more.
     */
    static long streamTime(long streamTime, long wallTime) {
        return Math.min(streamTime, wallTime);
    }

    /**
     * Returns how long ago the record came, in milliseconds: by the clock that has gone on less. One record of today among old ones moves the stream time, and a
     * restart after a long time moves the clock of the machine. Neither alone makes an id old.
     */
    long age(long streamTimeNow, long wallTimeNow) {
        return Math.max(0, Math.min(streamTimeNow - streamTime, wallTimeNow - wallTime));
    }

    /** Small negative numbers take few bytes, too: the sign is the last bit. */
    private static void write(ByteBuffer buffer, long number) {
        long rest = (number << 1) ^ (number >> (Long.SIZE - 1));
        while ((rest & -MORE) != 0) {
            buffer.put((byte) (rest | MORE));
            rest >>>= 7;
        }
        buffer.put((byte) rest);
    }

    private static long read(ByteBuffer buffer) {
        long number = 0;
        int shift = 0;
        byte next = buffer.get();
        for (; next < 0; next = buffer.get()) {
            number |= (long) (next & (MORE - 1)) << shift;
            shift += 7;
        }
        number |= (long) next << shift;
        return (number >>> 1) ^ -(number & 1);
    }
}
