package io.idempotency.outage;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Stands between a pool and PostgreSQL, and cuts the connection during a statement: before the server has seen it, or after the
 * server has answered, which the client then never hears.
 */
final class Cutter implements AutoCloseable {

    /** When to cut. */
    enum Cut {
        NEVER,
        BEFORE_THE_SERVER_SEES_IT,
        AFTER_THE_SERVER_DID_IT
    }

    /** The driver's own statement, as the protocol ends texts. */
    static final String COMMIT = "COMMIT\0";

    /** Part of the statement by which the store claims or leases. */
    static final String CLAIM = "message (at_micros";

    private final ServerSocket listening;
    private final int target;
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();
    private final AtomicReference<Cut> next = new AtomicReference<>(Cut.NEVER);
    private volatile String text = COMMIT;

    Cutter(Postgres postgres) {
        try {
            this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        this.target = postgres.port();
        new Thread(this::accept, "cutter").start();
    }

    /** Returns the address of the database through this proxy. Statements are not prepared, so that each passes as text. */
    String url() {
        return Postgres.url(listening.getLocalPort()) + "&prepareThreshold=0&sslmode=disable&gssEncMode=disable";
    }

    /** Cuts the next statement that contains the text. */
    void cutNext(String part, Cut when) {
        text = part;
        next.set(when);
    }

    boolean isArmed() {
        return next.get() != Cut.NEVER;
    }

    private void accept() {
        try {
            while (true) {
                new Pair(listening.accept(), new Socket(InetAddress.getLoopbackAddress(), target)).start();
            }
        } catch (IOException closed) {
            open.forEach(Cutter::shut);
        }
    }

    /** One connection. */
    private final class Pair {

        private final Socket client;
        private final Socket server;
        private volatile boolean isCutAtAnswer;

        Pair(Socket client, Socket server) {
            this.client = client;
            this.server = server;
            open.add(client);
            open.add(server);
        }

        void start() {
            new Thread(() -> copy(client, server, true), "to-postgres").start();
            new Thread(() -> copy(server, client, false), "from-postgres").start();
        }

        private void copy(Socket from, Socket to, boolean isToServer) {
            byte[] buffer = new byte[1 << 16];
            try (from;
                    to) {
                InputStream in = from.getInputStream();
                OutputStream out = to.getOutputStream();
                for (int read = in.read(buffer); read > 0; read = in.read(buffer)) {
                    if (isToServer ? isCutBefore(buffer, read) : isCutAtAnswer) {
                        return;
                    }
                    out.write(buffer, 0, read);
                }
            } catch (IOException cut) {
                // The other direction was closed; so is this one.
            } finally {
                open.remove(from);
            }
        }

        private boolean isCutBefore(byte[] bytes, int length) {
            if (!new String(bytes, 0, length, StandardCharsets.ISO_8859_1).contains(text)) {
                return false;
            }
            Cut cut = next.getAndSet(Cut.NEVER);
            isCutAtAnswer = cut == Cut.AFTER_THE_SERVER_DID_IT;
            return cut == Cut.BEFORE_THE_SERVER_SEES_IT;
        }
    }

    private static void shut(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }
}
