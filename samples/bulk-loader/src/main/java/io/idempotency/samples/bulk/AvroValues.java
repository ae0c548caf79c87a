package io.idempotency.samples.bulk;

import java.io.IOException;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.avro.Conversions;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.SchemaParser;
import org.apache.avro.data.TimeConversions;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericFixed;
import org.apache.avro.generic.IndexedRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonPointer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * Reads values in Avro's binary encoding, all of them written with one schema. Bytes that are left over make a value unreadable: without a schema registry, nothing else
 * tells a record of another schema.
 */
final class AvroValues implements Values {

    static {
        // A damaged value may claim any length, and Avro would allocate it before it reads on.
        limit("bytes", 64 << 20);
        limit("string", 64 << 20);
        limit("collectionItems", 1 << 20);
    }

    /** The single-object encoding begins with it; the fingerprint of the schema follows. */
    private static final short MARKER = (short) 0xC301;

    private static final int HEADER_BYTES = 10;
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final Schema schema;
    private final boolean isSingleObject;
    private final long fingerprint;
    private final GenericData data = new GenericData();

    private AvroValues(Schema schema, boolean isSingleObject) {
        this.schema = schema;
        this.isSingleObject = isSingleObject;
        this.fingerprint = SchemaNormalization.parsingFingerprint64(schema);
        List.of(
                        new Conversions.DecimalConversion(),
                        new Conversions.UUIDConversion(),
                        new TimeConversions.DateConversion(),
                        new TimeConversions.TimeMillisConversion(),
                        new TimeConversions.TimeMicrosConversion(),
                        new TimeConversions.TimestampMillisConversion(),
                        new TimeConversions.TimestampMicrosConversion(),
                        new TimeConversions.LocalTimestampMillisConversion(),
                        new TimeConversions.LocalTimestampMicrosConversion())
                .forEach(data::addLogicalTypeConversion);
    }

    private static void limit(String what, int most) {
        String property = "org.apache.avro.limits." + what + ".maxLength";
        System.setProperty(property, System.getProperty(property, String.valueOf(most)));
    }

    /**
     * Returns values that were written with the schema in a file.
     *
     * @param isSingleObject whether they have the marker and the fingerprint of the single-object encoding; otherwise they begin at once
     */
    static Values of(Path schema, boolean isSingleObject) {
        try {
            return new AvroValues(new SchemaParser().parse(schema).mainSchema(), isSingleObject);
        } catch (IOException | RuntimeException e) {
            throw new LoaderSettings.InvalidException("avro.schema is a file with a schema of Avro, and " + schema
                    + " cannot be read: " + e.getMessage());
        }
    }

    @Override
    public JsonNode read(byte[] value) throws UnusableException {
        int from = isSingleObject ? behindHeader(value) : 0;
        BinaryDecoder decoder = DecoderFactory.get().binaryDecoder(value, from, value.length - from, null);
        JsonNode read;
        try {
            read = node(new GenericDatumReader<>(schema, schema, data).read(null, decoder));
            if (!decoder.isEnd()) {
                throw new UnusableException("the value has bytes behind what the schema describes");
            }
        } catch (IOException | RuntimeException e) {
            throw new UnusableException("the value is no Avro of the schema: " + e);
        }
        return read;
    }

    private int behindHeader(byte[] value) throws UnusableException {
        if (value.length < HEADER_BYTES || ByteBuffer.wrap(value).getShort() != MARKER) {
            throw new UnusableException("the value has no header of Avro's single-object encoding");
        }
        if (ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN).getLong(2) != fingerprint) {
            throw new UnusableException("the value was written with another schema");
        }
        return HEADER_BYTES;
    }

    /** Numbers and truth values stay what they are; bytes are what PostgreSQL reads as bytea; all else is text, such as moments in ISO-8601. */
    private static JsonNode node(@Nullable Object value) {
        if (value == null) {
            return NODES.nullNode();
        } else if (value instanceof IndexedRecord record) {
            ObjectNode node = NODES.objectNode();
            record.getSchema().getFields().forEach(field -> node.set(field.name(), node(record.get(field.pos()))));
            return node;
        } else if (value instanceof Map<?, ?> map) {
            ObjectNode node = NODES.objectNode();
            map.forEach((key, each) -> node.set(key.toString(), node(each)));
            return node;
        } else if (value instanceof Collection<?> all) {
            ArrayNode node = NODES.arrayNode();
            all.forEach(each -> node.add(node(each)));
            return node;
        } else if (value instanceof ByteBuffer bytes) {
            byte[] copy = new byte[bytes.remaining()];
            bytes.duplicate().get(copy);
            return NODES.stringNode("\\x" + HexFormat.of().formatHex(copy));
        } else if (value instanceof GenericFixed fixed) {
            return NODES.stringNode("\\x" + HexFormat.of().formatHex(fixed.bytes()));
        }
        return scalar(value);
    }

    private static JsonNode scalar(Object value) {
        if (value instanceof Boolean flag) {
            return NODES.booleanNode(flag);
        } else if (value instanceof Integer number) {
            return NODES.numberNode(number);
        } else if (value instanceof Long number) {
            return NODES.numberNode(number);
        } else if (value instanceof Float number) {
            return NODES.numberNode(number);
        } else if (value instanceof Double number) {
            return NODES.numberNode(number);
        } else if (value instanceof BigDecimal number) {
            return NODES.numberNode(number);
        }
        return NODES.stringNode(value.toString());
    }

    @Override
    public boolean mayHave(JsonPointer pointer) {
        return mayHave(schema, pointer);
    }

    private static boolean mayHave(Schema of, JsonPointer pointer) {
        if (pointer.matches()) {
            return true;
        }
        return switch (of.getType()) {
            case UNION -> of.getTypes().stream().anyMatch(each -> mayHave(each, pointer));
            case MAP -> mayHave(of.getValueType(), pointer.tail());
            case ARRAY -> pointer.mayMatchElement() && mayHave(of.getElementType(), pointer.tail());
            case RECORD -> {
                Schema.Field field = of.getField(pointer.getMatchingProperty());
                yield field != null && mayHave(field.schema(), pointer.tail());
            }
            default -> false;
        };
    }
}
