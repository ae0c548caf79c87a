package io.idempotency.outbox;

import static java.util.stream.Collectors.toMap;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import io.idempotency.jdbc.JdbcAudit;
import io.idempotency.jdbc.TestDatabase;
import io.idempotency.store.AuditRecord;
import io.idempotency.store.IdempotencyException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** What operators see of refused outputs, and what they do with them. */
class RefusedOutputsTest {

    /** Adds outputs that Kafka refuses. Returns their numbers. */
    private static List<Long> refuse(OutboxScene scene, String... topics) {
        for (String topic : topics) {
            byte[] value = topic.equals("null") ? null : new byte[] {1, 2};
            scene.store.add(List.of(new Output("id of " + topic, topic, 1, null, null, value, List.of())), () -> {});
        }
        int read = 1;
        while (read > 0) {
            read = scene.store.relay(
                    100,
                    OutboxStore.Sending.together(waiting -> new Sent(
                            List.of(), waiting.stream().collect(toMap(each -> each, each -> "too large")), null)));
        }
        return scene.store.refused().list(Optional.empty(), 0, 100).stream()
                .map(RefusedSummary::number)
                .toList();
    }

    private static OutboxOperations operations(OutboxScene scene) {
        return OutboxOperations.of(
                        scene.store, JdbcAudit.on(scene.dataSource).tablePrefix(scene.prefix), scene.transactions)
                .as("ada", "cli");
    }

    private static List<AuditRecord> acts(OutboxScene scene) {
        return JdbcAudit.on(scene.dataSource).tablePrefix(scene.prefix).list("outbox", Instant.EPOCH, 10);
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "HSQLDB")
    void listsThemByTopicAndInPagesAndShowsOneWithItsBytes(TestDatabase database) {
        try (OutboxScene scene = new OutboxScene(database)) {
            List<Long> numbers = refuse(scene, "orders", "mails", "orders", "null", "orders");
            RefusedOutputs refused = scene.store.refused();

            assertThat(numbers).hasSize(5).isSorted();
            assertThat(refused.countByTopic())
                    .containsExactly(entry("mails", 1L), entry("null", 1L), entry("orders", 3L));
            assertThat(refused.list(Optional.of("orders"), 0, 2))
                    .extracting(RefusedSummary::number)
                    .containsExactly(numbers.get(0), numbers.get(2));
            assertThat(refused.list(Optional.of("orders"), numbers.get(2), 2))
                    .extracting(RefusedSummary::number)
                    .containsExactly(numbers.get(4));
            assertThat(refused.list(Optional.empty(), numbers.get(2), 1))
                    .singleElement()
                    .satisfies(each -> {
                        assertThat(each.topic()).isEqualTo("null");
                        assertThat(each.bytes()).isZero();
                    });
            assertThat(refused.list(Optional.of("Orders"), 0, 2)).isEmpty();

            RefusedOutput one = refused.find(numbers.get(1)).orElseThrow();
            assertThat(one.reason()).isEqualTo("too large");
            assertThat(one.stored().output().value()).containsExactly(1, 2);
            assertThat(one.stored().output().id()).isEqualTo("id of mails");
            assertThat(refused.find(-1)).isEmpty();
        }
    }

    @Test
    void doesNotFindWhatWaits() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL)) {
            long number = refuse(scene, "orders").get(0);
            assertThat(scene.store.refused().resend(number)).isTrue();

            assertThat(scene.store.refused().find(number)).isEmpty();
            assertThat(scene.store.refused().discard(number)).isFalse();
            assertThat(scene.store.total().waiting()).isOne();
        }
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.EXCLUDE, names = "HSQLDB")
    void theAuditHasEachActWithItsReason(TestDatabase database) {
        try (OutboxScene scene = new OutboxScene(database)) {
            List<Long> numbers = refuse(scene, "orders", "mails", "orders", "orders");
            OutboxOperations operations = operations(scene);

            assertThat(operations.discard(numbers.get(0), "INC-1")).isTrue();
            assertThat(operations.discard(numbers.get(0), "INC-2")).isFalse();
            assertThat(operations.resend(numbers.get(1), "INC-3")).isTrue();
            assertThat(operations.resendAll("orders", "INC-4")).isEqualTo(2);
            assertThat(operations.resendAll("orders", "INC-5")).isZero();

            assertThat(scene.store.total().waiting()).isEqualTo(3);
            assertThat(acts(scene))
                    .extracting(act ->
                            List.of(act.verb(), act.messages(), act.subject(), act.reason(), act.actor(), act.origin()))
                    .containsExactlyInAnyOrder(
                            List.of("discard", 1L, "output " + numbers.get(0), "INC-1", "ada", "cli"),
                            List.of("resend", 1L, "output " + numbers.get(1), "INC-3", "ada", "cli"),
                            List.of("resend", 2L, "all outputs to orders", "INC-4", "ada", "cli"));
        }
    }

    @Test
    void nothingChangesWithoutAReasonOrWithoutItsRecord() {
        try (OutboxScene scene = new OutboxScene(TestDatabase.POSTGRESQL)) {
            long number = refuse(scene, "orders").get(0);
            assertThatThrownBy(() -> operations(scene).discard(number, " "))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageStartingWith("Say why");

            OutboxOperations tooLong = operations(scene).as("ada", "an origin that does not fit");
            assertThatThrownBy(() -> tooLong.discard(number, "INC-1")).isInstanceOf(RuntimeException.class);

            assertThat(acts(scene)).isEmpty();
            assertThat(scene.store.total()).isEqualTo(new OutboxTotal(0, Duration.ZERO, 1));
        }
    }
}
