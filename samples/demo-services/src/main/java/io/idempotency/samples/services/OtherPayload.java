package io.idempotency.samples.services;

import io.idempotency.store.MessageId;
import java.util.List;

/**
 * A sender gives the id of a message to other ones, and the first of them is skipped like a copy. The operator has such messages quarantined from now on, sets
 * the offsets back to find the one that was skipped, replays it, and drops a copy of it that came later.
 */
final class OtherPayload implements Situation {

    private static final String OTHER = "~other~";

    @Override
    public String heading() {
        return "One id for several messages: skipped, or found by the payload check";
    }

    @Override
    public void run(Operator operator) throws Exception {
        Deployment payments = operator.payments();
        Checks checks = operator.checks();
        Shop.Order first = Shop.Order.of("bert", 500);
        operator.order(List.of(first));
        operator.awaitWorkedOff();
        Shop.Order wanted = first.otherWithItsId(501);
        String at = operator.order(List.of(wanted)).get(0);
        operator.awaitWorkedOff();
        checks.expect("payments: skipped without a check", 1, payments.resendsSkipped());

        payments.set("idempotency.payload-check.policy", "quarantine").stop();
        payments.rewind();
        payments.start();
        String copyAt = operator.shop().send(List.of(wanted)).get(0);
        operator.awaitWorkedOff();
        checks.expect("payments: quarantined by the check", 2, payments.quarantined());
        String id = payments.explain(at).id().value();
        MessageId copy = payments.explain(copyAt).id();
        checks.expect("payments: of these, under an id of its position", 2, count(id) + count(copy.value()));
        operator.ask(payments, at);

        checks.expect("payments: replayed", 1, operator.replay(payments, "INC-3", "id_value = '" + id + "'"));
        payments.operations().drop(copy, "a copy of " + at);
        operator.ask(payments, copy.value());
        checks.expect("payments: in quarantine after it", 0, payments.quarantined());
        payments.set("idempotency.payload-check.policy", "off");
        operator.awaitWorkedOff();
    }

    private static int count(String id) {
        return id.startsWith(OTHER) ? 1 : 0;
    }
}
