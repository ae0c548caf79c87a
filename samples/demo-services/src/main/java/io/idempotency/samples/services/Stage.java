package io.idempotency.samples.services;

import io.idempotency.samples.demo.Cleanup;
import io.idempotency.samples.demo.Screen;
import java.util.Locale;

/** Everything that takes part in a run, started. */
record Stage(Databases databases, Topics topics, Mails mails, Services services, Clients clients, Accidents accidents) {

    static Stage setUp(Settings settings, Screen screen, Cleanup cleanup) throws Exception {
        screen.say("placing " + settings.orders() + " orders, level " + settings.level());
        Site site = Site.setUp(settings, screen, cleanup);
        Services services = site.services();
        Mails mails = cleanup.after(new Mails());
        services.start(mails);
        screen.say("starting "
                + String.join(", ", services.nodes().stream().map(Service::name).toList()));
        Clients clients = new Clients(services.addresses(), settings.orders());
        Accidents accidents = new Accidents(screen, services, site.databases(), mails, clients, settings.orders());
        cleanup.after(screen);
        return new Stage(site.databases(), site.topics(), mails, services, clients, accidents);
    }

    /** Returns whether all placed orders have passed all services. */
    boolean isWorkedOff() throws Exception {
        return databases.count("orders", "idempotency_outbox") == 0
                && topics.lag(Topics.ORDERS, "payments") == 0
                && databases.count("payments", "idempotency_outbox") == 0
                && topics.lag(Topics.PAYMENTS, "ledger") == 0
                && topics.lag(Topics.PAYMENTS, "notifications") == 0;
    }

    /** Returns the progress of the run as a line. */
    String progress() throws Exception {
        return String.format(
                Locale.ROOT,
                "placed %,d (%,d asked again) | to send %,d | payments %,d, to send %,d | ledger %,d | mails %,d",
                clients.count(),
                clients.retries() + clients.repeats(),
                databases.count("orders", "idempotency_outbox"),
                databases.count("payments", "payment"),
                databases.count("payments", "idempotency_outbox"),
                databases.count("ledger", "entry"),
                mails.calls().size());
    }
}
