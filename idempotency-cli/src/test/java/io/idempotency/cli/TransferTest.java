package io.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.AuditRecord;
import io.idempotency.store.Payload;
import io.idempotency.store.QuarantineEntry;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The verbs that bring messages into and out of files and tables of others. */
class TransferTest {

    private static final byte[] NO_TEXT = {(byte) 0xff, 0, 'a', (byte) 0xc3};

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource({"POSTGRESQL, table", "POSTGRESQL, journal", "MARIADB, table", "MARIADB, journal"})
    void aMessageComesBackAsItWas(Server server, String kind) throws IOException {
        Scene scene = Scene.on(server);
        Payload payload = new Payload(
                NO_TEXT,
                "{\"order\": \"\u202e\u0000<b>\"}\n".getBytes(StandardCharsets.UTF_8),
                List.of(new Payload.Header("trace", NO_TEXT), new Payload.Header("none", null)),
                Payload.Origin.RAW);
        scene.quarantined(kind.equals("table") ? scene.store : scene.journal, "1", 1, "java.lang.Error", payload);
        Path file = folder.resolve("messages.jsonl");

        Called exported = scene.user.call("quarantine", "export", scene.consumer, "--file", file.toString());
        assertThat(exported.code()).as(exported.err()).isZero();
        assertThat(exported.err()).isEqualTo("Exported 1 message(s) of " + scene.consumer + ".\n");
        QuarantineEntry before = kept(scene, "1").orElseThrow();
        if (kind.equals("table")) { // a journal has no gap to fill: it forgets by partition
            scene.user.call("quarantine", "drop", scene.consumer, "1", "--reason", "INC-42", "--yes");
            scene.user.call("forget", scene.consumer, "1", "--reason", "INC-42", "--yes");
        } else {
            scene.quarantine.delete(before.message().delivery().id());
        }

        assertThat(read(scene, file, "--dry-run").json().get("added").asInt()).isEqualTo(1);
        assertThat(kept(scene, "1")).isEmpty();
        Called imported = read(scene, file, "--yes", "--reason", "INC-42");
        assertThat(imported.code()).as(imported.err()).isZero();
        assertThat(kept(scene, "1").orElseThrow().message())
                .usingRecursiveComparison()
                .isEqualTo(before.message());
        assertThat(scene.user.call("why", scene.consumer, "1").out()).contains("is in quarantine from orders-0@1");
        assertThat(scene.audit.list(scene.consumer, Instant.EPOCH, 1))
                .extracting(AuditRecord::verb)
                .containsExactly("import");

        assertThat(read(scene, file, "--yes", "--reason", "INC-42").code()).isEqualTo(ExitCode.NOTHING);
        assertThat(scene.user
                        .call("quarantine", "export", scene.consumer, "--file", file.toString())
                        .code())
                .as("files are not overwritten")
                .isEqualTo(ExitCode.USAGE);
    }

    @ParameterizedTest
    @EnumSource
    void aMendedMessageReplacesTheBrokenOne(Server server) throws IOException {
        Scene scene = Scene.on(server);
        scene.quarantined("1", 1, "java.lang.Error", Scene.payload("brocken"));
        scene.quarantined("2", 2, "java.lang.Error", Scene.payload("fine"));
        Called exported = scene.user.call("quarantine", "export", scene.consumer);
        assertThat(exported.out().lines()).hasSize(2);
        Path file =
                Files.writeString(folder.resolve("mended.jsonl"), exported.out().replace("brocken", "mended"));

        assertThat(read(scene, file, "--yes", "--reason", "INC-42")
                        .json()
                        .get("known")
                        .asInt())
                .isEqualTo(2);
        Called replaced = read(scene, file, "--replace", "--yes", "--reason", "INC-42");
        assertThat(replaced.json().get("replaced").asInt()).isEqualTo(2);
        assertThat(kept(scene, "1").orElseThrow().message().payload().value())
                .asString()
                .isEqualTo("mended");
    }

    @ParameterizedTest
    @EnumSource
    void aWrongLineIsNamedAndNothingIsImported(Server server) throws IOException {
        Scene scene = Scene.on(server);
        scene.quarantined("1", 1);
        String line =
                scene.user.call("quarantine", "export", scene.consumer).out().strip();
        for (String wrong : List.of(
                "{",
                "[]",
                line.replace("\"offset\":1", "\"offset\":\"one\""),
                line.replace(scene.consumer, "another"),
                line.replace("{\"text\":\"key\"}", "\"key\""))) {
            Path file = folder.resolve("wrong.jsonl");
            Files.write(file, List.of(line.replace("\"id\":\"1\"", "\"id\":\"new\""), wrong));

            Called refused = read(scene, file, "--yes", "--reason", "INC-42");
            assertThat(refused.code()).isEqualTo(ExitCode.REFUSED);
            assertThat(refused.err()).contains("wrong.jsonl, line 2: ");
            assertThat(kept(scene, "new")).isEmpty();
        }
        assertThat(read(scene, folder.resolve("none"), "--dry-run").code()).isEqualTo(ExitCode.USAGE);
    }

    @ParameterizedTest
    @EnumSource
    void adoptsTheIdsOfAnotherTable(Server server) {
        Scene scene = Scene.on(server);
        String table = "own_" + scene.consumer.substring(2).replace('-', '_');
        scene.execute("create table " + table + " (message_id varchar(100) primary key, processed_at timestamp)");
        scene.execute("insert into " + table + " values ('A-1', current_timestamp), ('A-2', current_timestamp)");
        String query = "select '" + scene.consumer + "', message_id, processed_at from " + table;

        Called looked = scene.user.call("adopt", "--query", query, "--dry-run", "--output", "json");
        assertThat(looked.json().get("rows").asInt()).isEqualTo(2);
        assertThat(scene.user.call("why", scene.consumer, "A-1").code()).isNotZero();

        Called adopted = scene.user.call("adopt", "--query", query, "--kind", "value", "--yes", "--output", "json");
        assertThat(adopted.code()).as(adopted.err()).isZero();
        assertThat(adopted.json().get("adopted").asInt()).isEqualTo(2);
        assertThat(scene.user.call("why", scene.consumer, "~value:A-1").out()).contains("was processed");

        Called again = scene.user.call("adopt", "--query", query, "--kind", "value", "--yes", "--output", "json");
        assertThat(again.json().get("known").asInt()).isEqualTo(2);
        Called wrong = scene.user.call("adopt", "--query", "select * from no_such_table", "--yes");
        assertThat(wrong.code()).isEqualTo(ExitCode.REFUSED);
        assertThat(wrong.err()).startsWith("The query cannot be run: ").contains("no_such_table");
    }

    private static Called read(Scene scene, Path file, String... more) {
        String[] arguments = {"quarantine", "import", scene.consumer, file.toString(), "--output", "json"};
        String[] all = Arrays.copyOf(arguments, arguments.length + more.length);
        System.arraycopy(more, 0, all, arguments.length, more.length);
        return scene.user.call(all);
    }

    private static Optional<QuarantineEntry> kept(Scene scene, String id) {
        return scene.quarantine.find(scene.at(id, 0).id());
    }
}
