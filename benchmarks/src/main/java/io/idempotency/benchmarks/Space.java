package io.idempotency.benchmarks;

/**
 * What messages took in the database.
 *
 * @param heapBytes what remembering them took, without indexes
 * @param indexBytes what its indexes took
 * @param walBytes what the write-ahead log had meanwhile, for their effects, too
 */
record Space(String contestant, long messages, long heapBytes, long indexBytes, long walBytes) {

    double bytesPerMessage() {
        return (double) (heapBytes + indexBytes) / messages;
    }

    double walBytesPerMessage() {
        return (double) walBytes / messages;
    }
}
