package io.idempotency.samples.services;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Version;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongPredicate;

/**
 * Clients that place orders at the nodes of the orders service. A client without an answer, or with an error of the server, repeats the request at another
 * node with the same id. Some repeat it although they have an answer, as if the answer had been lost.
 */
final class Clients {

    private static final int THREADS = 6;
    private static final int REPEATED_EVERY = 20;
    private static final int LAST = 5;
    private static final int LAST_EVERY_MILLIS = 100;
    private static final int CUSTOMERS = 500;
    private static final int REFUSED_CENTS = 2_000_000;
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final int AGAIN_AFTER_MILLIS = 50;
    private static final int NOT_FOUND = 404;
    private static final int NO_ANSWER = 599;

    private final HttpClient http = HttpClient.newBuilder()
            .version(Version.HTTP_1_1)
            .connectTimeout(PATIENCE)
            .build();
    private final List<String> nodes;
    private final int orders;
    private final CountDownLatch accidents = new CountDownLatch(1);
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

    /** Returns whether a node answers. */
    boolean isAnsweredBy(int node) throws InterruptedException {
        return status(HttpRequest.newBuilder(URI.create(nodes.get(node) + "/orders/" + new UUID(0, 0)))) == NOT_FOUND;
    }

    /** Places all orders, spread over at least the given time. */
    void placeAll(Duration time) throws InterruptedException {
        long start = System.nanoTime();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            int first = i % nodes.size();
            Thread thread = new Thread(() -> work(first, start, time), "client-" + i);
            thread.setDaemon(true);
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
    }

    /** Places the last orders at full speed. Until now they come slowly, so that all accidents happen under traffic. */
    void accidentsAreOver() {
        accidents.countDown();
    }

    private void work(int first, long start, Duration time) {
        try {
            int node = first;
            for (int number = begun.getAndIncrement(); number < orders; number = begun.getAndIncrement()) {
                long due = start + time.toNanos() / orders * number;
                TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
                if (number > orders - orders / LAST) {
                    accidents.await(LAST_EVERY_MILLIS, TimeUnit.MILLISECONDS);
                }
                node = place(number, node);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Places an order. Returns the node that accepted it, which the client asks first the next time. */
    private int place(int number, int first) throws InterruptedException {
        UUID id;
        long cents;
        synchronized (random) {
            id = new UUID(random.nextLong(), random.nextLong());
            // One in the middle cannot be paid.
            cents = number == orders / 2 ? REFUSED_CENTS : 1 + random.nextInt(100_000);
        }
        String body = String.format(
                Locale.ROOT, "{\"id\":\"%s\",\"customer\":\"c%d\",\"cents\":%d}", id, number % CUSTOMERS, cents);
        int node = first;
        while (!isTaken(nodes.get(node), body)) {
            node = (node + 1) % nodes.size();
            retries.incrementAndGet();
            TimeUnit.MILLISECONDS.sleep(AGAIN_AFTER_MILLIS);
        }
        placed.put(id, cents);
        if (number % REPEATED_EVERY == 0) {
            repeats.incrementAndGet();
            // Best effort: this request may fail.
            isTaken(nodes.get((node + 1) % nodes.size()), body);
        }
        return node;
    }

    private boolean isTaken(String node, String body) throws InterruptedException {
        int status = status(HttpRequest.newBuilder(URI.create(node + "/orders"))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body)));
        if (status / 100 == 4) {
            conflicts.incrementAndGet();
        }
        return status / 100 != 5;
    }

    /** Returns the status of the answer, or that of a failed server if there is no answer. */
    private int status(HttpRequest.Builder request) throws InterruptedException {
        try {
            return http.send(request.timeout(PATIENCE).build(), BodyHandlers.discarding())
                    .statusCode();
        } catch (IOException e) {
            return NO_ANSWER;
        }
    }

    /** Places one more order. */
    void placeAnother() throws InterruptedException {
        place(begun.getAndIncrement(), 0);
    }

    /** Returns the orders that were answered and must be paid. */
    List<Entry> payable() {
        return placed(cents -> cents < REFUSED_CENTS);
    }

    /** Returns the orders that were answered and cannot be paid. */
    List<Entry> refused() {
        return placed(cents -> cents >= REFUSED_CENTS);
    }

    private List<Entry> placed(LongPredicate cents) {
        return placed.entrySet().stream()
                .filter(order -> cents.test(order.getValue()))
                .map(order -> new Entry(order.getKey(), order.getValue()))
                .toList();
    }

    int count() {
        return placed.size();
    }

    /** Returns how many requests were repeated because there was no answer. */
    int retries() {
        return retries.get();
    }

    /** Returns how many requests were repeated although there was an answer. */
    int repeats() {
        return repeats.get();
    }

    /** Returns how many requests were refused as invalid orders. */
    int conflicts() {
        return conflicts.get();
    }
}
