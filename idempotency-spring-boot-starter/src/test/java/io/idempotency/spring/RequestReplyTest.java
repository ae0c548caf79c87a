package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.outbox.OutboxStore;
import io.idempotency.spring.RepliesLife.Way;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * A caller sends each request three times, some at once, to a service on two nodes, and all three processes are killed again and again.
 * {@code -Drequests=2500 -Drequests.kills=50} takes longer.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RequestReplyTest {

    private static final int REQUESTS = Integer.getInteger("requests", 120);
    private static final int KILLS = Integer.getInteger("requests.kills", 6);
    /** Two nodes of the service, and the caller. */
    private static final int PROCESSES = 3;

    private static final int CALLER = PROCESSES - 1;
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private final long seed = Long.getLong("requests.seed", System.nanoTime());
    private final Random random = new Random(seed);
    /** An application without listeners, which shows what the service has in its database. */
    private final ListenerBench bench =
            new ListenerBench().with("idempotency.outbox.enabled=true", "idempotency.outbox.relay=false");

    private final Function<Way, BenchTopic> requests = bench.topics(Way.class, "");
    private final Function<Way, BenchTopic> replies = bench.topics(Way.class, "-replies");
    private final KilledJvm[] running = new KilledJvm[PROCESSES];
    private int lives;

    @TempDir(cleanup = CleanupMode.ALWAYS)
    Path folder;

    @BeforeAll
    void prepare() {
        bench.start();
        bench.jdbc().execute("create table made (way text not null, request text not null, receipt text not null)");
        bench.jdbc()
                .execute(
                        "create table got (way text, request integer, copy integer, answer text not null, primary key (way, request, copy))");
    }

    @AfterAll
    void close() {
        bench.close();
    }

    @Test
    void eachRequestHasOneEffectAndAllItsRepliesAreAlike() throws Exception {
        try {
            for (int each = 0; each < PROCESSES; each++) {
                running[each] = start(each);
            }
            int kills = killAll();
            await(() -> running[CALLER].isDone());
            assertThat(kills).as("seed %d", seed).isGreaterThanOrEqualTo(PROCESSES);
            System.out.printf("%d kills, seed %d%n", kills, seed);
            for (Way way : Way.values()) {
                check(way);
            }
        } finally {
            for (KilledJvm each : running) {
                if (each != null) {
                    each.kill();
                }
            }
        }
    }

    /** Kills them in turn, each after a random piece of the work, and only when it has worked. Returns how often it has killed one before all was done. */
    private int killAll() throws Exception {
        int all = Way.values().length * REQUESTS * AsksLife.COPIES;
        for (int kill = 0; kill < KILLS; kill++) {
            int victim = kill % PROCESSES;
            int from = all * kill / (KILLS + 1);
            int replied = from + random.nextInt(all / (KILLS + 1));
            await(() -> running[CALLER].isDone()
                    || (running[victim].isAtWork() && count("select count(*) from got") >= replied));
            if (running[CALLER].isDone()) {
                return kill;
            }
            running[victim].kill();
            running[victim] = start(victim);
        }
        return KILLS;
    }

    private void await(Callable<Boolean> condition) {
        Awaitility.await()
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .failFast(() -> Arrays.stream(running)
                        .forEach(each -> assertThat(each.isAlive() || each.isDone())
                                .as(() -> "seed " + seed + ": " + each.said())
                                .isTrue()))
                .until(condition);
    }

    private KilledJvm start(int process) throws IOException {
        String database =
                Objects.requireNonNull(bench.application().getEnvironment().getProperty("spring.datasource.url"));
        Path output = Files.createFile(folder.resolve("life-" + lives++));
        if (process == CALLER) {
            return KilledJvm.start(
                    AsksLife.class,
                    List.of(
                            database,
                            TestServers.bootstrapServers(),
                            bench.topic,
                            String.valueOf(REQUESTS),
                            String.valueOf(random.nextLong())),
                    output);
        }
        return KilledJvm.start(
                RepliesLife.class,
                List.of(
                        "--spring.main.banner-mode=off",
                        "--logging.level.root=warn",
                        "--spring.kafka.bootstrap-servers=" + TestServers.bootstrapServers(),
                        "--spring.kafka.consumer.auto-offset-reset=earliest",
                        "--spring.kafka.consumer.properties[session.timeout.ms]=3000",
                        "--spring.kafka.consumer.properties[heartbeat.interval.ms]=300",
                        "--spring.datasource.url=" + database,
                        "--spring.flyway.enabled=false",
                        "--spring.autoconfigure.exclude="
                                + "org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration,"
                                + "org.springframework.boot.data.jpa.autoconfigure.DataJpaRepositoriesAutoConfiguration",
                        "--idempotency.outbox.enabled=true",
                        "--topic=" + bench.topic),
                output);
    }

    private long count(String query, Object... arguments) {
        Long count = bench.jdbc().queryForObject(query, Long.class, arguments);
        return count == null ? 0 : count;
    }

    private void check(Way way) {
        String what = way + ", seed " + seed;
        requests.apply(way).awaitSettled();
        await(() -> bench.bean(OutboxStore.class).total().waiting() == 0);
        List<String> receipts =
                bench.jdbc().queryForList("select receipt from made where way = ?", String.class, way.name());
        assertThat(receipts).as(what).hasSize(REQUESTS);
        assertThat(count("select count(distinct request) from made where way = ?", way.name()))
                .as(what)
                .isEqualTo(REQUESTS);

        List<ConsumerRecord<String, String>> sent = replies.apply(way).read();
        assertThat(sent.stream().map(ConsumerRecord::value).distinct().toList())
                .as(what)
                .containsExactlyInAnyOrderElementsOf(receipts);
        assertThat(count(
                        "select count(*) from got join made using (way) where way = ? and made.request = got.request::text"
                                + " and receipt = answer",
                        way.name()))
                .as(what)
                .isEqualTo((long) REQUESTS * AsksLife.COPIES);
        System.out.printf(
                "%s: %d requests sent %d times, %d replies%n",
                way, REQUESTS, requests.apply(way).read().size(), sent.size());
    }
}
