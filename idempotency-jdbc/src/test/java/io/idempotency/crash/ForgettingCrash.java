package io.idempotency.crash;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.idempotency.Operations;
import io.idempotency.database.Database;
import io.idempotency.jdbc.JdbcAudit;
import io.idempotency.jdbc.JdbcQuarantine;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.TableStore;
import io.idempotency.store.AuditRecord;
import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.MessageRange;
import io.idempotency.store.Position;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import javax.sql.DataSource;

/** A process halts between two batches of a range that it forgets. Another one does the rest. */
public final class ForgettingCrash {

    /** A batch is a thousand. */
    private static final int MESSAGES = 2_500;

    private static final int AT_ONCE = 100;
    private static final String REASON = "INC-42";

    private final String name;
    private final DataSource dataSource;
    private final ClaimStore store;
    private final Operations operations;

    private ForgettingCrash(String name, Cell.Kind kind, DataSource dataSource) {
        this.name = name;
        this.dataSource = dataSource;
        this.store = kind == Cell.Kind.TABLE
                ? TableStore.builder(dataSource).tablePrefix(Ledger.PREFIX).build()
                : JournalStore.builder(dataSource).tablePrefix(Ledger.PREFIX).build();
        this.operations = Operations.of(store, JdbcQuarantine.on(dataSource).tablePrefix(Ledger.PREFIX), audit());
    }

    private JdbcAudit audit() {
        return JdbcAudit.on(dataSource).tablePrefix(Ledger.PREFIX);
    }

    /** Forgets the range, and halts when a batch is committed. */
    public static void main(String[] args) {
        Life.quieten();
        ForgettingCrash life = new ForgettingCrash(
                args[0], Cell.Kind.valueOf(args[1]), Database.named().dataSource());
        life.operations.forget(
                life.range(), REASON, forgotten -> Runtime.getRuntime().halt(Halt.CODE));
    }

    private MessageRange range() {
        return MessageRange.ofOffsets(name, name, 0, 0, MESSAGES - 1);
    }

    private List<Delivery> deliveries() {
        return IntStream.range(0, MESSAGES)
                .mapToObj(i -> new Delivery(new MessageId(name, "m" + i), new Position(name, 0, i)))
                .toList();
    }

    static void run(Servers servers, Cell.Kind kind, Path folder) {
        String name = ("forget-" + kind + "-" + Cell.RUN).toLowerCase(Locale.ROOT);
        ForgettingCrash crash = new ForgettingCrash(name, kind, servers.dataSource());
        crash.claimAll();
        Path output = folder.resolve(name);
        try (ChildProcess child =
                ChildProcess.start(ForgettingCrash.class, List.of(name, kind.name()), servers.environment(), output)) {
            await().atMost(Duration.ofMinutes(2)).until(() -> !child.isAlive());
            assertThat(child.exitCode()).as(child.said()).isEqualTo(Halt.CODE);
        }
        crash.doTheRest();
    }

    private void claimAll() {
        List<Delivery> all = deliveries();
        for (int from = 0; from < MESSAGES; from += AT_ONCE) {
            List<Delivery> some = all.subList(from, from + AT_ONCE);
            store.prepare(some);
            store.transactions()
                    .inTransaction(() -> assertThat(store.claim(some)).allMatch(Claim::isGranted));
        }
    }

    private void doTheRest() {
        long left = operations.countForgettable(range()).messages();
        assertThat(left).isBetween(1L, MESSAGES - 1L);
        assertThat(acts())
                .singleElement()
                .satisfies(act -> assertThat(act.messages()).isEqualTo(MESSAGES - left))
                .satisfies(act -> assertThat(act.subject()).endsWith(" (unfinished)"));

        assertThat(operations.forget(range(), REASON, forgotten -> {}).messages())
                .isEqualTo(left);

        assertThat(operations.countForgettable(range()).messages()).isZero();
        assertThat(acts()).extracting(AuditRecord::messages).containsExactlyInAnyOrder(MESSAGES - left, left);
        assertThat(acts())
                .filteredOn(act -> act.subject().endsWith(" (unfinished)"))
                .hasSize(1);
        claimAll();
    }

    private List<AuditRecord> acts() {
        return audit().list(Instant.EPOCH, 1_000).stream()
                .filter(act -> act.consumer().equals(name))
                .toList();
    }
}
