package io.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.idempotency.store.AuditRecord;
import io.idempotency.store.MessageStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;

/** The verbs about messages that are remembered. */
class MessagesTest {

    @ParameterizedTest
    @EnumSource
    void listsConsumersWithTheirStores(Server server) {
        Scene table = Scene.on(server);
        table.processed("1", 1);
        table.quarantined("bad", 2);
        Scene journal = Scene.on(server);
        journal.processed(journal.journal, "1", 1);

        Called shown = table.user.call("consumers");
        assertThat(shown.code()).isZero();
        assertThat(shown.out().lines().filter(line -> line.startsWith(table.consumer)))
                .singleElement()
                .asString()
                .matches(".* table +- +- +1 +\\S+Z");

        Called json = table.user.call("consumers", "--output", "json");
        assertThat(of(json.json(), journal.consumer).get("store").asString()).isEqualTo("journal");
        JsonNode known = of(json.json(), table.consumer);
        assertThat(known.get("store").asString()).isEqualTo("table");
        assertThat(known.get("quarantined").asInt()).isEqualTo(1);
        assertThat(json.out()).doesNotContain("idempotency.");
    }

    private static JsonNode of(JsonNode rows, String consumer) {
        return rows.valueStream()
                .filter(row -> row.get("consumer").asString().equals(consumer))
                .findFirst()
                .orElseThrow();
    }

    @ParameterizedTest
    @EnumSource
    void saysWhyAMessageWasSkipped(Server server) {
        Scene scene = Scene.on(server);
        scene.processed("~value:4711", 7);

        Called known = scene.user.call("why", scene.consumer, "4711");
        assertThat(known.code()).isZero();
        assertThat(known.out())
                .startsWith("Message ~value:4711 of " + scene.consumer + " was processed at ")
                .contains("from orders-0@7; copies of it are skipped");

        Called json = scene.user.call("why", scene.consumer, "4711", "--output", "json");
        assertThat(json.json().get(0).get("status").asString()).isEqualTo("PROCESSED");
        assertThat(json.json().get(0).get("position").asString()).isEqualTo("orders-0@7");

        Called unknown = scene.user.call("why", scene.consumer, "4712");
        assertThat(unknown.code()).isEqualTo(ExitCode.NOTHING);
        assertThat(unknown.out()).contains("is not remembered");
    }

    @ParameterizedTest
    @EnumSource
    void aWrongNameOfAConsumerIsRefusedWithTheKnownOnes(Server server) {
        Scene scene = Scene.on(server);
        scene.processed(scene.journal, "1", 1);

        for (List<String> command : List.of(
                List.of("why", "nobody", "1"),
                List.of("forget", "nobody", "1", "--yes", "--reason", "INC-42"),
                List.of("quarantine", "list", "nobody"),
                List.of("quarantine", "replay", "nobody", "--dry-run"),
                List.of("quarantine", "drop", "nobody", "--older-than", "1d", "--dry-run"))) {
            Called called = scene.user.call(command.toArray(String[]::new));
            assertThat(called.code()).as("%s", command).isEqualTo(ExitCode.REFUSED);
            assertThat(called.err())
                    .startsWith("Nothing is remembered of a consumer nobody in the stores,")
                    .hasLineCount(1);
        }
    }

    @ParameterizedTest
    @EnumSource
    void forgetsAMessageAndTheAuditSaysWho(Server server) {
        Scene scene = Scene.on(server);
        scene.processed("~value:4711", 7);

        Called dry = scene.user.call("forget", scene.consumer, "4711", "--dry-run");
        assertThat(dry.code()).isZero();
        assertThat(dry.out()).startsWith("Would forget 1 message(s)");
        assertThat(status(scene, "~value:4711")).isEqualTo(MessageStatus.PROCESSED);

        Called done = scene.user.call(
                "forget", scene.consumer, "4711", "--yes", "--actor", "ada", "--reason", "INC-42", "--output", "json");
        assertThat(done.code()).isZero();
        assertThat(done.json().get("messages").asInt()).isEqualTo(1);
        assertThat(scene.store.messages().look(scene.at("~value:4711", 7).id())).isEmpty();
        assertThat(scene.audit.list(scene.consumer, Instant.EPOCH, 10))
                .extracting(AuditRecord::actor, AuditRecord::origin, AuditRecord::verb, AuditRecord::reason)
                .containsExactly(tuple("ada", "cli", "forget", "INC-42"));

        scene.processed("other", 8);
        assertThat(scene.user
                        .call("forget", scene.consumer, "4711", "--yes", "--reason", "INC-42")
                        .code())
                .isEqualTo(ExitCode.NOTHING);
    }

    private static MessageStatus status(Scene scene, String id) {
        return scene.store.messages().look(scene.at(id, 0).id()).orElseThrow().status();
    }

    @ParameterizedTest
    @EnumSource
    void forgetsARangeOfAJournal(Server server) {
        Scene scene = Scene.on(server);
        for (int offset = 1; offset <= 3; offset++) {
            scene.processed(scene.journal, "m-" + offset, offset);
        }
        String[] range = {"--topic", "orders", "--partition", "0", "--offsets", "1..2"};

        Called dry = scene.user.call(with(range, "forget", scene.consumer, "--dry-run"));
        assertThat(dry.out()).startsWith("Would forget 2 message(s)");
        Called done = scene.user.call(with(range, "forget", scene.consumer, "--yes", "--reason", "INC-42"));
        assertThat(done.code()).isZero();
        assertThat(done.out()).startsWith("Forgot 2 message(s)");
        assertThat(scene.user.call("why", scene.consumer, "m-2").code()).isEqualTo(ExitCode.NOTHING);
        assertThat(scene.user.call("why", scene.consumer, "m-3").code()).isZero();
    }

    private static String[] with(String[] range, String... others) {
        return Stream.concat(Arrays.stream(others), Arrays.stream(range)).toArray(String[]::new);
    }

    @ParameterizedTest
    @EnumSource
    void forgetsMessagesByTheirTime(Server server) {
        Scene scene = Scene.on(server);
        scene.processed("old", 1);
        scene.passTime(Duration.ofHours(3));
        scene.processed("new", 2);

        Called done =
                scene.user.call("forget", scene.consumer, "--from", "4h", "--to", "2h", "--yes", "--reason", "INC-42");
        assertThat(done.out()).startsWith("Forgot 1 message(s)");
        assertThat(scene.user.call("why", scene.consumer, "new").code()).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void asksWhichStoreIsMeantOfAConsumerThatHasTwo(Server server) {
        Scene scene = Scene.on(server);
        scene.processed("1", 1);
        scene.processed(scene.journal, "2", 2);

        Called called = scene.user.call("why", scene.consumer, "2");
        assertThat(called.code()).isEqualTo(ExitCode.REFUSED);
        assertThat(called.err()).contains("--store");
        assertThat(scene.user
                        .call("why", scene.consumer, "2", "--store", "journal")
                        .code())
                .isZero();
        assertThat(scene.user
                        .call("why", scene.consumer, "1", "--store", "table")
                        .code())
                .isZero();
    }

    @ParameterizedTest
    @EnumSource
    void purgesWhatIsOlderThanItsRetention(Server server) {
        Scene scene = Scene.on(server);
        scene.processed("old", 1);
        scene.execute("update cli_name set retention_micros = 3600000000 where name = '" + scene.consumer + "'");
        scene.passTime(Duration.ofHours(2));
        scene.processed("new", 2);

        Called dry = scene.user.call("purge", "--dry-run", "--output", "json");
        assertThat(dry.code()).isZero();
        assertThat(dry.json().get("messages").asLong()).isPositive();
        assertThat(scene.user.call("why", scene.consumer, "old").code()).isZero();

        Called done = scene.user.call("purge", "--yes", "--batch-size", "1", "--output", "json");
        assertThat(done.code()).isZero();
        assertThat(done.json().get("messages").asLong()).isPositive();
        assertThat(scene.user.call("why", scene.consumer, "old").code()).isEqualTo(ExitCode.NOTHING);
        assertThat(scene.user.call("why", scene.consumer, "new").code()).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void listsTheAuditOfAConsumer(Server server) {
        Scene scene = Scene.on(server);
        scene.processed("1", 1);
        assertThat(scene.user.call("audit", scene.consumer).code()).isEqualTo(ExitCode.NOTHING);
        scene.user.call("forget", scene.consumer, "1", "--yes", "--actor", "ada", "--reason", "INC-42");

        Called shown = scene.user.call("audit", scene.consumer, "--since", "1h");
        assertThat(shown.code()).isZero();
        assertThat(shown.out().lines().skip(1))
                .singleElement()
                .asString()
                .matches("\\S+Z +ada +cli +forget +" + scene.consumer + " +1 +1 +INC-42");
        assertThat(scene.user.call("audit", "--output", "json").json().isEmpty())
                .isFalse();
    }

    @ParameterizedTest
    @EnumSource
    void printsValidatesAndMigratesTheTables(Server server) {
        Called.User user = new Called.User("--url", server.url(), "--table-prefix", "fresh_");
        for (String table : List.of(
                "name",
                "message",
                "horizon",
                "quarantine",
                "replay",
                "audit",
                "journal",
                "segment",
                "schema_history")) {
            Scene.on(server).execute("drop table if exists fresh_" + table);
        }

        Called invalid = user.call("schema", "validate");
        assertThat(invalid.code()).isEqualTo(ExitCode.REFUSED);
        assertThat(invalid.out()).startsWith("A table is missing or differs (").hasLineCount(1);
        assertThat(user.call("why", "billing", "1").code()).isEqualTo(ExitCode.REFUSED);

        assertThat(user.call("schema", "print").out()).contains("fresh_message").doesNotContain("${");
        assertThat(user.call("schema", "migrate", "--dry-run").code()).isZero();
        assertThat(user.call("schema", "validate").code()).isEqualTo(ExitCode.REFUSED);

        Called migrated = user.call("schema", "migrate", "--yes", "--output", "json");
        assertThat(migrated.code()).as(migrated.err()).isZero();
        assertThat(migrated.json().get("valid").asBoolean()).isTrue();
        assertThat(user.call("schema", "validate").code()).isZero();
        assertThat(user.call("schema", "migrate", "--yes", "--without-flyway").code())
                .isZero();
    }
}
