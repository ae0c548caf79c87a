package io.idempotency.samples.services;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Clients that place orders at the nodes of the orders service. A client that gets no answer, or that a server fails, asks again at another
 * node with the same id; some ask again although they have an answer, as if it had been lost on its way.
 */
final class Clients {

    private static final int THREADS = 6;
    private static final int REPEATED_EVERY = 20;
    private static final int CUSTOMERS = 500;
    private static final int REFUSED_CENTS = 2_000_000;
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final int AGAIN_AFTER_MILLIS = 50;

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(PATIENCE).build();
    private final List<String> nodes;
    private final int orders;
    private final Random random = new Random(20_261_121);
    private final AtomicInteger begun = new AtomicInteger();
    private final AtomicInteger retries = new AtomicInteger();
    private final AtomicInteger repeats = new AtomicInteger();
    private final AtomicInteger conflicts = new AtomicInteger();
    private final Map<UUID, Long> placed = new ConcurrentHashMap<>();

    Clients(List<String> nodes, int orders) {
        this.nodes = List.copyOf(nodes);
        this.orders = orders;
    }

    /** Places all orders, no faster than over the time given. */
    void placeAll(Duration time) throws InterruptedException {
        long start = System.nanoTime();
        List<Thread> threads = new java.util.ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            Thread thread = new Thread(() -> work(start, time), "client-" + i);
            thread.setDaemon(true);
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    private void work(long start, Duration time) {
        try {
            for (int number = begun.getAndIncrement(); number < orders; number = begun.getAndIncrement()) {
                long due = start + time.toNanos() / orders * number;
                TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
                place(number);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void place(int number) throws InterruptedException {
        UUID id;
        long cents;
        synchronized (random) {
            id = new UUID(random.nextLong(), random.nextLong());
            // One in the middle that no payment can be made for.
            cents = number == orders / 2 ? REFUSED_CENTS : 1 + random.nextInt(100_000);
        }
        String body = String.format(
                Locale.ROOT, "{\"id\":\"%s\",\"customer\":\"c%d\",\"cents\":%d}", id, number % CUSTOMERS, cents);
        int node = number;
        while (!isTaken(nodes.get(node++ % nodes.size()), body)) {
            retries.incrementAndGet();
            TimeUnit.MILLISECONDS.sleep(AGAIN_AFTER_MILLIS);
        }
        placed.put(id, cents);
        if (number % REPEATED_EVERY == 0) {
            repeats.incrementAndGet();
            // Best effort: this one may fail.
            isTaken(nodes.get(node % nodes.size()), body);
        }
    }

    private boolean isTaken(String node, String body) throws InterruptedException {
        try {
            HttpRequest request = HttpRequest.newBuilder(URI.create(node + "/orders"))
                    .timeout(PATIENCE)
                    .header("Content-Type", "application/json")
                    .POST(BodyPublishers.ofString(body))
                    .build();
            int status = http.send(request, BodyHandlers.discarding()).statusCode();
            if (status >= 400 && status < 500) {
                conflicts.incrementAndGet();
            }
            return status < 500;
        } catch (IOException e) {
            return false;
        }
    }

    /** Returns the orders that were answered, and so are to be paid. */
    List<Entry> placed() {
        return placed.entrySet().stream()
                .map(order -> new Entry(order.getKey(), order.getValue()))
                .toList();
    }

    int count() {
        return placed.size();
    }

    boolean isDone() {
        return placed.size() == orders;
    }

    /** Returns how many requests were sent again because there was no answer. */
    int retries() {
        return retries.get();
    }

    /** Returns how many requests were sent again although there was an answer. */
    int repeats() {
        return repeats.get();
    }

    /** Returns how many requests were answered as if the order were a wrong one. */
    int conflicts() {
        return conflicts.get();
    }
}
