package io.idempotency.samples.demo;

import io.idempotency.samples.demo.Tally.Count;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * The findings at the end of a run: in the ledger, in the topic, in the database, and in the counts of the consumers.
 *
 * @param copiesByWay the number of messages in the topic beyond the first one of each payment
 * @param problems all faults except lost and doubled payments
 */
record Findings(Audit audit, long messages, Map<Ledger.Way, Long> copiesByWay, Tally tally, List<String> problems) {

    private static final int NAMED = 5;

    static Findings gather(Stage stage) throws Exception {
        List<Ledger.Entry> ledger = stage.ledger().entries();
        List<Payment> sent = ledger.stream().map(Ledger.Entry::payment).toList();
        Map<UUID, Integer> census = stage.topic().census();
        Set<UUID> quarantine = PaymentConsumer.quarantined(stage.database().dataSource());
        Audit audit = Audit.compare(sent, stage.database().postings(), quarantine);

        List<String> problems = new ArrayList<>();
        Map<Ledger.Way, Long> copies = new EnumMap<>(Ledger.Way.class);
        long missing = 0;
        for (Ledger.Entry entry : ledger) {
            int times = census.getOrDefault(entry.payment().id(), 0);
            missing += times == 0 ? 1 : 0;
            copies.merge(entry.way(), (long) Math.max(times - 1, 0), Long::sum);
        }
        if (missing > 0) {
            problems.add(missing + " payments of the ledger are not in the topic");
        }
        if (!quarantine.equals(Set.of(stage.source().poisonous().id()))) {
            problems.add("the quarantine must hold the poisonous payment alone, but holds " + named(quarantine));
        }
        problems.addAll(failures(audit));
        problems.addAll(unbalanced(stage, sent, quarantine));
        long messages = census.values().stream().mapToLong(Integer::longValue).sum();
        return new Findings(audit, messages, copies, stage.crew().tally(), problems);
    }

    private static List<String> failures(Audit audit) {
        List<String> failures = new ArrayList<>();
        if (!audit.lost().isEmpty()) {
            failures.add("lost: " + named(audit.lost()));
        }
        if (!audit.doubled().isEmpty()) {
            failures.add("double: " + named(audit.doubled()));
        }
        return failures;
    }

    /** Compares every balance with the sum of the payments that are not in quarantine. */
    private static List<String> unbalanced(Stage stage, List<Payment> sent, Set<UUID> quarantine) throws Exception {
        List<Payment> effective =
                sent.stream().filter(each -> !quarantine.contains(each.id())).toList();
        Map<Integer, Long> expected = Audit.replay(effective, Payments.ACCOUNTS, Database.OPENING_BALANCE);
        Map<Integer, Long> found = new HashMap<>(stage.database().balances());
        List<String> unbalanced = new ArrayList<>();
        if (!found.equals(expected)) {
            found.entrySet().removeAll(expected.entrySet());
            unbalanced.add("balances differ from the replayed payments: " + named(found.entrySet()));
        }
        return unbalanced;
    }

    private static String named(Iterable<?> all) {
        List<String> first = new ArrayList<>();
        int number = 0;
        for (Object each : all) {
            if (number++ < NAMED) {
                first.add(each.toString());
            }
        }
        return number + " " + first;
    }

    long copies(Ledger.Way way) {
        return copiesByWay.getOrDefault(way, 0L);
    }

    Report report(Stage stage) throws Exception {
        return new Report()
                .heading("Sent")
                .row("payments: unique messages", audit.unique())
                .row(
                        "acknowledgments lost on the way to the producer",
                        stage.broker().droppedAcknowledgments())
                .row(
                        "crashes of the outbox relay between send and mark",
                        stage.relay().crashes())
                .row("messages in the topic", messages)
                .row("  copies by the producer's retries", copies(Ledger.Way.DIRECT))
                .row("  copies by the outbox relay", copies(Ledger.Way.OUTBOX))
                .heading("Accidents of the consumers")
                .row(
                        "killed: in the middle of a poll, between the two commits",
                        stage.chaos().kills())
                .row("stopped in mid-transaction and continued", stage.chaos().stops())
                .row("outlived max.poll.interval.ms", stage.chaos().outlived())
                .row("deadlocks, by PostgreSQL's count", stage.database().deadlocks())
                .heading("Consumed, as the library reported it (a killed process takes its last counts with it)")
                .row("deliveries: records handed out by polls", tally.get(Count.DELIVERIES))
                .row("processed", tally.get(Count.PROCESSED))
                .row("duplicates skipped: redeliveries, same position", tally.get(Count.REDELIVERIES))
                .row("duplicates skipped: re-sends, another position", tally.get(Count.RESENDS))
                .row("duplicates skipped: first position unknown", tally.get(Count.UNKNOWN))
                .row("occasional failures of the handler, in a poll or alone", tally.get(Count.FAILURES))
                .row("retried: failed alone, tried again after a back-off", tally.get(Count.RETRIED))
                .row("transient failures, run again and not counted as attempts", tally.get(Count.TRANSIENT))
                .row("quarantined, copies included", tally.get(Count.QUARANTINED))
                .heading("Found by comparing every payment sent with every posting")
                .row("effects: postings", audit.effects())
                .row("in quarantine", audit.quarantined())
                .row("lost", audit.lost().size())
                .row("double", audit.doubled().size());
    }
}
