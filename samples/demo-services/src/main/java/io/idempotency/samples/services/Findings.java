package io.idempotency.samples.services;

import io.idempotency.samples.demo.Report;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The findings at the end of a run.
 *
 * @param payments orders that can be paid, compared with the payments' table
 * @param ledger the same, compared with the ledger's table
 * @param quarantine orders that cannot be paid, compared with the payments' quarantine
 * @param mails the calls of the foreign service: messages, repetitions, and missing ones
 */
record Findings(
        Audit payments,
        Audit ledger,
        Audit quarantine,
        Topics.Census orderMessages,
        Topics.Census paymentMessages,
        Told mails,
        Map<String, Skipped> skipped) {

    /** Calls of the foreign service: messages with a call, further calls for them, messages without a call. */
    record Told(int messages, long repeated, long missing) {}

    static Findings gather(Stage stage) throws Exception {
        Topics.Census orders = stage.topics().read(Topics.ORDERS);
        Topics.Census payments = stage.topics().read(Topics.PAYMENTS);
        List<Entry> quarantined = new ArrayList<>();
        stage.databases().quarantined("payments", "payments").forEach(id -> {
            Entry entry = orders.messages().get(id);
            if (entry != null) {
                quarantined.add(entry);
            }
        });
        List<Entry> payable = stage.clients().payable();
        return new Findings(
                Audit.compare(payable, stage.databases().entries("payments", "payment")),
                Audit.compare(payable, stage.databases().entries("ledger", "entry")),
                Audit.compare(stage.clients().refused(), quarantined),
                orders,
                payments,
                told(payments, stage.mails().calls()),
                skipped(stage));
    }

    private static Told told(Topics.Census payments, Map<String, Integer> calls) {
        long repeated = calls.values().stream().mapToLong(times -> times - 1).sum();
        long missing = payments.messages().keySet().stream()
                .filter(id -> !calls.containsKey(id))
                .count();
        return new Told(calls.size(), repeated, missing);
    }

    private static Map<String, Skipped> skipped(Stage stage) throws Exception {
        Map<String, Skipped> skipped = new LinkedHashMap<>();
        for (String name : List.of("payments", "ledger", "notifications")) {
            skipped.put(name, Skipped.by(stage.services().node(name)));
        }
        return skipped;
    }

    int lost() {
        return payments.lost().size() + ledger.lost().size() + quarantine.lost().size();
    }

    int doubled() {
        return payments.doubled().size() + ledger.doubled().size();
    }

    /** Returns the duplicates that payments and ledger skipped. */
    Skipped duplicates() {
        Skipped none = new Skipped(0, 0, 0);
        return skipped.getOrDefault("payments", none).plus(skipped.getOrDefault("ledger", none));
    }

    /** Returns the problems, with a few examples. */
    List<String> problems() {
        List<String> problems = new ArrayList<>();
        name(problems, "payments lost", payments.lost());
        name(problems, "payments double", payments.doubled());
        name(problems, "ledger lost", ledger.lost());
        name(problems, "ledger double", ledger.doubled());
        name(problems, "refused and not in quarantine", quarantine.lost());
        name(problems, "in quarantine without a reason", quarantine.doubled());
        if (mails.missing() > 0) {
            problems.add(mails.missing() + " payments were never told to the foreign service");
        }
        return problems;
    }

    private static void name(List<String> problems, String what, List<Entry> entries) {
        if (!entries.isEmpty()) {
            problems.add(what + ": " + entries.size() + ", such as "
                    + entries.stream().limit(3).toList());
        }
    }

    Report report(Stage stage) {
        Report report = new Report()
                .heading("Orders, over HTTP")
                .row("placed", stage.clients().count())
                .row("requests repeated without an answer", stage.clients().retries())
                .row("requests repeated despite an answer", stage.clients().repeats())
                .heading("Killed (SIGKILL) and started again");
        for (Service node : stage.services().nodes()) {
            report.row(node.name(), node.kills());
        }
        report.row("  of these, relays between send and mark", stage.accidents().relaysKilled())
                .heading("In the topics, counted by reading them")
                .row("orders: messages", orderMessages.messages().size())
                .row("orders: copies, sent again by a relay", orderMessages.copies())
                .row("payments: messages", paymentMessages.messages().size())
                .row("payments: copies, sent again by a relay", paymentMessages.copies())
                .heading("Duplicates skipped, by the logs of the services");
        skipped.forEach((name, of) -> report.row(name + ": redeliveries, same position", of.redeliveries())
                .row(name + ": re-sends, another position", of.resends())
                .row(name + ": first position unknown", of.unknown()));
        return report.heading("Notifications, counted by the foreign service")
                .row("messages it was called for, by their idempotency keys", mails.messages())
                .row("calls beyond the first of a key", mails.repeated())
                .row("calls that found it too busy", stage.mails().refused())
                .row("messages it was never called for", mails.missing())
                .heading("Found by comparing every order placed with every row, id and amount")
                .row("payments: expected", payments.expected())
                .row("payments: rows", payments.found())
                .row("payments: lost", payments.lost().size())
                .row("payments: double", payments.doubled().size())
                .row("payments: in quarantine, refused", quarantine.found())
                .row("ledger: expected", ledger.expected())
                .row("ledger: rows", ledger.found())
                .row("ledger: lost", ledger.lost().size())
                .row("ledger: double", ledger.doubled().size());
    }

    /** Returns the outcome in a sentence. */
    String sentence(boolean isGood) {
        return isGood
                ? String.format(
                        Locale.ROOT,
                        "PASSED: %,d orders paid once and posted once + %,d refused and in quarantine, as planned",
                        payments.found(),
                        quarantine.found())
                : "FAILED: see what is named PROBLEM above, and the logs";
    }

    /**
     * Returns the last line of the program. {@code unique} are the messages that payments and ledger had to settle, {@code effects} the rows
     * of both; lost and double are those of both comparisons.
     */
    String verdict() {
        return "verdict: unique=" + (payments.expected() + quarantine.expected() + ledger.expected())
                + " effects=" + (payments.found() + ledger.found())
                + " quarantined=" + quarantine.found()
                + " duplicates=" + duplicates().all()
                + " redeliveries=" + duplicates().redeliveries()
                + " resends=" + duplicates().resends()
                + " lost=" + lost()
                + " double=" + doubled();
    }
}
