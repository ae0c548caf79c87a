package io.idempotency.store;

/**
 * Something that a handler returned, as it is stored.
 *
 * @param name tells it from other results of the same message
 * @param type the class of what it was
 * @param fingerprint a digest of the request; empty if none is kept
 * @param content its bytes
 */
@SuppressWarnings("ArrayRecordComponent") // a carrier of bytes between a table and a codec; never compared
public record StoredResult(String name, String type, byte[] fingerprint, byte[] content) {

    /** Names what it is, and no content. */
    @Override
    public String toString() {
        return name + " of type " + type + " with " + content.length + " bytes";
    }
}
