package io.idempotency.samples.demo;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/** Keeps an {@link OutboxRelay} running. The first few relays crash between send and mark, and another one follows each. */
final class RelayKeeper implements Runnable, AutoCloseable {

    static final int CRASHES = 3;

    private static final int BATCHES_TO_CRASH = 20;
    private static final Duration EXIT = Duration.ofSeconds(20);

    private final Screen screen;
    private final Path logs;
    private final String broker;
    private final String database;
    private final AtomicInteger crashes = new AtomicInteger();
    private volatile Child relay;

    RelayKeeper(Screen screen, Path logs, String broker, String database) throws IOException {
        this.screen = screen;
        this.logs = logs;
        this.broker = broker;
        this.database = database;
        this.relay = start(1);
    }

    private Child start(int number) throws IOException {
        int batches = number <= CRASHES ? BATCHES_TO_CRASH : Integer.MAX_VALUE;
        return Child.start("relay-" + number, logs, OutboxRelay.class, broker, database, Integer.toString(batches));
    }

    /** Returns how many relays have crashed between send and mark. */
    int crashes() {
        return crashes.get();
    }

    /** Starts another relay after each crash, until one ends in another way. */
    @Override
    public void run() {
        try {
            while (relay.awaitExit(Saboteur.HALTED, Duration.ofDays(1))) {
                screen.say("chaos: " + relay.name() + " was killed between send and mark");
                relay = start(crashes.incrementAndGet() + 1);
            }
        } catch (IOException e) {
            screen.problem("the relay cannot be started: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Asks the relay to leave when the outbox is empty, and waits for it. */
    void leave() throws IOException, InterruptedException {
        relay.tell(Commands.LEAVE);
        if (!relay.awaitExit(0, EXIT)) {
            screen.problem(relay.name() + " did not end in order, see its log");
        }
    }

    @Override
    public void close() {
        relay.close();
    }
}
