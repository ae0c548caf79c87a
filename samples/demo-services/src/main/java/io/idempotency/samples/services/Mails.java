package io.idempotency.samples.services;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/** The foreign service. It accepts mails, counts the calls for each idempotency key, and is sometimes too busy. */
final class Mails implements AutoCloseable {

    private static final int BUSY_EVERY = 500;
    private static final int TAKEN = 202;
    private static final int BUSY = 503;

    private final Map<String, Integer> calls = new ConcurrentHashMap<>();
    private final AtomicInteger requests = new AtomicInteger();
    private final AtomicInteger refused = new AtomicInteger();
    private final AtomicInteger held = new AtomicInteger();
    private final ExecutorService threads = Executors.newFixedThreadPool(4);
    private final HttpServer server;
    private volatile CountDownLatch answers = new CountDownLatch(0);

    Mails() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/mails", this::take);
        server.setExecutor(threads);
        server.start();
    }

    private void take(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.getRequestBody().readAllBytes();
            if (requests.incrementAndGet() % BUSY_EVERY == 0) {
                refused.incrementAndGet();
                exchange.sendResponseHeaders(BUSY, -1);
                return;
            }
            calls.merge(String.valueOf(exchange.getRequestHeaders().getFirst("Idempotency-Key")), 1, Integer::sum);
            awaitRelease();
            exchange.sendResponseHeaders(TAKEN, -1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void awaitRelease() throws InterruptedException {
        CountDownLatch now = answers;
        if (now.getCount() > 0) {
            held.incrementAndGet();
            now.await();
        }
    }

    /** Accepts calls, but holds back the answers. */
    void holdAnswers() {
        answers = new CountDownLatch(1);
    }

    /** Sends the answers that were held back, and from now on each answer at once. */
    void answer() {
        answers.countDown();
    }

    String url() {
        return "http://" + InetAddress.getLoopbackAddress().getHostAddress() + ":"
                + server.getAddress().getPort();
    }

    /** Returns how many calls came for each key. */
    Map<String, Integer> calls() {
        return Map.copyOf(calls);
    }

    /** Returns how many calls had to wait for their answer. */
    int held() {
        return held.get();
    }

    /** Returns how many calls found it too busy. */
    int refused() {
        return refused.get();
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
