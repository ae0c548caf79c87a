package io.idempotency.samples.services;

import io.idempotency.samples.demo.Cleanup;
import io.idempotency.samples.demo.Screen;
import java.util.List;

/**
 * Tries on running services what docs/operations.md says about five situations, and compares every order with every row of the payments and of the ledger.
 *
 * <p>It starts a broker, a PostgreSQL, and the services of payments and ledger as processes of their own. Then it does what an operator does: it stops and
 * starts services with other settings, sets offsets back, and runs the statements of the page, which it reads from there. The exit status is 0 if each
 * {@link Situation} went as the page says.
 */
public final class OperationsDemo {

    private static final List<Situation> SITUATIONS =
            List.of(new Quarantined(), new Renamed(), new OtherPayload(), new Rewound(), new RetentionTooShort());

    private OperationsDemo() {}

    /** Runs the demo; system properties are those of {@code Settings}. */
    public static void main(String[] args) {
        Run.thenExit(cleanup -> run(Settings.fromSystemProperties(), cleanup));
    }

    private static boolean run(Settings settings, Cleanup cleanup) throws Exception {
        Screen screen = new Screen();
        OperationsPage page = OperationsPage.read(settings.page());
        Site site = Site.setUp(settings, screen, cleanup);
        Shop shop = cleanup.after(new Shop(site.broker()));
        cleanup.after(screen);
        Operator operator = new Operator(
                screen,
                site,
                page,
                shop,
                new Deployment(site, "payments", "payments-service", Topics.ORDERS),
                new Deployment(site, "ledger", "ledger-batch", Topics.PAYMENTS),
                new Checks(screen, site.databases()));
        for (Deployment service : operator.both()) {
            // In one of the situations the retention is a minute. A shorter one than this time is refused.
            service.set("spring.kafka.consumer.properties[max.poll.interval.ms]", "60000")
                    .set("idempotency.purge.interval", "1s")
                    .start();
        }
        for (Situation situation : SITUATIONS) {
            operator.checks().begin(situation.heading());
            situation.run(operator);
            operator.checks().expectEachOnce();
        }
        site.services().leave();
        return operator.checks().print(SITUATIONS.size());
    }
}
