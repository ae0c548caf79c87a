package io.idempotency.samples.services;

import io.idempotency.samples.services.OperationsPage.Example;
import java.sql.SQLException;

/**
 * The offsets of both groups are set back. Within the retention everything is skipped. Then the operator shortens the retention, the purge forgets the
 * messages, and the offsets are set back again: all partitions stand still, until the operator chooses to skip.
 */
final class Rewound implements Situation {

    /** The statement may ask for less than the setting, until the next start. So the run need not wait for a minute. */
    private static final String RETENTION_MICROS = "15 * 1000000";

    private static final int LATER = 50;

    @Override
    public String heading() {
        return "Offsets set back, within the retention and behind it";
    }

    @Override
    public void run(Operator operator) throws Exception {
        withinTheRetention(operator);
        forget(operator);
        behindTheRetention(operator);
        skip(operator);
    }

    /** The new setting has no effect yet, because a longer retention is stored. */
    private static void withinTheRetention(Operator operator) throws Exception {
        for (Deployment service : operator.both()) {
            service.set("idempotency.retention", "1m");
        }
        rewind(operator);
        operator.awaitWorkedOff();
        expectSkipped(operator, "within the retention");
    }

    private static void forget(Operator operator) throws Exception {
        for (Deployment service : operator.both()) {
            operator.await(
                    "the log of " + service.consumer() + " to say that the longer retention counts",
                    () -> service.said("where name = '" + service.consumer() + "'") == 1);
            service.update(operator.page().statement(Example.RETENTION, RETENTION_MICROS, service.consumer()));
        }
        for (Deployment service : operator.both()) {
            operator.await("the purge to forget the messages of " + service.consumer(), () -> remembered(service) == 0);
        }
    }

    private static void behindTheRetention(Operator operator) throws Exception {
        rewind(operator);
        for (Deployment service : operator.both()) {
            operator.await(
                    "the partitions of " + service.topic() + " to stand still",
                    () -> standingStill(service) == Topics.PARTITIONS);
            operator.checks().expect(service.topic() + ": skipped behind the retention", 0, service.skipped());
            operator.checks()
                    .expect(service.topic() + ": partitions that say why", Topics.PARTITIONS, standingStill(service));
        }
        operator.checks().expectEachOnce();
    }

    private static void skip(Operator operator) throws Exception {
        for (Deployment service : operator.both()) {
            service.set("idempotency.unjudged", "skip").restart();
        }
        operator.awaitWorkedOff();
        expectSkipped(operator, "by choice");
        operator.order(Shop.orders(LATER));
        operator.awaitWorkedOff();
        for (Deployment service : operator.both()) {
            service.set("idempotency.unjudged", "refuse");
        }
    }

    private static void expectSkipped(Operator operator, String why) throws Exception {
        for (Deployment service : operator.both()) {
            operator.checks()
                    .expect(
                            service.topic() + ": skipped " + why,
                            operator.site().topics().size(service.topic()),
                            service.skipped());
        }
    }

    private static void rewind(Operator operator) throws Exception {
        for (Deployment service : operator.both()) {
            service.stop();
            service.rewind();
            service.start();
        }
    }

    private static long standingStill(Deployment service) throws Exception {
        long partitions = 0;
        for (int i = 0; i < Topics.PARTITIONS; i++) {
            partitions += Math.min(1, service.said("ffsets of " + service.topic() + "-" + i + " were set back to 0"));
        }
        return partitions;
    }

    private static long remembered(Deployment service) throws SQLException {
        return service.query(
                        "select count(*) from idempotency_message where consumer = (select id from idempotency_name where name = '"
                                + service.consumer() + "')",
                        row -> row.getLong(1))
                .get(0);
    }
}
