package io.idempotency.samples.bulk;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import org.apache.avro.Schema;
import org.apache.avro.SchemaParser;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.message.BinaryMessageEncoder;

/** Orders in the formats that a loader reads. */
final class Orders {

    /** What a file with the schema has in it. */
    static final String SCHEMA = """
            {"type": "record", "name": "Order", "fields": [
                {"name": "id", "type": "string"},
                {"name": "customer", "type": {"type": "record", "name": "Customer", "fields": [
                    {"name": "name", "type": ["null", "string"]},
                    {"name": "tags", "type": {"type": "array", "items": "string"}},
                    {"name": "notes", "type": {"type": "map", "values": "string"}}]}},
                {"name": "cents", "type": "long"},
                {"name": "price", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
                {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
                {"name": "day", "type": {"type": "int", "logicalType": "date"}},
                {"name": "kind", "type": {"type": "enum", "name": "Kind", "symbols": ["NEW", "PAID"]}},
                {"name": "token", "type": "bytes"}]}
            """;

    static final Schema TYPE = new SchemaParser().parse(SCHEMA).mainSchema();

    private Orders() {}

    static GenericRecord order(String id, long cents) {
        GenericRecord customer =
                new GenericData.Record(TYPE.getField("customer").schema());
        customer.put("name", "c\t" + cents);
        customer.put("tags", java.util.List.of("a", "b"));
        customer.put("notes", java.util.Map.of("hint", "x"));
        GenericRecord order = new GenericData.Record(TYPE);
        order.put("id", id);
        order.put("customer", customer);
        order.put("cents", cents);
        order.put("price", ByteBuffer.wrap(new byte[] {4, 26}));
        order.put("at", 1_795_860_000_500L);
        order.put("day", 20_786);
        order.put("kind", new GenericData.EnumSymbol(TYPE.getField("kind").schema(), "PAID"));
        order.put("token", ByteBuffer.wrap(new byte[] {1, (byte) 0xFE}));
        return order;
    }

    /** Writes an order as the setting {@code format} names it. */
    static byte[] bytes(String format, String id, long cents) {
        try {
            return switch (format) {
                case "avro" -> binary(TYPE, order(id, cents));
                case "avro-single-object" -> singleObject(TYPE, order(id, cents));
                default ->
                    "{\"id\":\"%s\",\"customer\":{\"name\":\"c\\t%d\"},\"cents\":%d}"
                            .formatted(id, cents, cents)
                            .getBytes(UTF_8);
            };
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static byte[] binary(Schema schema, Object value) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(bytes, null);
        new GenericDatumWriter<>(schema).write(value, encoder);
        encoder.flush();
        return bytes.toByteArray();
    }

    static byte[] singleObject(Schema schema, Object value) throws IOException {
        ByteBuffer encoded = new BinaryMessageEncoder<>(GenericData.get(), schema).encode(value);
        byte[] bytes = new byte[encoded.remaining()];
        encoded.get(bytes);
        return bytes;
    }
}
