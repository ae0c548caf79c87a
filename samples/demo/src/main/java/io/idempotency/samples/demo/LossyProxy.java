package io.idempotency.samples.demo;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A proxy to the broker that sometimes loses an acknowledgment: it forwards the produce request, drops the response and closes the connection. Then the
 * producer cannot know whether its records were written, and sends them again.
 *
 * <p>It forwards bytes unchanged, frame by frame. Of each frame it reads only the length, the kind of request and the correlation id.
 */
final class LossyProxy implements AutoCloseable {

    private static final short PRODUCE = 0;

    private final ServerSocket server;
    private final int brokerPort;
    private final double loss;
    private final Random random;
    private final AtomicLong dropped = new AtomicLong();
    private final Set<Socket> open = ConcurrentHashMap.newKeySet();

    /**
     * Starts to listen.
     *
     * @param loss the part of acknowledgments to lose
     */
    LossyProxy(int brokerPort, double loss, long seed) throws IOException {
        this.brokerPort = brokerPort;
        this.loss = loss;
        this.random = new Random(seed);
        this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        daemon("proxy-accept", this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    /** Returns how many acknowledgments were lost so far. */
    long dropped() {
        return dropped.get();
    }

    private void accept() throws IOException {
        while (true) {
            Socket client = opened(server.accept());
            Socket broker = opened(new Socket(InetAddress.getLoopbackAddress(), brokerPort));
            Set<Integer> produceRequests = ConcurrentHashMap.newKeySet();
            daemon(
                    "proxy-requests",
                    () -> pump(client, broker, frame -> {
                        if (frame.getShort(0) == PRODUCE) {
                            produceRequests.add(frame.getInt(4));
                        }
                        return true;
                    }));
            daemon(
                    "proxy-responses",
                    () -> pump(broker, client, frame -> {
                        boolean isAcknowledgment = produceRequests.remove(frame.getInt(0));
                        if (isAcknowledgment && random.nextDouble() < loss) {
                            dropped.incrementAndGet();
                            return false;
                        }
                        return true;
                    }));
        }
    }

    private Socket opened(Socket socket) throws IOException {
        socket.setTcpNoDelay(true);
        open.add(socket);
        return socket;
    }

    /** Forwards frames until one is lost or one side ends. Then ends both sides. */
    private void pump(Socket from, Socket to, FrameFilter filter) throws IOException {
        try {
            DataInputStream in = new DataInputStream(from.getInputStream());
            DataOutputStream out = new DataOutputStream(to.getOutputStream());
            while (true) {
                byte[] frame = new byte[in.readInt()];
                in.readFully(frame);
                if (!filter.passes(ByteBuffer.wrap(frame))) {
                    return;
                }
                byte[] whole = ByteBuffer.allocate(4 + frame.length)
                        .putInt(frame.length)
                        .put(frame)
                        .array();
                out.write(whole);
                out.flush();
            }
        } finally {
            forget(from);
            forget(to);
        }
    }

    private void forget(Socket socket) throws IOException {
        open.remove(socket);
        socket.close();
    }

    private static void daemon(String name, Pumping work) {
        Thread thread = new Thread(
                () -> {
                    try {
                        work.run();
                    } catch (IOException e) {
                        // One side has hung up, which is the ordinary end of a connection.
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() throws IOException {
        server.close();
        for (Socket socket : open) {
            socket.close();
        }
    }

    private interface Pumping {
        void run() throws IOException;
    }

    private interface FrameFilter {
        boolean passes(ByteBuffer frame);
    }
}
