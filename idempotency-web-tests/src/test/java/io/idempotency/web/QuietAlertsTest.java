package io.idempotency.web;

import static java.time.Duration.ofHours;
import static java.time.Duration.ofMinutes;

import io.idempotency.micrometer.QuarantineMeters;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;

/** No alert fires while all is well. */
@EnabledIf(value = Promtool.CONDITION, disabledReason = Promtool.MISSING)
class QuietAlertsTest {

    private final Timeline axis = new Timeline().fresh();

    @Test
    void rulesAreValid() {
        Promtool.check();
    }

    /** Cases that would take too long to happen: days of steady duplicates, and meters that move from node to node. */
    @Test
    void areQuietWhereTheyMightNotBe() {
        Promtool.test(Path.of("src/test/resources/quiet-alerts.yml"));
        Promtool.test(Path.of("src/test/resources/quiet-days.yml"));
    }

    /** Two nodes start, work, skip copies, quarantine a message, and are deployed anew, which redelivers all records at once. */
    @Test
    void areQuietInAHealthyRun() {
        String[] ids = IntStream.range(0, 100).mapToObj(i -> "id-" + i).toArray(String[]::new);
        try (MonitoredNode.Site site = new MonitoredNode.Site()) {
            try (MonitoredNode first = new MonitoredNode(site);
                    MonitoredNode second = new MonitoredNode(site)) {
                scrape(Duration.ZERO, first, second);
                first.script().acts.put("poison", QuietAlertsTest::fail);
                second.script().acts.put("poison", QuietAlertsTest::fail);
                for (int time = 1; time <= 16; time++) {
                    if (time % 4 == 1) {
                        MonitoredNode.CONSUMERS.forEach(consumer -> site.send(consumer, ids));
                        site.send("billing", ids[0], "poison");
                        site.awaitSettled();
                        first.bean(QuarantineMeters.class).count();
                        second.bean(QuarantineMeters.class).count();
                    }
                    first.awaitPurge();
                    second.awaitPurge();
                    scrape(ofMinutes(100L * time), first, second);
                }
            }
            Duration deployed = ofHours(27);
            axis.ended(deployed, "node-1").ended(deployed, "node-2");
            MonitoredNode.CONSUMERS.forEach(site::rewind);
            try (MonitoredNode third = new MonitoredNode(site)) {
                axis.scrape(deployed.plusMinutes(1), "node-3", third.scrape());
                site.awaitSettled();
                // Else the last scrape may be earlier than what the node does in its first minute.
                third.bean(QuarantineMeters.class).count();
                third.awaitPurge();
                axis.scrape(deployed.plusMinutes(2), "node-3", third.scrape()).until(ofHours(29));
            }
        }

        Promtool.on(axis).quietUntil(axis.end()).hold();
    }

    private void scrape(Duration at, MonitoredNode first, MonitoredNode second) {
        axis.scrape(at, "node-1", first.scrape()).scrape(at.plus(ofMinutes(1)), "node-2", second.scrape());
    }

    private static void fail() {
        throw new IllegalStateException("no such account");
    }
}
