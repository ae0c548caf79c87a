package io.idempotency.benchmarks;

/**
 * The space of messages in the database.
 *
 * @param heapBytes the bytes of the ids, without indexes
 * @param indexBytes the bytes of the indexes
 * @param walBytes the bytes of the write-ahead log meanwhile, including those for the effects
 */
record Space(String contestant, long messages, long heapBytes, long indexBytes, long walBytes) {

    double bytesPerMessage() {
        return (double) (heapBytes + indexBytes) / messages;
    }

    double walBytesPerMessage() {
        return (double) walBytes / messages;
    }
}
