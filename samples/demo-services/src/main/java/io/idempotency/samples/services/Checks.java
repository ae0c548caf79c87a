package io.idempotency.samples.services;

import io.idempotency.samples.demo.Report;
import io.idempotency.samples.demo.Screen;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/** What is found in each situation, compared with what the page says. Each order that must be paid is compared with each row, by id and amount. */
final class Checks {

    private final Screen screen;
    private final Databases databases;
    private final Report report = new Report();
    private final List<Entry> orders = new ArrayList<>();

    Checks(Screen screen, Databases databases) {
        this.screen = screen;
        this.databases = databases;
    }

    /** Notes orders that must be paid and posted, each once. */
    void mustPost(List<Shop.Order> more) {
        more.forEach(order -> orders.add(order.entry()));
    }

    void begin(String heading) {
        screen.say(heading);
        report.heading(heading);
    }

    /** Notes a number. Any other than the expected one is a problem. */
    void expect(String what, long expected, long found) {
        report.row(what, found);
        if (found != expected) {
            screen.problem(what + ": " + found + " instead of " + expected);
        }
    }

    /** Expects that each order is paid and posted, and none twice. */
    void expectEachOnce() throws SQLException {
        expect("payments and ledger: lost", 0, lost());
        expect("payments and ledger: double", 0, doubled());
    }

    private List<Audit> audits() throws SQLException {
        return List.of(
                Audit.compare(orders, databases.entries("payments", "payment")),
                Audit.compare(orders, databases.entries("ledger", "entry")));
    }

    private int lost() throws SQLException {
        return audits().stream().mapToInt(audit -> audit.lost().size()).sum();
    }

    private int doubled() throws SQLException {
        return audits().stream().mapToInt(audit -> audit.doubled().size()).sum();
    }

    /** Prints the table and the verdict. Returns whether everything is as it must be. */
    boolean print(int situations) throws SQLException {
        report.print();
        boolean isGood = screen.problems().isEmpty();
        screen.problems().forEach(problem -> System.out.println("PROBLEM: " + problem));
        System.out.println(
                isGood
                        ? "PASSED: each situation went as docs/operations.md says"
                        : "FAILED: see what is named PROBLEM above, and the logs");
        System.out.println("verdict: situations=" + situations + " orders=" + orders.size() + " effects="
                + audits().stream().mapToInt(Audit::found).sum() + " lost=" + lost() + " double=" + doubled());
        System.out.flush();
        return isGood;
    }
}
