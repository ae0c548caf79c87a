package io.idempotency.testkit;

import static io.idempotency.testkit.Transacted.committed;
import static io.idempotency.testkit.Transacted.rolledBack;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.AuditRecord;
import io.idempotency.store.AuditStore;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract of audits: they keep who changed what, within the transactions of the claim store beside them. */
public interface AuditContract extends StoreContract {

    /** Returns the audit under test. It joins the transactions of {@link #store()}. */
    AuditStore audit();

    @Test
    @Tag("rule-8.24")
    default void keepsARecordAsItIs() {
        AuditRecord act = act(Messages.ofNewConsumer(), "4711 'ä☠\\");

        AuditStore.Key key = audit().write(act);

        assertThat(of(act.consumer()))
                .singleElement()
                .usingRecursiveComparison()
                .ignoringFields("at")
                .isEqualTo(act);
        assertThat(of(act.consumer()).get(0).at()).isEqualTo(key.at());
    }

    @Test
    @Tag("rule-8.24")
    default void keepsARecordOnlyIfItsTransactionCommits() {
        AuditRecord act = act(Messages.ofNewConsumer(), "4711");

        rolledBack(store(), () -> audit().write(act));
        assertThat(of(act.consumer())).isEmpty();

        committed(store(), () -> audit().write(act));
        assertThat(of(act.consumer())).hasSize(1);
    }

    @Test
    @Tag("rule-8.24")
    default void raisesTheCountOfARecord() {
        AuditRecord act = act(Messages.ofNewConsumer(), "a range (unfinished)");
        AuditStore.Key key = audit().write(act);
        audit().write(act(Messages.ofNewConsumer(), "another"));

        audit().update(key, 4000, "a range");

        AuditRecord kept = of(act.consumer()).get(0);
        assertThat(kept.messages()).isEqualTo(4000);
        assertThat(kept.subject()).isEqualTo("a range");
        assertThat(kept.at()).isEqualTo(key.at());
    }

    @Test
    @Tag("rule-8.24")
    default void listsTheNewestFirst() {
        Messages messages = Messages.ofNewConsumer();
        audit().write(act(messages, "1"));
        passTime(Duration.ofMinutes(2));
        audit().write(act(messages, "2"));
        passTime(Duration.ofMinutes(2));
        Instant from = audit().write(act(messages, "3")).at().minus(Duration.ofMinutes(3));

        assertThat(audit().list(from, 2)).extracting(AuditRecord::subject).containsExactly("3", "2");
        assertThat(audit().list(from, 1)).extracting(AuditRecord::subject).containsExactly("3");
    }

    @Test
    @Tag("rule-8.24")
    default void listsTheNewestOfAConsumerFirst() {
        Messages messages = Messages.ofNewConsumer();
        audit().write(act(messages, "1"));
        passTime(Duration.ofMinutes(2));
        audit().write(act(messages, "2"));
        passTime(Duration.ofMinutes(2));
        Instant last = audit().write(act(messages, "3")).at();
        audit().write(act(Messages.ofNewConsumer(), "4"));

        assertThat(audit().list(messages.consumer(), Instant.EPOCH, 2))
                .extracting(AuditRecord::subject)
                .containsExactly("3", "2");
        assertThat(of(messages.consumer())).extracting(AuditRecord::subject).containsExactly("3", "2", "1");
        assertThat(audit().list(messages.consumer(), last.minus(Duration.ofMinutes(1)), 5))
                .extracting(AuditRecord::subject)
                .containsExactly("3");
    }

    @Test
    @Tag("rule-8.24")
    default void purgesOldRecordsNoMoreThanTheLimitAtATime() {
        Messages messages = Messages.ofNewConsumer();
        passTime(Duration.ofDays(500));
        while (audit().purge(Duration.ofDays(400), 100) > 0) {
            // Those of other tests.
        }
        audit().write(act(messages, "1"));
        audit().write(act(messages, "2"));
        passTime(Duration.ofDays(401));
        audit().write(act(messages, "3"));

        assertThat(audit().purge(Duration.ofDays(400), 1)).isEqualTo(1);
        assertThat(audit().purge(Duration.ofDays(400), 10)).isEqualTo(1);
        assertThat(audit().purge(Duration.ofDays(400), 10)).isZero();

        assertThat(of(messages.consumer())).extracting(AuditRecord::subject).containsExactly("3");
    }

    private List<AuditRecord> of(String consumer) {
        return audit().list(consumer, Instant.EPOCH, 1000);
    }

    private static AuditRecord act(Messages messages, String subject) {
        return new AuditRecord(Instant.EPOCH, "Ada", "cli", "forget", messages.consumer(), 1, subject, "INC-42");
    }
}
