package io.idempotency;

import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import org.jspecify.annotations.Nullable;

/**
 * The state of one partition in trouble.
 *
 * @param failing the message that failed alone
 * @param waits how often the partition has waited in a row without a failure of its own
 * @param row failures in a row that say nothing about a message
 * @param limit how many messages may share a transaction
 * @param failure why messages were quarantined last
 * @param failuresInARow how many in a row were for that reason
 * @param failedNanos when the last of them was
 */
record Trouble(
        @Nullable Failing failing,
        int waits,
        Row row,
        int limit,
        String failure,
        int failuresInARow,
        long failedNanos) {

    static final Trouble NONE = new Trouble(null, 0, Row.NONE, Integer.MAX_VALUE, "", 0, 0);

    /** A message that failed alone, with its bytes if they are kept. */
    record Failing(MessageId id, int attempts, @Nullable Payload payload) {}

    /** Failures in a row that say nothing about a message. */
    record Row(int failures, long sinceNanos) {

        static final Row NONE = new Row(0, 0);
    }

    @Nullable
    Failing failing(MessageId id) {
        return failing != null && failing.id().equals(id) ? failing : null;
    }

    Trouble withFailing(@Nullable Failing now) {
        return new Trouble(now, waits, row, limit, failure, failuresInARow, failedNanos);
    }

    Trouble settled(MessageId id) {
        return new Trouble(
                failing(id) == null ? failing : null, 0, Row.NONE, limit, failure, failuresInARow, failedNanos);
    }

    Trouble waiting(Row now) {
        return new Trouble(failing, waits + 1, now, limit, failure, failuresInARow, failedNanos);
    }

    Trouble withLimit(int now) {
        return new Trouble(failing, waits, row, now, failure, failuresInARow, failedNanos);
    }

    Trouble withFailure(String signature, int inARow, long nanos) {
        return new Trouble(failing, waits, row, limit, signature, inARow, nanos);
    }

    /** Returns how many bytes of the failing message are kept. */
    long keptBytes() {
        return failing == null || failing.payload() == null ? 0 : bytes(failing.payload());
    }

    static long bytes(Payload payload) {
        long headers = payload.headers().stream()
                .mapToLong(header -> 2L * header.name().length() + length(header.value()))
                .sum();
        return headers + length(payload.key()) + length(payload.value());
    }

    private static int length(byte @Nullable [] bytes) {
        return bytes == null ? 0 : bytes.length;
    }
}
