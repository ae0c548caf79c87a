package io.idempotency.samples.clickhouse;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;
import org.awaitility.core.TerminalFailureException;

/** Debian's ClickHouse with a ZooKeeper, in a folder of their own. */
final class Server implements AutoCloseable {

    private static final Path BINARY = Path.of("/usr/sbin/clickhouse-server");

    private final Process keeper;
    private final Process process;
    private final int port;

    private Server(Process keeper, Process process, int port) {
        this.keeper = keeper;
        this.process = process;
        this.port = port;
    }

    /** Returns why it cannot be started; empty if it can. */
    static Optional<String> missing() {
        return Files.isExecutable(BINARY)
                ? Optional.empty()
                : Optional.of(
                        "clickhouse-server is missing; samples/clickhouse-loader/install.sh installs it on Debian");
    }

    static Server start(Path folder) throws IOException, InterruptedException {
        int keeperPort = free();
        Files.writeString(folder.resolve("zoo.cfg"), """
                dataDir=%s
                clientPort=%d
                clientPortAddress=127.0.0.1
                admin.enableServer=false
                """.formatted(
                        Files.createDirectories(folder.resolve("zookeeper")), keeperPort));
        ProcessBuilder zookeeper = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx128m",
                "org.apache.zookeeper.server.ZooKeeperServerMain",
                folder.resolve("zoo.cfg").toString());
        zookeeper.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        Process keeper = zookeeper
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("zookeeper.out").toFile())
                .start();
        // It ends with this process, also if what follows fails.
        Runtime.getRuntime().addShutdownHook(new Thread(keeper::destroyForcibly));
        awaitPort(keeperPort, folder.resolve("zookeeper.out"));
        int port = free();
        Files.writeString(folder.resolve("users.xml"), """
                <yandex>
                  <profiles><default/></profiles>
                  <quotas><default/></quotas>
                  <users><default><password></password><networks><ip>127.0.0.1</ip></networks>
                    <profile>default</profile><quota>default</quota></default></users>
                </yandex>
                """);
        Files.writeString(folder.resolve("config.xml"), """
                <yandex>
                  <logger><level>warning</level><log>%1$s/clickhouse.log</log><errorlog>%1$s/clickhouse.err.log</errorlog></logger>
                  <listen_host>127.0.0.1</listen_host>
                  <http_port>%2$d</http_port>
                  <tcp_port>%3$d</tcp_port>
                  <interserver_http_port>%4$d</interserver_http_port>
                  <interserver_http_host>127.0.0.1</interserver_http_host>
                  <path>%1$s/data/</path>
                  <tmp_path>%1$s/tmp/</tmp_path>
                  <users_config>%1$s/users.xml</users_config>
                  <default_profile>default</default_profile>
                  <default_database>default</default_database>
                  <mark_cache_size>104857600</mark_cache_size>
                  <zookeeper><node><host>127.0.0.1</host><port>%5$d</port></node></zookeeper>
                </yandex>
                """.formatted(folder, port, free(), free(), keeperPort));
        Process process = new ProcessBuilder(BINARY.toString(), "--config-file=" + folder.resolve("config.xml"))
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("clickhouse.out").toFile())
                .start();
        Runtime.getRuntime().addShutdownHook(new Thread(process::destroyForcibly));
        Server server = new Server(keeper, process, port);
        server.awaitStart(folder);
        return server;
    }

    private void awaitStart(Path folder) throws IOException {
        ClickHouse client = new ClickHouse(url());
        try {
            Awaitility.await()
                    .atMost(Duration.ofMinutes(1))
                    .ignoreExceptionsInstanceOf(IOException.class)
                    .failFast("it has ended", () -> !process.isAlive())
                    .until(() -> client.query("select 1").equals("1"));
        } catch (ConditionTimeoutException | TerminalFailureException e) {
            close();
            throw new IOException("ClickHouse did not start: " + Files.readString(folder.resolve("clickhouse.out")), e);
        }
    }

    private static void awaitPort(int port, Path output) throws IOException {
        try {
            Awaitility.await()
                    .atMost(Duration.ofSeconds(30))
                    .ignoreExceptionsInstanceOf(IOException.class)
                    .untilAsserted(() -> new Socket(InetAddress.getLoopbackAddress(), port).close());
        } catch (ConditionTimeoutException e) {
            throw new IOException("ZooKeeper did not start: " + Files.readString(output), e);
        }
    }

    private static int free() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    String url() {
        return "http://127.0.0.1:" + port + "/";
    }

    @Override
    public void close() {
        process.destroyForcibly();
        keeper.destroyForcibly();
    }
}
