package io.idempotency.samples.demo;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

/**
 * Finds ports to listen at. They are below the ports of outgoing connections, so the port of a killed process is still free when the process is started
 * again.
 */
public final class Ports {

    private static final int FIRST = 10_000;
    private static final int BEHIND = 32_000;

    private static final Random RANDOM = new Random();

    private Ports() {}

    /** Returns different free ports of the loopback address. */
    public static List<Integer> free(int count) throws IOException {
        Set<Integer> ports = new LinkedHashSet<>();
        while (ports.size() < count) {
            int port = FIRST + RANDOM.nextInt(BEHIND - FIRST);
            if (isFree(port)) {
                ports.add(port);
            }
        }
        return new ArrayList<>(ports);
    }

    private static boolean isFree(int port) throws IOException {
        try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
            return socket.isBound();
        } catch (BindException e) {
            return false;
        }
    }
}
