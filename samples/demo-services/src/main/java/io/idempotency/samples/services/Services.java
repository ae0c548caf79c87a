package io.idempotency.samples.services;

import io.idempotency.samples.demo.Ports;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** The nodes of all services. They get the addresses of the run; everything else is their own configuration. */
final class Services implements AutoCloseable {

    private static final int LISTENERS = Topics.PARTITIONS / 2;

    private final Settings settings;
    private final Databases databases;
    private final String broker;
    private final Path files;
    private final Path logs;
    private final Map<String, Program> programs = new HashMap<>();
    private final Map<String, Service> nodes = new LinkedHashMap<>();
    private final List<Integer> ports = Ports.free(2);
    private boolean isClosed;

    Services(Settings settings, Databases databases, String broker, Path files, Path logs) throws IOException {
        this.settings = settings;
        this.databases = databases;
        this.broker = broker;
        this.files = files;
        this.logs = logs;
    }

    /** Starts a node of each service. */
    void start(Mails mails) throws IOException {
        startOrders("orders-1", 0);
        start("payments", "payments-service", "payments", List.of());
        start("ledger", "ledger-batch", "ledger", List.of());
        start(
                "notifications",
                "notifications-service",
                "notifications",
                // A shorter lease than usual: a call that a crash cut off is repeated when its lease has ended.
                List.of("--notifications.url=" + mails.url(), "--idempotency.lease=10s"));
    }

    /** Starts another node of the orders service. It starts later than the first one, because both would create the tables. */
    void startSecond() throws IOException {
        startOrders("orders-2", 1);
    }

    private void startOrders(String name, int number) throws IOException {
        start(name, "orders-service", "orders", List.of("--server.port=" + ports.get(number)));
    }

    /**
     * Starts a node, with a log of its own.
     *
     * @param module the service
     * @param more further arguments
     */
    synchronized void start(String name, String module, String database, List<String> more) throws IOException {
        if (isClosed) {
            throw new IllegalStateException("The services are being ended");
        }
        List<String> arguments = new ArrayList<>(List.of(
                "--spring.main.banner-mode=off",
                "--spring.datasource.url=" + databases.url(database, name),
                "--spring.kafka.bootstrap-servers=" + broker,
                "--spring.kafka.listener.concurrency=" + LISTENERS,
                // Kafka notices a killed node soon, and another node gets its partitions.
                "--spring.kafka.consumer.properties[session.timeout.ms]=6000",
                "--spring.kafka.consumer.properties[heartbeat.interval.ms]=1000",
                // Logs each duplicate with its kind, also in the log of a node that is killed.
                "--logging.level.io.idempotency.IdempotentConsumer=DEBUG",
                "--logging.level.org.apache.kafka=WARN"));
        if (!settings.isRemembering()) {
            arguments.add("--idempotency.consumers." + name + ".level=NONE");
        }
        if (more.stream().noneMatch(argument -> argument.startsWith("--server.port="))) {
            arguments.add("--server.port=0");
        }
        arguments.addAll(more);
        Program program = programs.get(module);
        if (program == null) {
            program = Program.unpack(settings.jar(module), files.resolve(module));
            programs.put(module, program);
        }
        Path folder = Files.createDirectories(files.resolve(name));
        nodes.put(name, Service.start(name, program, folder, logs.resolve(name + ".log"), arguments));
    }

    /** Returns the addresses of the two nodes of the orders service. */
    List<String> addresses() {
        String host = InetAddress.getLoopbackAddress().getHostAddress();
        return ports.stream().map(port -> "http://" + host + ":" + port).toList();
    }

    synchronized Service node(String name) {
        return Objects.requireNonNull(nodes.get(name), name);
    }

    synchronized List<Service> nodes() {
        return List.copyOf(nodes.values());
    }

    /** Throws if a node has ended by itself. */
    void refuseFailed() throws GaveUpException {
        for (Service node : nodes()) {
            if (node.hasFailed()) {
                throw new GaveUpException(node.name() + " ended by itself, see " + node.log());
            }
        }
    }

    /** Asks all nodes to end, and waits until they have. */
    void leave() {
        nodes().forEach(Service::leave);
        nodes().forEach(Service::awaitEnd);
    }

    /** Kills the nodes that still run. */
    @Override
    public synchronized void close() {
        isClosed = true;
        nodes.values().forEach(Service::close);
    }
}
