package io.idempotency.samples.services;

import io.idempotency.samples.services.OperationsPage.Example;
import java.sql.SQLException;
import java.util.List;

/**
 * Copies of messages come after more than half of the retention, and the log warns. The operator chooses a longer one, and even later copies are skipped, too.
 * The run does not wait for days: it makes the messages older in the table.
 */
final class RetentionTooShort implements Situation {

    private static final int ORDERS = 50;
    private static final String WARNING = "Duplicates come close to the horizon";

    @Override
    public String heading() {
        return "A retention that is too short: copies come late";
    }

    @Override
    public void run(Operator operator) throws Exception {
        Deployment payments = operator.payments();
        Checks checks = operator.checks();
        payments.set("idempotency.retention", "8d").restart();
        List<Shop.Order> orders = Shop.orders(ORDERS);
        operator.order(orders);
        operator.awaitWorkedOff();
        operator.await("the purge to store the retention", () -> storedDays(payments) == 8);
        makeOlder(payments, 5);
        operator.shop().send(orders);
        operator.awaitWorkedOff();
        checks.expect("payments: skipped after 5 of 8 days", ORDERS, payments.resendsSkipped());
        checks.expect("payments: warnings in the log", 1, payments.said(WARNING));

        payments.update(operator.page().statement(Example.RETENTION, "30 * 86400000000", payments.consumer()));
        payments.set("idempotency.retention", "30d").restart();
        makeOlder(payments, 5);
        operator.shop().send(orders);
        operator.awaitWorkedOff();
        checks.expect("payments: skipped after 10 of 30 days", ORDERS, payments.resendsSkipped());
        checks.expect("payments: warnings in the log of this start", 0, payments.said(WARNING));
    }

    private static long storedDays(Deployment service) throws SQLException {
        return service.query(
                        "select retention_micros / 86400000000 from idempotency_name where name = '"
                                + service.consumer() + "'",
                        row -> row.getLong(1))
                .get(0);
    }

    private static void makeOlder(Deployment service, int days) throws SQLException {
        service.update("update idempotency_message set at_micros = at_micros - " + days
                + " * 86400000000 where consumer = (select id from idempotency_name where name = '" + service.consumer()
                + "')");
    }
}
