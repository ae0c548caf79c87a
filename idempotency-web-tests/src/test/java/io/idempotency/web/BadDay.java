package io.idempotency.web;

import static io.idempotency.web.MonitoredNode.await;

import io.idempotency.micrometer.QuarantineMeters;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** A node on which bad days happen, and the time axis of one of them. */
abstract class BadDay {

    static final String NODE = "node-1";

    static MonitoredNode.Site site;
    static MonitoredNode node;

    final Timeline axis = new Timeline();

    @BeforeAll
    static void start() {
        site = new MonitoredNode.Site();
        node = new MonitoredNode(site);
        node.awaitPurge();
        node.bean(QuarantineMeters.class).count();
    }

    @AfterAll
    static void stop() {
        if (node != null) {
            node.close();
            site.close();
        }
    }

    void scrape(Duration at) {
        axis.scrape(at, NODE, node.scrape());
    }

    static double count(String metric, String consumer) {
        return node.scrape().sum(metric, Map.of("consumer", consumer));
    }

    static void awaitMore(String metric, String consumer, Runnable act) {
        double before = count(metric, consumer);
        act.run();
        await().until(() -> count(metric, consumer) > before);
    }
}
