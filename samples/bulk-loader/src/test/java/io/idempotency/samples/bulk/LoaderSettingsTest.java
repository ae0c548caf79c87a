package io.idempotency.samples.bulk;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.ConsistencyLevel;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LoaderSettingsTest {

    private static Properties properties() {
        Properties properties = new Properties();
        properties.putAll(Map.of(
                "name", "orders",
                "kafka.bootstrap.servers", "localhost:9092",
                "topic", "orders",
                "jdbc.url", "jdbc:postgresql://localhost/warehouse",
                "table", "warehouse.orders",
                "columns", "id=/id, customer=/customer/name"));
        return properties;
    }

    @Test
    void hasDefaults() {
        LoaderSettings settings = LoaderSettings.of(properties());
        assertThat(settings.target().copy()).isEqualTo("copy warehouse.orders (id, customer) from stdin");
        assertThat(settings.level()).isEqualTo(ConsistencyLevel.STRONG);
        assertThat(settings.batchRecords()).isEqualTo(50_000);
        assertThat(settings.batchTime()).isEqualTo(Duration.ofSeconds(5));
        assertThat(settings.kafka())
                .containsEntry("group.id", "orders")
                .containsEntry("auto.offset.reset", "earliest")
                .containsEntry("max.poll.records", "5000");
    }

    @Test
    void pollsLessThanABatch() {
        Properties properties = properties();
        properties.setProperty("batch.records", "100");
        assertThat(LoaderSettings.of(properties).kafka()).containsEntry("max.poll.records", "50");
    }

    @ParameterizedTest
    @CsvSource({
        "topic, '', topic is missing",
        "table, orders; drop, plain name",
        "columns, id, JSON pointer",
        "level, exactly, level is one of",
        "store, memory, table or journal",
        "format, xml, format is json",
        "format, avro, avro.schema is missing",
        "batch.records, many, batch.records",
        "batch.time, soon, batch.time",
        "attempts, 0, attempts"
    })
    void namesTheSettingThatIsWrong(String key, String value, String message) {
        Properties properties = properties();
        properties.setProperty(key, value);
        assertThatThrownBy(() -> LoaderSettings.of(properties))
                .isInstanceOf(LoaderSettings.InvalidException.class)
                .hasMessageContaining(message);
    }

    private static String row(String json) throws Values.UnusableException {
        ByteArrayOutputStream rows = new ByteArrayOutputStream();
        new CopyRows(Values.json(), LoaderSettings.of(properties()).target())
                .append(new ConsumerRecord<>("orders", 0, 0, null, json.getBytes(UTF_8)), rows);
        return rows.toString(UTF_8);
    }

    @Test
    void writesLinesThatPostgresqlReads() throws Values.UnusableException {
        assertThat(row("{\"id\":1,\"customer\":{\"name\":\"a\\tb\\\\c\\nd\"}}")).isEqualTo("1\ta\\tb\\\\c\\nd\n");
        assertThat(row("{\"id\":true,\"customer\":{}}")).isEqualTo("true\t\\N\n");
        assertThat(row("{\"customer\":{\"name\":{\"first\":\"a\"}}}")).isEqualTo("\\N\t{\"first\":\"a\"}\n");
        assertThat(row("{\"id\":\"\",\"customer\":null}")).isEqualTo("\t\\N\n");
    }

    @Test
    void refusesWhatMakesNoRow() {
        assertThatThrownBy(() -> row("{\"id\":")).isInstanceOf(Values.UnusableException.class);
        assertThatThrownBy(() -> row("7")).isInstanceOf(Values.UnusableException.class);
    }
}
