package io.idempotency.samples.services;

import io.idempotency.samples.services.OperationsPage.Example;

/** A consumer gets another name. The operator renames it in the tables, too, while it is stopped. Then it knows all messages. */
final class Renamed implements Situation {

    private static final String NEW_NAME = "postings";

    @Override
    public String heading() {
        return "A consumer with another name: its offsets are set back";
    }

    @Override
    public void run(Operator operator) throws Exception {
        Deployment ledger = operator.ledger();
        ledger.stop();
        ledger.update(operator.page().statement(Example.RENAME, NEW_NAME, ledger.consumer()));
        ledger.rewind();
        ledger.renamed(NEW_NAME);
        ledger.set("ledger.consumer", NEW_NAME).start();
        operator.awaitWorkedOff();

        long messages = operator.site().topics().size(ledger.topic());
        operator.checks().expect("ledger: skipped under the new name", messages, ledger.skipped());
    }
}
