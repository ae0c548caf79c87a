package io.idempotency.spring;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Stands between a driver and PostgreSQL, and notes the statements and round trips of each transaction. A round trip begins when the driver sends something after
 * the server has answered.
 */
final class PostgresWire implements AutoCloseable {

    /** A transaction that was committed, with all its statements from BEGIN to COMMIT. */
    record Transaction(List<String> statements, int roundTrips) {}

    private final ServerSocket listening;
    private final String url;
    private final List<Transaction> transactions = new CopyOnWriteArrayList<>();

    PostgresWire(String database) throws IOException {
        int port = Integer.parseInt(database.replaceAll(".*:(\\d+)/.*", "$1"));
        this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        this.url = database.replace(":" + port + "/", ":" + listening.getLocalPort() + "/")
                + "&sslmode=disable&gssEncMode=disable";
        start(() -> {
            while (true) {
                Socket driver = listening.accept();
                Socket server = new Socket("localhost", port);
                driver.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                Session session = new Session();
                start(() -> session.forward(driver, server));
                start(() -> session.answer(server, driver));
            }
        });
    }

    String url() {
        return url;
    }

    /** Returns the last committed transaction that ran a statement with this text. */
    Transaction last(String text) {
        return transactions.stream()
                .filter(each -> each.statements().stream().anyMatch(sql -> sql.contains(text)))
                .reduce((first, second) -> second)
                .orElseThrow();
    }

    void forget() {
        transactions.clear();
    }

    @Override
    public void close() throws IOException {
        listening.close();
    }

    private interface Work {
        void run() throws IOException;
    }

    private static void start(Work work) {
        Thread thread = new Thread(() -> {
            try {
                work.run();
            } catch (IOException e) {
                // One of the sides has closed.
                Thread.currentThread().interrupt();
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    /** A connection. */
    private final class Session {

        private final Map<String, String> prepared = new HashMap<>();
        private List<String> statements = new ArrayList<>();
        private int roundTrips;
        private volatile boolean isAnswered = true;

        void answer(Socket server, Socket driver) throws IOException {
            InputStream in = server.getInputStream();
            OutputStream out = driver.getOutputStream();
            byte[] buffer = new byte[1 << 16];
            for (int read = in.read(buffer); read > 0; read = in.read(buffer)) {
                isAnswered = true;
                out.write(buffer, 0, read);
            }
        }

        void forward(Socket driver, Socket server) throws IOException {
            DataInputStream in = new DataInputStream(new BufferedInputStream(driver.getInputStream(), 1 << 16));
            DataOutputStream out = new DataOutputStream(new BufferedOutputStream(server.getOutputStream(), 1 << 16));
            int startLength = in.readInt();
            out.writeInt(startLength);
            out.write(in.readNBytes(startLength - Integer.BYTES));
            out.flush();
            while (true) {
                int type = in.readUnsignedByte();
                int length = in.readInt();
                byte[] body = in.readNBytes(length - Integer.BYTES);
                note((char) type, body);
                out.write(type);
                out.writeInt(length);
                out.write(body);
                if (in.available() == 0) {
                    out.flush();
                }
            }
        }

        private void note(char type, byte[] body) {
            if (isAnswered) {
                isAnswered = false;
                roundTrips++;
            }
            switch (type) {
                case 'P' -> prepared.put(text(body, 0), text(body, 1));
                case 'B' -> executed(prepared.getOrDefault(text(body, 1), ""));
                case 'Q' -> executed(text(body, 0));
                default -> {}
            }
        }

        private void executed(String text) {
            String sql = text.replaceAll("\\s+", " ").trim();
            if (sql.startsWith("BEGIN")) {
                statements = new ArrayList<>();
                roundTrips = 1;
            }
            statements.add(sql);
            if (sql.startsWith("COMMIT")) {
                transactions.add(new Transaction(statements, roundTrips));
                statements = new ArrayList<>();
            }
        }
    }

    /** Returns one of the texts at the beginning of a message, each of which ends with a zero. */
    private static String text(byte[] body, int index) {
        int from = 0;
        for (int i = 0; i < index; i++) {
            from = end(body, from) + 1;
        }
        return new String(body, from, end(body, from) - from, StandardCharsets.UTF_8);
    }

    private static int end(byte[] body, int from) {
        int end = from;
        while (body[end] != 0) {
            end++;
        }
        return end;
    }
}
