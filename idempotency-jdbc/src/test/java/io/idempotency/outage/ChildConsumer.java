package io.idempotency.outage;

import io.idempotency.ConsistencyLevel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * The service in a process of its own, to be stopped in the middle of its handler. The handler says that it was reached and waits to be told
 * how to end; under {@code STRONG} it has entered its effect by then.
 */
final class ChildConsumer {

    /** In front of every line that is meant for the parent. */
    static final String MARK = "::";

    static final String GO_ON = "go on";
    static final String FAIL = "fail";

    static final Duration LEASE = Duration.ofSeconds(2);

    private ChildConsumer() {}

    public static void main(String[] args) throws IOException {
        ConsistencyLevel level = ConsistencyLevel.valueOf(args[4]);
        Ledger ledger = Ledger.open(args[2], args[3], 3);
        LinkedBlockingQueue<String> told = new LinkedBlockingQueue<>();
        Service service = Service.at(args[0], ledger, args[1])
                .property("session.timeout.ms", 2_000)
                .property("heartbeat.interval.ms", 300)
                .with(builder -> builder.level(level)
                        .lease(LEASE)
                        .listener(seen -> say("outcome " + seen.delivery().id().value() + " " + seen.outcome()
                                + (seen.isTransient() ? " transient" : "") + " " + seen.failure())))
                .start(new Watch(), (message, claim) -> {
                    if (level == ConsistencyLevel.STRONG) {
                        ledger.enter(message);
                    }
                    say("handling " + message.value() + " attempt " + claim.attempt());
                    if (told.take().equals(FAIL)) {
                        throw new IllegalStateException("Told to fail");
                    }
                });
        say("group " + service.group());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            told.add(line);
        }
        // The parent is gone.
        Runtime.getRuntime().halt(1);
    }

    private static void say(String text) {
        System.out.println(MARK + text);
    }
}
