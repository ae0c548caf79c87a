package io.idempotency.samples.services;

import io.idempotency.samples.demo.Screen;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

/**
 * Keeps a run going when it is over, so that somebody can be its operator: orders still come in, and one of them cannot be paid. The payments service has a file
 * with a property of its own. When that changes, the service starts again.
 */
final class Kept {

    private static final String USER = "ada";
    private static final int LOOK_EVERY_MILLIS = 500;

    private final Settings settings;
    private final Path file;
    private final int port;
    private final String password = UUID.randomUUID().toString().substring(0, 8);

    /**
     * @param file the one of the payments service
     * @param port where it listens
     */
    Kept(Settings settings, Path file, int port) {
        this.settings = settings;
        this.file = file;
        this.port = port;
    }

    /** Returns the arguments of the payments service, and writes its file. */
    List<String> arguments() throws IOException {
        Files.writeString(file, "# A greater payment is refused.\npayments.most-cents=1000000\n");
        return List.of(
                "--server.port=" + port,
                "--server.address=127.0.0.1",
                "--spring.config.additional-location=" + file.toUri(),
                "--spring.security.user.name=" + USER,
                "--spring.security.user.password=" + password);
    }

    /** Tells where to look, and stays until the process is ended. */
    void stay(Stage stage, Screen screen) throws IOException, InterruptedException {
        String console = "http://127.0.0.1:" + port + "/actuator/idempotency-console/";
        String cli = settings.samples()
                .resolve(Path.of("..", "idempotency-cli", "target", "idempotency-cli-" + settings.version() + ".jar"))
                .normalize()
                .toString();
        System.out.printf(
                """

                Everything goes on running, and some orders still come in. One of them was too great and is in quarantine.

                  overview      %s#/consumers
                  quarantine    %s#/quarantine
                  login         %s, password %s
                  command line  alias idempotency='java -jar %s'
                                export IDEMPOTENCY_URL='%s'
                                idempotency quarantine list payments

                Find out why the order was not paid. Then raise payments.most-cents in
                  %s
                and the payments service starts again. Then replay the message. docs/operations.md shows each step. Ctrl-C ends everything.

                """, console, console, USER, password, cli, stage.databases().url("payments", "cli"), file);
        System.out.flush();
        Service payments = stage.services().node("payments");
        FileTime seen = Files.getLastModifiedTime(file);
        boolean isStarting = false;
        while (true) {
            stage.clients().placeAnother();
            TimeUnit.MILLISECONDS.sleep(LOOK_EVERY_MILLIS);
            FileTime now = Files.exists(file) ? Files.getLastModifiedTime(file) : seen;
            if (!now.equals(seen)) {
                seen = now;
                screen.say("the file has changed, so payments starts again");
                payments.restart();
                isStarting = true;
            } else if (isStarting && payments.hasFailed()) {
                screen.say("payments does not start, its log says why: " + payments.log());
                isStarting = false;
            } else if (isStarting && listens()) {
                screen.say("payments runs again");
                isStarting = false;
            }
        }
    }

    private boolean listens() {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            return socket.isConnected();
        } catch (IOException e) {
            return false;
        }
    }
}
