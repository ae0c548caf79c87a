package io.idempotency.web;

import static io.idempotency.web.MonitoredNode.await;
import static java.time.Duration.ofHours;
import static java.time.Duration.ofMinutes;

import io.idempotency.Operations;
import io.idempotency.micrometer.QuarantineMeters;
import io.idempotency.replay.ReplayRequest;
import io.idempotency.replay.ReplayStore;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.web.Promtool.Alert;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/** Alerts on messages in quarantine, and on their replays. */
@EnabledIf(value = Promtool.CONDITION, disabledReason = Promtool.MISSING)
class QuarantineAlertsTest extends BadDay {

    /** Quarantines messages, with others between them, so that their partition does not stand still. */
    private static void quarantine(String name, int count) {
        List<String> values = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            String poison = name + i;
            node.script().acts.put(poison, () -> {
                throw new IllegalStateException("no such account");
            });
            values.addAll(List.of(poison, "good-" + poison));
        }
        site.send("billing", values.toArray(String[]::new));
        site.awaitSettled();
        node.bean(QuarantineMeters.class).count();
    }

    private static void emptyQuarantine() {
        node.script().acts.clear();
        node.jdbc().update("delete from idempotency_quarantine");
        node.bean(QuarantineMeters.class).count();
    }

    @Test
    void firesIfManyMessagesGoIntoQuarantine() {
        scrape(Duration.ZERO);
        quarantine("many", 8);
        scrape(ofMinutes(30));
        axis.until(ofMinutes(60));
        emptyQuarantine();

        Promtool.on(axis)
                .quietUntil(ofMinutes(29))
                .firing(ofMinutes(31), Alert.of("IdempotencyQuarantineGrowing", "billing"))
                .firing(ofMinutes(50))
                .hold();
    }

    @Test
    void firesIfAMessageHasBeenInQuarantineForLong() {
        quarantine("old", 1);
        scrape(Duration.ZERO);
        node.jdbc()
                .update(
                        "update idempotency_quarantine set first_at_micros = first_at_micros - ?",
                        ofHours(25).toMillis() * 1000);
        node.bean(QuarantineMeters.class).count();
        scrape(ofMinutes(10));
        emptyQuarantine();

        Promtool.on(axis)
                .quietUntil(ofMinutes(9))
                .firing(ofMinutes(11), Alert.of("IdempotencyQuarantineOld", "billing"))
                .hold();
    }

    @Test
    void firesIfNobodyCountsTheQuarantine() {
        scrape(Duration.ZERO);
        node.jdbc().execute("alter table idempotency_quarantine rename to away");
        Assertions.assertThatThrownBy(() -> node.bean(QuarantineMeters.class).count())
                .hasMessageContaining("quarantine");
        scrape(ofMinutes(10));
        axis.until(ofMinutes(40));
        node.jdbc().execute("alter table away rename to idempotency_quarantine");
        node.bean(QuarantineMeters.class).count();

        Promtool.on(axis)
                .quietUntil(ofMinutes(24))
                .firing(
                        ofMinutes(30),
                        Stream.of("billing", "mails", "ledger")
                                .map(consumer -> Alert.of("IdempotencyQuarantineUncounted", consumer))
                                .toArray(Alert[]::new))
                .hold();
    }

    @Test
    void firesIfAReplayIsStoppedByFailures() {
        quarantine("again", 6);
        scrape(Duration.ZERO);
        String replay = node.bean(Operations.class)
                .replay(ReplayRequest.of(QuarantineSelection.of("billing")).perSecond(1_000), "INC-42")
                .request()
                .id();
        await().until(() ->
                node.bean(ReplayStore.class).find(replay).orElseThrow().status().hasEnded());
        scrape(ofMinutes(10));
        emptyQuarantine();

        Promtool.on(axis)
                .quietUntil(ofMinutes(9))
                .firing(
                        ofMinutes(11),
                        Alert.of("IdempotencyReplayFailing", "billing").ofJob())
                .hold();
    }
}
