package io.idempotency.benchmarks;

import io.idempotency.samples.demo.Broker;
import java.nio.file.Path;

/** Runs the broker in a JVM of its own. It prints its address, and ends with its standard input. */
public final class BrokerProcess {

    private BrokerProcess() {}

    /** Argument: the folder of its files. */
    public static void main(String[] args) throws Exception {
        try (Broker broker = Broker.start(Path.of(args[0]), 0, 0)) {
            System.out.println(Child.ANSWER + broker.address());
            while (System.in.read() >= 0) {
                // it gets no input
            }
        }
        System.exit(0);
    }
}
