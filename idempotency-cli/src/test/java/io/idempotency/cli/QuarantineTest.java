package io.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageReader;
import io.idempotency.Replayer;
import io.idempotency.replay.Replay;
import io.idempotency.store.AuditRecord;
import io.idempotency.store.Delivery;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineSelection;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The verbs about quarantined messages. */
class QuarantineTest {

    private static final String[] WITH_REASON = {"--yes", "--actor", "ada", "--reason", "INC-42"};

    private static Called write(Scene scene, String... arguments) {
        String[] all = Arrays.copyOf(arguments, arguments.length + WITH_REASON.length);
        System.arraycopy(WITH_REASON, 0, all, arguments.length, WITH_REASON.length);
        return scene.user.call(all);
    }

    @ParameterizedTest
    @EnumSource
    void listsTheChosenMessages(Server server) {
        Scene scene = Scene.on(server);
        scene.quarantined("1", 1);
        scene.quarantined("~value:2", 2, "java.sql.SQLException", Scene.payload("2"));
        scene.quarantined("3", 3);

        Called all = scene.user.call("quarantine", "list", scene.consumer);
        assertThat(all.code()).isZero();
        assertThat(all.out().lines().skip(1).map(line -> line.substring(0, 10)))
                .containsExactly("orders-0@1", "orders-0@2", "orders-0@3");
        assertThat(scene.user
                        .call("quarantine", "list", scene.consumer, "--limit", "2", "--output", "json")
                        .json())
                .hasSize(2);
        for (String[] choice : List.of(
                new String[] {"--id", "2"},
                new String[] {"--failure", "java.sql.SQLException"},
                new String[] {"--group", "g-21"},
                new String[] {"--topic", "orders", "--partition", "0", "--offsets", "2"})) {
            String[] arguments = {"quarantine", "list", scene.consumer, choice[0], choice[1], "--output", "json"};
            if (choice.length > 2) {
                arguments = new String[] {
                    "quarantine",
                    "list",
                    scene.consumer,
                    choice[0],
                    choice[1],
                    choice[2],
                    choice[3],
                    choice[4],
                    choice[5],
                    "--output",
                    "json"
                };
            }
            Called chosen = scene.user.call(arguments);
            assertThat(chosen.json()).as(chosen.out()).hasSize(1);
            assertThat(chosen.json().get(0).get("id").asString()).isEqualTo("~value:2");
        }
        Called none = scene.user.call("quarantine", "list", scene.consumer, "--failure", "None");
        assertThat(none.code()).isEqualTo(ExitCode.NOTHING);
        assertThat(none.out()).isEmpty();
        assertThat(none.err()).startsWith("The quarantine has no messages of " + scene.consumer);
    }

    @ParameterizedTest
    @EnumSource
    void countsMessagesByTheirFailures(Server server) {
        Scene scene = Scene.on(server);
        scene.quarantined("1", 1);
        scene.quarantined("2", 2);
        scene.quarantined("3", 3, "java.sql.SQLException", Scene.payload("2"));

        Called groups = scene.user.call("quarantine", "groups", scene.consumer);
        assertThat(groups.code()).isZero();
        assertThat(groups.out().lines().skip(1))
                .satisfiesExactly(
                        line -> assertThat(line)
                                .matches("g-31 +2 +java.lang.IllegalStateException +\\S+Z +\\S+Z +2 +2"),
                        line -> assertThat(line).matches("g-21 +1 +java.sql.SQLException +\\S+Z +\\S+Z +1 +1"));
    }

    @ParameterizedTest
    @EnumSource
    void showsAMessageWithItsFailureAndItsBytes(Server server) {
        Scene scene = Scene.on(server);
        scene.quarantined("4711", 7);

        Called shown = scene.user.call("quarantine", "show", scene.consumer, "orders-0@7");
        assertThat(shown.code()).isZero();
        assertThat(shown.out())
                .contains("id: 4711\n", "position: orders-0@7\n", "attempts: 10\n", "headers: name trace, value abc\n")
                .contains("key: key\n", "value: {\"order\": \"4711\"}\n")
                .contains("failure:\n    java.lang.IllegalStateException: no\n        at Billing.charge");

        Called json = scene.user.call("quarantine", "show", scene.consumer, "4711", "--output", "json");
        assertThat(json.json().get("value").asString()).isEqualTo("{\"order\": \"4711\"}");
        assertThat(json.json().get("failure").asString()).contains("\n\tat Billing.charge");

        scene.processed("fine", 8);
        assertThat(scene.user.call("quarantine", "show", scene.consumer, "fine").code())
                .isEqualTo(ExitCode.NOTHING);
    }

    @ParameterizedTest
    @EnumSource
    void hostileTextAndBytesAreShownEscaped(Server server) {
        Scene scene = Scene.on(server);
        String evil = "\u001b[2J\u202e<script>\r\n\u0007";
        byte[] binary = {(byte) 0xff, 0, 1};
        scene.quarantined(
                "id\u202e<script>\"'\\",
                7,
                "Evil\u001b[31m\u202e",
                new Payload(binary, ("x" + evil).getBytes(StandardCharsets.UTF_8), List.of(), Payload.Origin.RAW));

        for (String[] command : List.of(
                new String[] {"quarantine", "show", scene.consumer, "orders-0@7"},
                new String[] {"quarantine", "list", scene.consumer},
                new String[] {"quarantine", "groups", scene.consumer},
                new String[] {"why", scene.consumer, "orders-0@7"})) {
            for (String format : List.of("table", "json")) {
                String[] all = Arrays.copyOf(command, command.length + 2);
                all[command.length] = "--output";
                all[command.length + 1] = format;
                Called shown = scene.user.call(all);
                assertThat(shown.code()).as(shown.err()).isZero();
                assertThat(shown.out().chars())
                        .noneMatch(c -> (c < ' ' && c != '\n') || c == '\u202e' || c == '\u001b');
            }
        }
        Called json = scene.user.call("quarantine", "show", scene.consumer, "orders-0@7", "--output", "json");
        assertThat(json.json().get("id").asString()).isEqualTo("id\u202e<script>\"'\\");
        assertThat(json.json().get("value").asString()).isEqualTo("x" + evil);
        assertThat(json.json().get("key").asString()).isEqualTo("hex:ff0001");
    }

    @ParameterizedTest
    @EnumSource
    void longValuesAreCutUnlessAllIsAskedFor(Server server) {
        Scene scene = Scene.on(server);
        scene.quarantined("long", 7, "java.lang.Error", Scene.payload("ä".repeat(3000)));

        String cut = scene.user
                .call("quarantine", "show", scene.consumer, "long", "--output", "json")
                .json()
                .get("value")
                .asString();
        assertThat(cut).startsWith("ä".repeat(1024)).contains("6000 bytes").hasSizeLessThan(1100);
        assertThat(scene.user
                        .call("quarantine", "show", scene.consumer, "long", "--full", "--output", "json")
                        .json()
                        .get("value")
                        .asString())
                .isEqualTo("ä".repeat(3000));
    }

    @ParameterizedTest
    @EnumSource
    void dropsOneMessageOrTheOldOnes(Server server) {
        Scene scene = Scene.on(server);
        scene.quarantined("1", 1);
        scene.quarantined("2", 2);
        scene.quarantined("3", 3);

        assertThat(scene.user
                        .call("quarantine", "drop", scene.consumer, "1", "--dry-run")
                        .out())
                .startsWith("Would drop 1 message(s)");
        assertThat(left(scene)).isEqualTo(3);
        assertThat(write(scene, "quarantine", "drop", scene.consumer, "1").code())
                .isZero();
        assertThat(left(scene)).isEqualTo(2);
        assertThat(scene.user.call("why", scene.consumer, "1").out()).contains("was deleted from quarantine");
        assertThat(write(scene, "quarantine", "drop", scene.consumer, "1").code())
                .isEqualTo(ExitCode.NOTHING);

        assertThat(write(scene, "quarantine", "drop", scene.consumer, "--older-than", "1h")
                        .code())
                .isEqualTo(ExitCode.NOTHING);
        Called old = write(
                scene,
                "quarantine",
                "drop",
                scene.consumer,
                "--older-than",
                Instant.now().plusSeconds(3600).toString());
        assertThat(old.out()).startsWith("Dropped 2 message(s)");
        assertThat(left(scene)).isZero();
        assertThat(scene.audit.list(scene.consumer, Instant.EPOCH, 10))
                .extracting(AuditRecord::verb)
                .containsExactly("drop-old", "drop");
    }

    private static long left(Scene scene) {
        return scene.quarantine.count(QuarantineSelection.of(scene.consumer)).messages();
    }

    @ParameterizedTest
    @EnumSource
    void asksForAReplayAndSteersIt(Server server) {
        Scene scene = Scene.on(server);
        scene.quarantined("1", 1);
        scene.quarantined("2", 2);
        String name = "r-" + scene.consumer;

        Called dry = scene.user.call("quarantine", "replay", scene.consumer, "--dry-run", "--output", "json");
        assertThat(dry.code()).isZero();
        assertThat(dry.json().get("total").asInt()).isEqualTo(2);
        assertThat(dry.json().get("byPartition").get("orders-0").asInt()).isEqualTo(2);
        assertThat(scene.replays.list(scene.consumer, 10)).isEmpty();
        assertThat(scene.user
                        .call("quarantine", "replay", "status", "--consumer", scene.consumer)
                        .code())
                .isEqualTo(ExitCode.NOTHING);

        Called asked =
                write(scene, "quarantine", "replay", scene.consumer, "--limit", "1", "--rate", "3", "--name", name);
        assertThat(asked.code()).as(asked.err()).isZero();
        Replay replay = scene.replays.find(name).orElseThrow();
        assertThat(replay.progress().total()).isEqualTo(1);
        assertThat(replay.request().perSecond()).isEqualTo(3);
        assertThat(replay.request().actor()).isEqualTo("ada");
        Called conflict = write(scene, "quarantine", "replay", scene.consumer, "--id", "1");
        assertThat(conflict.code()).isEqualTo(ExitCode.REFUSED);
        assertThat(conflict.err()).contains("belong to running replays [" + name + "]");

        assertThat(write(scene, "quarantine", "replay", "pause", name).code()).isZero();
        assertThat(status(scene, name)).isEqualTo("PAUSED");
        assertThat(write(scene, "quarantine", "replay", "pause", name).code()).isEqualTo(ExitCode.REFUSED);
        assertThat(write(scene, "quarantine", "replay", "resume", name).code()).isZero();
        assertThat(status(scene, name)).isEqualTo("RUNNING");
        assertThat(write(scene, "quarantine", "replay", "stop", name, "--dry-run")
                        .code())
                .isZero();
        assertThat(status(scene, name)).isEqualTo("RUNNING");
        assertThat(write(scene, "quarantine", "replay", "stop", name).code()).isZero();
        assertThat(status(scene, name)).isEqualTo("STOPPED");
        assertThat(write(scene, "quarantine", "replay", "stop", "nothing").code())
                .isEqualTo(ExitCode.NOTHING);
        assertThat(scene.user
                        .call("quarantine", "replay", "status", "--consumer", scene.consumer)
                        .out())
                .contains(name);
    }

    private static String status(Scene scene, String name) {
        return scene.user
                .call("quarantine", "replay", "status", name, "--output", "json")
                .json()
                .get("status")
                .asString();
    }

    /** Returns an instance that replays, and fails for the message {@code bad}. */
    private static Replayer<Delivery> running(Scene scene) {
        IdempotentConsumer<Delivery> billing = IdempotentConsumer.<Delivery>named(scene.consumer)
                .store(scene.store)
                .messageId(delivery -> Optional.of(delivery.id().value()))
                .reader(READER)
                .quarantine(scene.quarantine)
                .build();
        Replayer<Delivery> replayer = Replayer.of(billing, scene.replays);
        replayer.start((entry, replay) -> replayer.consumer()
                .consume(entry.message().delivery(), (delivery, claim) -> {
                    if (delivery.id().value().equals("bad")) {
                        throw new IllegalStateException("still bad");
                    }
                }));
        return replayer;
    }

    private static final MessageReader<Delivery> READER = new MessageReader<>() {
        @Override
        public Position position(Delivery delivery) {
            return delivery.position();
        }

        @Override
        public Payload payload(Delivery delivery) {
            return Payload.none(Payload.Origin.SWITCHED_OFF);
        }
    };

    @ParameterizedTest
    @EnumSource
    void followsAReplayThatARunningInstanceCarriesOut(Server server) {
        Scene scene = Scene.on(server);
        scene.quarantined("good", 1);
        scene.quarantined("bad", 2);
        Replayer<Delivery> replayer = running(scene);
        try {
            Called good =
                    write(scene, "quarantine", "replay", scene.consumer, "--id", "good", "--wait", "--output", "json");
            assertThat(good.code()).as(good.err()).isZero();
            assertThat(good.json().get("processed").asInt()).isEqualTo(1);
            assertThat(good.err()).contains("0 of 1 left");
            assertThat(scene.user.call("why", scene.consumer, "good").out()).contains("was processed");

            Called bad = write(scene, "quarantine", "replay", scene.consumer, "--wait", "--output", "json");
            assertThat(bad.code()).isEqualTo(ExitCode.NOTHING);
            assertThat(bad.json().get("failed").asInt()).isEqualTo(1);
        } finally {
            replayer.close();
        }
    }

    @ParameterizedTest
    @EnumSource
    void saysThatNoRunningInstanceTakesAReplay(Server server) {
        Scene scene = Scene.on(server);
        scene.quarantined("1", 1);
        scene.user.patience = Duration.ZERO;

        Called called = write(scene, "quarantine", "replay", scene.consumer, "--wait", "--output", "json");
        assertThat(called.code()).isEqualTo(ExitCode.NOTHING);
        assertThat(called.err()).contains("No running instance of " + scene.consumer);
        assertThat(called.json().get("status").asString()).isEqualTo("RUNNING");
    }

    @ParameterizedTest
    @EnumSource
    void leavesAReplayThatGoesOnIfItIsInterrupted(Server server) {
        Scene scene = Scene.on(server);
        scene.quarantined("1", 1);

        Thread.currentThread().interrupt();
        Called called = write(scene, "quarantine", "replay", scene.consumer, "--wait");
        assertThat(called.code()).isEqualTo(ExitCode.INTERRUPTED);
        assertThat(called.err()).contains("goes on");
        assertThat(scene.replays.list(scene.consumer, 1).get(0).status()).isEqualTo(Replay.Status.RUNNING);
    }
}
