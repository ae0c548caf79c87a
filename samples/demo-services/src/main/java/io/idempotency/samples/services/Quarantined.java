package io.idempotency.samples.services;

import java.util.List;

/**
 * A message has failed for good. The operator mends the cause and asks for a replay by the statements of the page. Payments is a record listener that gets a
 * higher limit; ledger is a batch listener whose table gets a wider column.
 */
final class Quarantined implements Situation {

    private static final int OTHERS = 300;
    private static final int TOO_LARGE = 2_000_000;
    private static final int TOO_LONG = 150;
    private static final int IN_QUARANTINE = 3;
    private static final int PROCESSED = 2;

    @Override
    public String heading() {
        return "Quarantine: the cause is mended, then the messages are replayed";
    }

    @Override
    public void run(Operator operator) throws Exception {
        Shop.Order large = Shop.Order.of("anna", TOO_LARGE);
        Shop.Order odd = Shop.Order.of("n".repeat(TOO_LONG), 1_050);
        operator.order(List.of(large, odd));
        operator.order(Shop.orders(OTHERS));
        operator.awaitWorkedOff();

        Deployment payments = operator.payments();
        Checks checks = operator.checks();
        checks.expect("payments: in quarantine", 1, payments.quarantined());
        checks.expect("payments: status of the message", IN_QUARANTINE, operator.status(payments, large));
        operator.ask(payments, large.messageId().toString());
        payments.set("payments.most-cents", "10000000").restart();
        checks.expect(
                "payments: replayed",
                1,
                operator.replay(
                        payments, "INC-1", "failure_type = 'io.idempotency.samples.payments.PaymentRefusedException'"));
        checks.expect("payments: in quarantine after it", 0, payments.quarantined());
        checks.expect("payments: status of the message after it", PROCESSED, operator.status(payments, large));
        operator.ask(payments, large.messageId().toString());

        Deployment ledger = operator.ledger();
        checks.expect("ledger: in quarantine", 1, ledger.quarantined());
        ledger.update("alter table entry alter column customer type varchar(1000)");
        checks.expect(
                "ledger: replayed",
                1,
                operator.replay(
                        ledger, "INC-2", "failure_type = 'org.springframework.dao.DataIntegrityViolationException'"));
        checks.expect("ledger: in quarantine after it", 0, ledger.quarantined());
        operator.awaitWorkedOff();
    }
}
