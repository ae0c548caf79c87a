package io.idempotency.web;

import static io.idempotency.web.MonitoredNode.await;
import static java.time.Duration.ofHours;
import static java.time.Duration.ofMinutes;

import io.idempotency.jdbc.TableStore;
import io.idempotency.store.Claim;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import io.idempotency.web.Promtool.Alert;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.springframework.jdbc.core.ConnectionCallback;

/**
 * Each alert fires on its bad day, and no other one does. A bad day happens to a running node; its scrapes are laid on a time axis, and Prometheus's own test program
 * evaluates the rules there. Each test leaves a node behind on which all is well again.
 */
@EnabledIf(value = Promtool.CONDITION, disabledReason = Promtool.MISSING)
class AlertsTest extends BadDay {

    @Test
    void firesAtAStandstill() {
        scrape(Duration.ZERO);
        node.script().acts.put("down", () -> node.jdbc().queryForList("select pg_terminate_backend(pg_backend_pid())"));
        awaitMore("idempotency_transient_failures_total", "billing", () -> site.send("billing", "down"));
        node.script().passTime(ofMinutes(2));
        scrape(ofMinutes(10));
        node.script().acts.clear();
        site.awaitSettled();
        scrape(ofMinutes(20));

        Promtool.on(axis)
                .quietUntil(ofMinutes(11))
                .firing(
                        ofMinutes(13),
                        Alert.of("IdempotencyStandstill", "billing").ofJob().with("reason", "transient"))
                .firing(ofMinutes(21))
                .hold();
    }

    @Test
    void firesIfAPartitionWaitsForAnotherProcess() {
        TableStore store = node.bean(TableStore.class);
        List<Claim> held = store.lease(List.of(delivery("mails", "held")), ofHours(1));
        scrape(Duration.ZERO);
        awaitMore("idempotency_consumptions_seconds_count", "mails", () -> site.send("mails", "held"));
        node.script().passTime(ofMinutes(2));
        scrape(ofMinutes(10));
        axis.until(ofMinutes(30));
        store.release(held);
        site.awaitSettled();

        Promtool.on(axis)
                .quietUntil(ofMinutes(19))
                .firing(
                        ofMinutes(21),
                        Alert.of("IdempotencyStandstillInProgress", "mails").ofJob())
                .hold();
    }

    private static Delivery delivery(String consumer, String id) {
        return new Delivery(new MessageId(consumer, id), new Position(site.topic(consumer), 0, 1_000_000));
    }

    @Test
    void firesIfThePurgeIsDead() {
        scrape(Duration.ZERO);
        node.jdbc().execute("alter table idempotency_horizon rename to away");
        for (int hour = 1; hour <= 3; hour++) {
            double before = purgesOfJournals();
            await().until(() -> purgesOfJournals() >= before + 2);
            scrape(ofHours(hour));
        }
        node.jdbc().execute("alter table away rename to idempotency_horizon");
        node.awaitPurge();
        scrape(ofHours(4));

        Promtool.on(axis)
                .quietUntil(ofHours(2))
                .firing(ofHours(3), new Alert("IdempotencyPurgeDead", Map.of("job", Timeline.JOB, "store", "table")))
                .firing(ofHours(4))
                .hold();
    }

    private static double purgesOfJournals() {
        return node.scrape().sum("idempotency_purge_time_seconds_count", Map.of("store", "journal"));
    }

    @Test
    void firesAtAJumpOfDuplicates() {
        String[] ids = IntStream.range(0, 200).mapToObj(i -> "again-" + i).toArray(String[]::new);
        scrape(Duration.ZERO);
        site.send("ledger", ids);
        site.send("ledger", ids[0], ids[1]);
        site.awaitSettled();
        for (int hour = 1; hour < 30; hour++) {
            node.awaitPurge();
            scrape(ofHours(hour));
        }
        for (int time = 0; time < 10; time++) {
            site.send("ledger", ids);
            site.awaitSettled();
            scrape(ofHours(30).plusMinutes(2L * time));
        }
        axis.until(ofHours(31));

        Promtool.on(axis)
                .quietUntil(ofHours(30).plusMinutes(9))
                .firing(
                        ofHours(30).plusMinutes(17),
                        Alert.of("IdempotencyDuplicatesJump", "ledger").ofJob().with("kind", "resend"))
                .firing(ofHours(31))
                .hold();
    }

    @Test
    void firesIfALeaseIsLost() {
        scrape(Duration.ZERO);
        TableStore store = node.bean(TableStore.class);
        List<Claim> taken = new ArrayList<>();
        node.script().acts.put("paused", () -> {
            if (taken.isEmpty()) {
                // As if the process had been paused for an hour, while another one took the message over.
                node.jdbc()
                        .update(
                                "update idempotency_message set at_micros = at_micros - ?"
                                        + " where consumer = (select id from idempotency_name where name = 'mails')",
                                ofHours(1).toMillis() * 1000);
                taken.addAll(store.lease(List.of(delivery("mails", "paused")), ofMinutes(1)));
            }
        });
        awaitMore("idempotency_leases_lost_total", "mails", () -> site.send("mails", "paused"));
        scrape(ofMinutes(10));
        store.complete(taken);
        site.awaitSettled();
        node.script().acts.clear();
        axis.until(ofMinutes(40));

        Promtool.on(axis)
                .quietUntil(ofMinutes(9))
                .firing(
                        ofMinutes(11),
                        Alert.of("IdempotencyLeasesLost", "mails").ofJob())
                .firing(ofMinutes(40))
                .hold();
    }

    @Test
    void firesIfAHandlerCommits() {
        scrape(Duration.ZERO);
        node.script().acts.put("commits", () -> node.jdbc().execute((ConnectionCallback<Boolean>) AlertsTest::commit));
        site.send("billing", "commits");
        site.awaitSettled();
        scrape(ofMinutes(10));
        node.script().acts.clear();

        Promtool.on(axis)
                .quietUntil(ofMinutes(9))
                .firing(
                        ofMinutes(11),
                        Alert.of("IdempotencyEarlyCommits", "billing").ofJob())
                .hold();
    }

    private static Boolean commit(Connection connection) throws SQLException {
        connection.commit();
        return true;
    }

    @Test
    void firesIfOneIdBelongsToSeveralMessages() {
        scrape(Duration.ZERO);
        awaitMore("idempotency_payload_mismatches_total", "billing", () -> {
            site.send("billing", "one-id", "first value", Instant.now());
            site.send("billing", "one-id", "second value", Instant.now());
        });
        scrape(ofMinutes(10));

        Promtool.on(axis)
                .quietUntil(ofMinutes(9))
                .firing(
                        ofMinutes(11),
                        Alert.of("IdempotencyPayloadMismatch", "billing").ofJob())
                .hold();
    }
}
