package io.idempotency.samples.demo;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** The consumer processes, running and ended ones. */
final class Crew implements AutoCloseable {

    private static final Duration EXIT = Duration.ofSeconds(40);

    private final Screen screen;
    private final Path logs;
    private final String broker;
    private final String database;
    private final List<Child> all = new CopyOnWriteArrayList<>();

    Crew(Screen screen, Path logs, String broker, String database) {
        this.screen = screen;
        this.logs = logs;
        this.broker = broker;
        this.database = database;
    }

    /** Starts another consumer. */
    Child join() throws IOException {
        int number = all.size() + 1;
        Child consumer = Child.start("consumer-" + number, logs, PaymentConsumer.class, broker, database);
        all.add(consumer);
        screen.say(consumer.name() + " joins");
        return consumer;
    }

    /** Asks a consumer to end in an orderly way, and waits for it. */
    void leave(Child consumer) throws IOException, InterruptedException {
        consumer.tell(Commands.LEAVE);
        if (consumer.awaitExit(0, EXIT)) {
            screen.say(consumer.name() + " has left");
        } else {
            screen.problem(consumer.name() + " did not leave in order, see its log");
        }
    }

    /** Asks all running consumers to end in an orderly way, and waits for them. */
    void leaveAll() throws IOException, InterruptedException {
        for (Child consumer : alive()) {
            leave(consumer);
        }
    }

    List<Child> alive() {
        return all.stream().filter(Child::isAlive).toList();
    }

    /** Returns the consumers that ended by themselves, which none should. */
    List<Child> failed() {
        return all.stream().filter(Child::hasFailed).toList();
    }

    /** Returns the counts of all consumers. The last counts of a killed one are missing. */
    Tally tally() {
        return Tally.sum(all.stream().map(Child::tally).toList());
    }

    @Override
    public void close() {
        all.forEach(Child::close);
    }
}
