package io.idempotency.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.jdbc.JdbcOutbox;
import io.idempotency.outbox.OutboxStore;
import io.idempotency.outbox.Output;
import io.idempotency.outbox.Sent;
import io.idempotency.outbox.StoredOutput;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The verbs about outputs. */
class OutboxTest {

    private static void refuse(JdbcOutbox outbox, String topic, int outputs) {
        for (int i = 0; i < outputs; i++) {
            outbox.add(List.of(new Output(topic + i, topic, null, null, null, new byte[] {1, 2}, List.of())), () -> {});
        }
        int left = outputs;
        while (left > 0) {
            left -= outbox.relay(100, OutboxStore.Sending.together(waiting -> {
                Map<StoredOutput, String> refused = new HashMap<>();
                waiting.forEach(each -> refused.put(each, "too large"));
                return new Sent(List.of(), refused, null);
            }));
        }
    }

    @ParameterizedTest
    @EnumSource
    void showsSendsAndDiscardsWhatWasRefused(Server server) {
        Scene scene = Scene.on(server);
        JdbcOutbox outbox = JdbcOutbox.on(scene.dataSource).tablePrefix(Scene.PREFIX);
        String topic = "t-" + scene.consumer;
        refuse(outbox, topic, 3);

        Called status = scene.user.call("outbox", "status", "--output", "json");
        assertThat(status.json().get("refused").asInt()).isGreaterThanOrEqualTo(3);
        List<String> numbers = new ArrayList<>();
        scene.user
                .call("outbox", "refused", "--limit", "1000", "--output", "json")
                .json()
                .forEach(each -> {
                    if (each.get("topic").asString().equals(topic)) {
                        assertThat(each.get("reason").asString()).isEqualTo("too large");
                        numbers.add(each.get("number").asString());
                    }
                });
        assertThat(numbers).hasSize(3);

        assertThat(scene.user
                        .call("outbox", "resend", numbers.get(0), "--dry-run")
                        .code())
                .isZero();
        assertThat(scene.user.call("outbox", "resend", numbers.get(0)).code()).isEqualTo(ExitCode.USAGE);
        assertThat(write(scene, "outbox", "discard", numbers.get(0)).code()).isZero();
        assertThat(write(scene, "outbox", "discard", numbers.get(0)).code()).isEqualTo(ExitCode.NOTHING);
        assertThat(write(scene, "outbox", "resend", numbers.get(1)).out()).startsWith("Gave back 1 output");
        assertThat(write(scene, "outbox", "resend", "--topic", topic).out()).startsWith("Gave back 1 output");
        assertThat(write(scene, "outbox", "resend", "--topic", topic).code()).isEqualTo(ExitCode.NOTHING);

        assertThat(outbox.refused().list(Optional.of(topic), 0, 1000)).isEmpty();
        assertThat(scene.user.call("audit", "outbox").out())
                .contains("resend")
                .contains("discard")
                .contains("INC-42");
    }

    private static Called write(Scene scene, String... arguments) {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--yes", "--actor", "ada", "--reason", "INC-42"));
        return scene.user.call(all.toArray(String[]::new));
    }
}
