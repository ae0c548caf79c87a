package io.idempotency.crash;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.database.Database;
import io.idempotency.jdbc.JdbcOutbox;
import io.idempotency.jdbc.Schema;
import io.idempotency.jdbc.TestDatabase;
import io.idempotency.outbox.OutboxTotal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.util.FileSystemUtils;

/**
 * Orders go through three services, each with an outbox of its own, and each killed again and again. {@code -Dchain.orders=20000 -Dchain.kills=30} takes as many as
 * the documentation speaks of.
 */
class OutboxChainTest {

    private static final int ORDERS = Integer.getInteger("chain.orders", 1_500);
    private static final int KILLS = Integer.getInteger("chain.kills", 2 * ChainLife.SERVICES);
    private static final int CUSTOMERS = 50;
    private static final int LAST_DOUBLED = 3;

    private final long seed = Long.getLong("chain.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final String chain = "c" + UUID.randomUUID().toString().substring(0, 8);

    @Test
    @Tag("rule-11.2")
    @Tag("rule-11.4")
    void everyOrderHasOneEffectInEachServiceInTheOrderOfItsCustomer() throws Exception {
        Path folder =
                Path.of(System.getProperty("basedir", "")).toAbsolutePath().resolve("target/chain-" + chain);
        Files.createDirectories(folder);
        Database database = Database.at(TestDatabase.POSTGRESQL.url());
        try (Servers servers = Servers.beside(database)) {
            JdbcTemplate jdbc = new JdbcTemplate(servers.dataSource());
            prepare(servers, jdbc);
            send(servers.bootstrap());
            int killed = run(servers, jdbc, folder);
            System.out.printf("%d orders, %d kills, seed %d%n", ORDERS, killed, seed);
            for (int service = 0; service < ChainLife.SERVICES; service++) {
                check(servers, jdbc, service);
            }
        } finally {
            FileSystemUtils.deleteRecursively(folder);
        }
    }

    private void prepare(Servers servers, JdbcTemplate jdbc) throws ExecutionException, InterruptedException {
        List<NewTopic> topics = new ArrayList<>();
        for (int service = 0; service <= ChainLife.SERVICES; service++) {
            topics.add(new NewTopic(ChainLife.topic(chain, service), 3, (short) 1));
        }
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers.bootstrap()))) {
            admin.createTopics(topics).all().get();
        }
        for (int service = 0; service < ChainLife.SERVICES; service++) {
            String prefix = ChainLife.prefix(chain, service);
            Schema.on(servers.dataSource()).tablePrefix(prefix).create();
            jdbc.execute(
                    "create table " + prefix
                            + "effect (at bigint generated always as identity, customer text not null, number bigint not null)");
        }
    }

    /** Some orders are sent twice, as by a sender that was not sure. */
    private void send(String servers) throws ExecutionException, InterruptedException {
        try (KafkaProducer<String, String> producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", servers, "max.in.flight.requests.per.connection", 1),
                new StringSerializer(),
                new StringSerializer())) {
            List<Future<?>> sent = new ArrayList<>();
            for (int number = 0; number < ORDERS; number++) {
                String id = UUID.randomUUID().toString();
                for (int copy = random.nextInt(10) < LAST_DOUBLED ? 0 : 1; copy < 2; copy++) {
                    ProducerRecord<String, String> order = new ProducerRecord<>(
                            ChainLife.topic(chain, 0), "customer " + number % CUSTOMERS, String.valueOf(number));
                    order.headers().add("message-id", id.getBytes(StandardCharsets.UTF_8));
                    sent.add(producer.send(order));
                }
            }
            for (Future<?> each : sent) {
                each.get();
            }
        }
    }

    /** Keeps all services running, kills them in turn, and waits until nothing is left to do. Returns how often it killed one. */
    private int run(Servers servers, JdbcTemplate jdbc, Path folder) throws InterruptedException {
        int killed = 0;
        int lives = 0;
        ChildProcess[] running = new ChildProcess[ChainLife.SERVICES];
        try {
            for (int service = 0; service < running.length; service++) {
                running[service] = start(servers, service, folder.resolve("life-" + lives++));
            }
            while (killed < KILLS || !isDone(servers, jdbc)) {
                Thread.sleep(1_000 + random.nextInt(5_000));
                int service = killed % running.length;
                ChildProcess next = running[service];
                assertThat(next.isAlive())
                        .as(() -> "seed " + seed + ": " + next.said())
                        .isTrue();
                if (killed < KILLS) {
                    next.kill();
                    killed++;
                    running[service] = start(servers, service, folder.resolve("life-" + lives++));
                }
            }
            for (ChildProcess each : running) {
                assertThat(each.end()).as(each.said()).isZero();
            }
        } finally {
            for (ChildProcess each : running) {
                if (each != null) {
                    each.close();
                }
            }
        }
        return killed;
    }

    private ChildProcess start(Servers servers, int service, Path output) {
        return ChildProcess.start(
                ChainLife.class,
                ChainLife.arguments(chain, service, servers.bootstrap()),
                servers.environment(),
                output);
    }

    private boolean isDone(Servers servers, JdbcTemplate jdbc) {
        return count(jdbc, ChainLife.SERVICES - 1, "count(*)") >= ORDERS
                && total(servers, ChainLife.SERVICES - 1).waiting() == 0;
    }

    private long count(JdbcTemplate jdbc, int service, String what) {
        Long count = jdbc.queryForObject(
                "select " + what + " from " + ChainLife.prefix(chain, service) + "effect", Long.class);
        return count == null ? 0 : count;
    }

    private OutboxTotal total(Servers servers, int service) {
        return JdbcOutbox.on(servers.dataSource())
                .tablePrefix(ChainLife.prefix(chain, service))
                .total();
    }

    private void check(Servers servers, JdbcTemplate jdbc, int service) {
        String what = "service " + service + ", seed " + seed;
        assertThat(count(jdbc, service, "count(*)")).as(what).isEqualTo(ORDERS);
        assertThat(count(jdbc, service, "count(distinct number)")).as(what).isEqualTo(ORDERS);
        assertThat(total(servers, service)).as(what).isEqualTo(new OutboxTotal(0, Duration.ZERO, 0));
        Long overtaken = jdbc.queryForObject("""
                select count(*) from (
                    select number, lag(number) over (partition by customer order by at) as before from %seffect
                ) as orders where before > number
                """.formatted(ChainLife.prefix(chain, service)), Long.class);
        assertThat(overtaken).as(what).isZero();
    }
}
