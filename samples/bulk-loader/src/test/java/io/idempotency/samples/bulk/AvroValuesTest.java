package io.idempotency.samples.bulk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.JsonPointer;

class AvroValuesTest {

    @TempDir
    private Path folder;

    private Path schema;

    @BeforeEach
    void writeSchema() throws IOException {
        schema = Files.writeString(folder.resolve("order.avsc"), Orders.SCHEMA);
    }

    private String text(String pointer, byte[] value) throws Values.UnusableException {
        return AvroValues.of(schema, false)
                .read(value)
                .at(JsonPointer.compile(pointer))
                .toString();
    }

    @Test
    void readsEachTypeAsPostgresqlReadsIt() throws Values.UnusableException {
        byte[] order = Orders.bytes("avro", "o-1", 1050);

        assertThat(text("/id", order)).isEqualTo("\"o-1\"");
        assertThat(text("/cents", order)).isEqualTo("1050");
        assertThat(text("/customer/name", order)).isEqualTo("\"c\\t1050\"");
        assertThat(text("/customer/tags", order)).isEqualTo("[\"a\",\"b\"]");
        assertThat(text("/customer/tags/1", order)).isEqualTo("\"b\"");
        assertThat(text("/customer/notes/hint", order)).isEqualTo("\"x\"");
        assertThat(text("/price", order)).isEqualTo("10.50");
        assertThat(text("/at", order)).isEqualTo("\"2026-11-28T10:00:00.500Z\"");
        assertThat(text("/day", order)).isEqualTo("\"2026-11-29\"");
        assertThat(text("/kind", order)).isEqualTo("\"PAID\"");
        assertThat(text("/token", order)).isEqualTo("\"\\\\x01fe\"");
    }

    /** A value is cut at each byte, and none of the parts is taken for an order. */
    @ParameterizedTest
    @ValueSource(strings = {"avro", "avro-single-object"})
    void refusesAValueThatIsCutOrHasBytesBehindIt(String format) throws Values.UnusableException {
        Values values = AvroValues.of(schema, format.equals("avro-single-object"));
        byte[] order = Orders.bytes(format, "o-1", 1050);
        values.read(order);

        for (int bytes = 0; bytes < order.length; bytes++) {
            byte[] cut = Arrays.copyOf(order, bytes);
            assertThatThrownBy(() -> values.read(cut)).isInstanceOf(Values.UnusableException.class);
        }
        byte[] longer = Arrays.copyOf(order, order.length + 1);
        assertThatThrownBy(() -> values.read(longer))
                .isInstanceOf(Values.UnusableException.class)
                .hasMessageContaining("bytes behind");
    }

    /** The first number of a value is the length of a text, and a damaged one may claim a gigabyte. */
    @Test
    void refusesAValueThatClaimsToBeHuge() {
        byte[] huge = {(byte) 0x80, (byte) 0x80, (byte) 0x80, (byte) 0x80, 0x08, 'x'};
        assertThatThrownBy(() -> AvroValues.of(schema, false).read(huge)).isInstanceOf(Values.UnusableException.class);
    }

    @Test
    void tellsASchemaByTheSingleObjectEncoding() throws IOException {
        Schema other =
                SchemaBuilder.record("Order").fields().requiredString("id").endRecord();
        GenericRecord record = new GenericData.Record(other);
        record.put("id", "o-1");
        Values values = AvroValues.of(schema, true);

        assertThatThrownBy(() -> values.read(Orders.singleObject(other, record)))
                .isInstanceOf(Values.UnusableException.class)
                .hasMessageContaining("another schema");
        assertThatThrownBy(() -> values.read(Orders.bytes("avro", "o-1", 1)))
                .isInstanceOf(Values.UnusableException.class)
                .hasMessageContaining("no header");
    }

    @Test
    void refusesColumnsThatTheSchemaDoesNotHave() {
        for (String wrong : new String[] {"/nme", "/customer/nme", "/cents/0", "/customer/tags/first"}) {
            assertThatThrownBy(() -> LoaderSettings.of(properties(wrong, schema.toString())))
                    .isInstanceOf(LoaderSettings.InvalidException.class)
                    .hasMessageContaining(wrong);
        }
        for (String right : new String[] {"/customer", "/customer/name", "/customer/tags/0", "/customer/notes/any"}) {
            assertThat(LoaderSettings.of(properties(right, schema.toString()))
                            .target()
                            .columns())
                    .hasSize(1);
        }
    }

    @Test
    void refusesAFileThatIsNoSchema() throws IOException {
        Path broken = Files.writeString(folder.resolve("broken.avsc"), "{");
        for (Path file : new Path[] {broken, folder.resolve("missing.avsc")}) {
            assertThatThrownBy(() -> LoaderSettings.of(properties("/id", file.toString())))
                    .isInstanceOf(LoaderSettings.InvalidException.class)
                    .hasMessageContaining(file.toString());
        }
    }

    private static Properties properties(String pointer, String file) {
        Properties properties = new Properties();
        properties.putAll(Map.of(
                "name", "orders",
                "kafka.bootstrap.servers", "localhost:9092",
                "topic", "orders",
                "jdbc.url", "jdbc:postgresql://localhost/warehouse",
                "table", "orders",
                "columns", "x=" + pointer,
                "format", "avro",
                "avro.schema", file));
        return properties;
    }
}
