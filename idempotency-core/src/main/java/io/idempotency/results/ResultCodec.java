package io.idempotency.results;

/**
 * Turns results into bytes and back. An exception on the way to bytes fails the handler. Thread-safe.
 *
 * <pre>{@code
 * ResultCodec json = new ResultCodec() {
 *     public byte[] toBytes(Object value) {
 *         return mapper.writeValueAsBytes(value);
 *     }
 *     public <T> T fromBytes(byte[] content, Class<T> type) {
 *         return mapper.readValue(content, type);
 *     }
 * };
 * }</pre>
 */
public interface ResultCodec {

    /** Returns the bytes of a value. */
    byte[] toBytes(Object value) throws Exception;

    /** Returns the value with these bytes. They may be those of an earlier version of the program. */
    <T> T fromBytes(byte[] content, Class<T> type) throws Exception;
}
