package io.idempotency.jdbc;

import io.idempotency.store.IdempotencyException;
import io.idempotency.store.Payload.Header;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes and reads the headers of a message as bytes: their count, then for each header the length and UTF-8 bytes of its name, and the length and
 * bytes of its value. Numbers have four bytes, the highest first. The length -1 stands for an absent value.
 */
final class StoredHeaders {

    private StoredHeaders() {}

    static byte[] toBytes(List<Header> headers) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            out.writeInt(headers.size());
            for (Header header : headers) {
                byte[] name = header.name().getBytes(StandardCharsets.UTF_8);
                out.writeInt(name.length);
                out.write(name);
                byte[] value = header.value();
                out.writeInt(value == null ? -1 : value.length);
                if (value != null) {
                    out.write(value);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    static List<Header> fromBytes(byte[] bytes) {
        try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            List<Header> headers = new ArrayList<>();
            for (int left = in.readInt(); left > 0; left--) {
                String name = new String(in.readNBytes(in.readInt()), StandardCharsets.UTF_8);
                int length = in.readInt();
                headers.add(new Header(name, length < 0 ? null : in.readNBytes(length)));
            }
            return headers;
        } catch (IOException | IllegalArgumentException e) {
            throw new IdempotencyException("The stored headers of a quarantined message cannot be read", e);
        }
    }
}
