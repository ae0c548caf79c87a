package io.idempotency.samples.rough;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The service in a JVM of its own, which can be killed and started again. */
final class Worker implements AutoCloseable {

    private static final int LEAVE_SECONDS = 60;

    private final Server server;
    private final String broker;
    private final Path files;
    private final Path logs;
    private Process process;
    private int lives;
    private boolean isClosed;

    Worker(Server server, String broker, Path files, Path logs) throws IOException {
        this.server = server;
        this.broker = broker;
        this.files = files;
        this.logs = logs;
        this.process = live();
    }

    private Process live() throws IOException {
        lives++;
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx384m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Djava.io.tmpdir=" + files,
                "-Ddemo.log=" + logs.resolve("service-" + lives + ".log"),
                RoughService.class.getName(),
                "--spring.main.banner-mode=off",
                "--spring.main.web-application-type=none",
                "--spring.datasource.url=" + server.url(),
                "--spring.datasource.hikari.maximum-pool-size=" + 4 * Step.all().size() * 2,
                "--spring.kafka.bootstrap-servers=" + broker,
                "--spring.kafka.listener.concurrency=" + Topics.PARTITIONS / 2,
                "--spring.kafka.consumer.auto-offset-reset=earliest",
                "--spring.kafka.consumer.value-deserializer=" + OrderDeserializer.class.getName(),
                "--spring.kafka.consumer.max-poll-records=200",
                // Kafka notices a killed process soon.
                "--spring.kafka.consumer.properties[session.timeout.ms]=6000",
                "--spring.kafka.consumer.properties[heartbeat.interval.ms]=1000",
                "--idempotency.schema.mode=always"));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(Redirect.appendTo(logs.resolve("service.out").toFile()));
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        return builder.start();
    }

    /** Kills the process as {@code kill -9} does, and starts it again, unless the run is ending. */
    synchronized void killAndStartAgain() throws IOException, InterruptedException {
        process.destroyForcibly().waitFor();
        if (!isClosed) {
            process = live();
        }
    }

    synchronized int kills() {
        return lives - 1;
    }

    /** Returns whether the process has ended by itself. */
    synchronized boolean hasFailed() {
        return !process.isAlive() && !isClosed;
    }

    /** Asks the process to end, and waits for the end. */
    synchronized void leave() {
        isClosed = true;
        process.destroy();
        process.onExit()
                .completeOnTimeout(process, LEAVE_SECONDS, TimeUnit.SECONDS)
                .join();
    }

    @Override
    public synchronized void close() {
        isClosed = true;
        process.destroyForcibly().onExit().join();
    }
}
