package io.idempotency.web;

import static io.idempotency.web.MonitoredNode.await;
import static java.time.Duration.ofDays;
import static java.time.Duration.ofMinutes;

import io.idempotency.Standstills;
import io.idempotency.web.Promtool.Alert;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/** Alerts on copies and offsets from long ago. */
@EnabledIf(value = Promtool.CONDITION, disabledReason = Promtool.MISSING)
class RewoundAlertsTest {

    private static final String NODE = "node-1";

    private final Timeline axis = new Timeline();
    private final MonitoredNode.Site site = new MonitoredNode.Site();

    @AfterEach
    void stop() {
        site.close();
    }

    /** Lets messages be as old as if they had been processed so long ago. */
    private static void passTime(MonitoredNode node, Duration time) {
        node.jdbc()
                .update(
                        "update idempotency_message set at_micros = at_micros - ?"
                                + " where consumer = (select id from idempotency_name where name = 'billing')",
                        time.toMillis() * 1000);
    }

    @Test
    void firesIfCopiesComeLate() {
        try (MonitoredNode node = new MonitoredNode(site)) {
            site.send("billing", "late");
            site.awaitSettled();
            node.awaitPurge();
            axis.scrape(Duration.ZERO, NODE, node.scrape());
            passTime(node, ofDays(5));
            site.send("billing", "late");
            site.awaitSettled();
            axis.scrape(ofMinutes(10), NODE, node.scrape()).until(ofMinutes(20));

            Promtool.on(axis)
                    .quietUntil(ofMinutes(9))
                    .firing(
                            ofMinutes(20),
                            Alert.of("IdempotencyRetentionShort", "billing").ofJob())
                    .hold();
        }
    }

    /** Handles messages, and has the purge forget them. */
    private void forget(MonitoredNode node) {
        Instant then = Instant.now().minus(ofDays(9));
        for (int i = 0; i < 5; i++) {
            site.send("billing", "old-" + i, "old-" + i, then);
        }
        site.awaitSettled();
        passTime(node, ofDays(9));
        await().until(() -> !node.jdbc()
                .queryForList("select record_offset from idempotency_horizon")
                .isEmpty());
    }

    private static double unjudged(MonitoredNode node, String action) {
        return node.scrape().sum("idempotency_unjudged_total", Map.of("consumer", "billing", "action", action));
    }

    /** Returns whether it is known since when a partition stands still. The meter tells of it a minute later. */
    private static boolean standsStill(MonitoredNode node) {
        return !node.bean(Standstills.class).all().isEmpty();
    }

    @Test
    void firesIfOffsetsAreSetBackToBeforeWhatIsRemembered() {
        try (MonitoredNode node = new MonitoredNode(site)) {
            forget(node);
            axis.scrape(Duration.ZERO, NODE, node.scrape());
            node.stop("billing");
            site.rewind("billing");
            node.start("billing");
            await().until(() -> unjudged(node, "refused") > 0 && standsStill(node));
            axis.scrape(ofMinutes(10), NODE, node.scrape());
            node.script().passTime(ofMinutes(2));
            axis.scrape(ofMinutes(12), NODE, node.scrape()).until(ofMinutes(15));

            Alert unjudged = Alert.of("IdempotencyUnjudged", "billing").ofJob().with("action", "refused");
            Promtool.on(axis)
                    .quietUntil(ofMinutes(9))
                    .firing(ofMinutes(11), unjudged)
                    .firing(
                            ofMinutes(15),
                            unjudged,
                            Alert.of("IdempotencyStandstill", "billing").ofJob().with("reason", "refused"))
                    .hold();
        }
    }

    /** Offsets are set back while no process runs, and the records are through before Prometheus looks for the first time. */
    @Test
    void firesIfAProcessMeetsSuchRecordsBeforeItsFirstScrape() {
        try (MonitoredNode node = new MonitoredNode(site)) {
            forget(node);
            axis.scrape(Duration.ZERO, NODE, node.scrape()).ended(ofMinutes(10), NODE);
        }
        site.rewind("billing");
        try (MonitoredNode node = new MonitoredNode(site, "idempotency.unjudged=process")) {
            site.awaitSettled();
            await().until(() -> unjudged(node, "processed") == 5);
            node.awaitCount();
            axis.scrape(ofMinutes(12), "node-2", node.scrape()).until(ofMinutes(40));

            Promtool.on(axis)
                    .quietUntil(ofMinutes(11))
                    .firing(
                            ofMinutes(13),
                            Alert.of("IdempotencyUnjudged", "billing").ofJob().with("action", "processed"))
                    .firing(ofMinutes(40))
                    .hold();
        }
    }
}
