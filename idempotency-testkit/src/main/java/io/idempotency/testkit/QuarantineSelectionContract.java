package io.idempotency.testkit;

import static io.idempotency.testkit.Transacted.committed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Payload.Origin;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineCount;
import io.idempotency.store.QuarantineEntry;
import io.idempotency.store.QuarantineFailure;
import io.idempotency.store.QuarantineGroup;
import io.idempotency.store.QuarantineSelection;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.QuarantineSummary;
import io.idempotency.store.QuarantinedMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The contract of quarantines about choosing messages, and about taking one for a replay. */
public interface QuarantineSelectionContract extends StoreContract {

    /** Returns the quarantine under test. It joins the transactions of {@link #store()}. */
    QuarantineStore quarantine();

    @Test
    @Tag("rule-9.3")
    default void takesAMessageOfTheGenerationAskedForOnly() {
        Messages messages = Messages.ofNewConsumer();
        save(messages.at("bad", 17), "A");
        long first = generation(messages.id("bad"));
        save(messages.at("bad", 17), "B");

        Optional<QuarantineEntry> old = committed(store(), () -> quarantine().take(messages.id("bad"), first));
        Optional<QuarantineEntry> current =
                committed(store(), () -> quarantine().take(messages.id("bad"), generation(messages.id("bad"))));

        assertThat(old).isEmpty();
        assertThat(current).map(entry -> entry.message().failure().group()).contains("B");
        assertThat(committed(store(), () -> quarantine().take(messages.id("absent"), 1)))
                .isEmpty();
    }

    @Test
    @Tag("rule-9.3")
    default void takesNoMessageWithoutATransaction() {
        MessageId id = Messages.ofNewConsumer().id("bad");

        assertThatThrownBy(() -> quarantine().take(id, 1)).isInstanceOf(IdempotencyException.class);
    }

    @Test
    @Tag("rule-9.3")
    default void givesAMessageToOneOfTwoTransactions() {
        Messages messages = Messages.ofNewConsumer();
        save(messages.at("bad", 17), "A");
        long generation = generation(messages.id("bad"));
        try (OtherThread first = OtherThread.inTransaction(store());
                OtherThread second = OtherThread.inTransaction(store())) {
            assertThat(first.run(() -> quarantine().take(messages.id("bad"), generation)))
                    .isPresent();
            OtherThread.Step<Optional<QuarantineEntry>> waiting =
                    second.begin(() -> quarantine().take(messages.id("bad"), generation));
            second.awaitWaiting(waiting);

            assertThat(first.run(() -> quarantine().delete(messages.id("bad")))).isTrue();
            first.commit();

            assertThat(waiting.answerOrAgain(store())).isEmpty();
        }
    }

    @Test
    @Tag("rule-9.3")
    default void doesNotTakeAMessageThatIsSavedMeanwhile() {
        Messages messages = Messages.ofNewConsumer();
        save(messages.at("bad", 17), "A");
        long generation = generation(messages.id("bad"));
        try (OtherThread live = OtherThread.inTransaction(store());
                OtherThread replay = OtherThread.inTransaction(store())) {
            live.run(() -> {
                save(messages.at("bad", 17), "B");
                return true;
            });
            OtherThread.Step<Optional<QuarantineEntry>> waiting =
                    replay.begin(() -> quarantine().take(messages.id("bad"), generation));
            replay.awaitWaiting(waiting);

            live.commit();

            assertThat(waiting.answerOrAgain(store())).isEmpty();
        }
    }

    @Test
    @Tag("rule-9.3")
    default void savesAMessageThatWasTakenOnlyAfterwards() {
        Messages messages = Messages.ofNewConsumer();
        save(messages.at("bad", 17), "A");
        long generation = generation(messages.id("bad"));
        try (OtherThread replay = OtherThread.inTransaction(store());
                OtherThread live = OtherThread.inTransaction(store())) {
            replay.run(() -> quarantine().take(messages.id("bad"), generation));
            OtherThread.Step<Boolean> waiting = live.begin(() -> {
                save(messages.at("bad", 17), "B");
                return true;
            });
            live.awaitWaiting(waiting);
            replay.run(() -> quarantine().delete(messages.id("bad")));
            replay.commit();

            waiting.answerOrAgain(store());
        }
    }

    @Test
    @Tag("rule-9.4")
    default void listsPageByPageInTheOrderOfTopicPartitionAndOffset() {
        Messages messages = Messages.ofNewConsumer();
        save(new Delivery(messages.id("z"), new Position("b-topic", 0, 1)), "A");
        save(messages.at("p1-9", 1, 9), "A");
        save(messages.at("p0-10", 0, 10), "A");
        save(messages.at("p0-9", 0, 9), "A");
        save(new Delivery(messages.id("nowhere"), Position.UNKNOWN), "A");
        save(messages.at("p1-2", 1, 2), "A");
        save(Messages.ofNewConsumer().at("other", 3), "A");

        for (int size : List.of(1, 2, 10)) {
            assertThat(pages(QuarantineSelection.of(messages.consumer()), size))
                    .containsExactly("nowhere", "z", "p0-9", "p0-10", "p1-2", "p1-9");
        }
    }

    @Test
    @Tag("rule-9.4")
    default void choosesByEachCondition() {
        Messages messages = Messages.ofNewConsumer();
        IntStream.range(0, 6).forEach(i -> save(messages.at("m-" + i, i % 2, i), i < 4 ? "A" : "B"));
        QuarantineSelection all = QuarantineSelection.of(messages.consumer());
        QuarantineSummary third =
                quarantine().list(all.ids(List.of("m-2")), Optional.empty(), 10).get(0);

        assertThat(pages(all.failureGroup("B"), 10)).containsExactly("m-4", "m-5");
        assertThat(pages(all.failureType("some.FailureA"), 10)).containsExactly("m-0", "m-2", "m-1", "m-3");
        assertThat(pages(all.ids(List.of("m-5", "m-2", "absent")), 10)).containsExactly("m-2", "m-5");
        assertThat(pages(all.stream("orders").partition(1), 10)).containsExactly("m-1", "m-3", "m-5");
        assertThat(pages(all.stream("orders").partition(0).offsets(1, 4), 10)).containsExactly("m-2", "m-4");
        assertThat(pages(all.stream("other"), 10)).isEmpty();
        assertThat(pages(all.from(third.firstAt()).ids(List.of("m-1", "m-2", "m-3")), 10))
                .contains("m-2", "m-3");
        assertThat(pages(all.to(third.firstAt()), 10)).doesNotContain("m-2");
        assertThat(third.failureType()).isEqualTo("some.FailureA");
        assertThat(third.failureGroup()).isEqualTo("A");
        assertThat(third.attempts()).isEqualTo(1);
        assertThat(third.replay()).isEmpty();
        assertThat(third.delivery()).isEqualTo(messages.at("m-2", 0, 2));
    }

    @Test
    @Tag("rule-9.4")
    default void countsByTypeAndGroup() {
        Messages messages = Messages.ofNewConsumer();
        save(messages.at("m-0", 0), "B");
        save(messages.at("m-1", 1), "A");
        save(messages.at("m-2", 1, 2), "A");

        QuarantineCount all = quarantine().count(QuarantineSelection.of(messages.consumer()));
        QuarantineCount some = quarantine()
                .count(QuarantineSelection.of(messages.consumer()).stream("orders")
                        .partition(1));
        QuarantineCount none = quarantine()
                .count(QuarantineSelection.of(Messages.ofNewConsumer().consumer()));

        assertThat(all.messages()).isEqualTo(3);
        assertThat(all.byFailureType().toString()).isEqualTo("{some.FailureA=2, some.FailureB=1}");
        assertThat(all.byFailureGroup().toString()).isEqualTo("{A=2, B=1}");
        assertThat(all.oldest()).isEqualTo(quarantine().find(messages.id("m-0")).map(QuarantineEntry::firstAt));
        assertThat(some.messages()).isEqualTo(1);
        assertThat(none.messages()).isZero();
        assertThat(none.oldest()).isEmpty();
    }

    @Test
    @Tag("rule-9.4")
    default void groupsByFailureWithTheHoursOfTheLastDay() {
        Messages messages = Messages.ofNewConsumer();
        save(messages.at("m-0", 0), "C");
        passTime(Duration.ofHours(24));
        save(messages.at("m-1", 1), "B");
        passTime(Duration.ofHours(2).plusMinutes(30));
        save(messages.at("m-2", 1, 2), "B");
        save(messages.at("m-3", 3), "A");
        save(Messages.ofNewConsumer().at("other", 3), "A");
        QuarantineSelection all = QuarantineSelection.of(messages.consumer());

        List<QuarantineGroup> groups = quarantine().groups(all, 10);

        assertThat(groups).extracting(QuarantineGroup::group).containsExactly("B", "A", "C");
        QuarantineGroup greatest = groups.get(0);
        assertThat(greatest.messages()).isEqualTo(2);
        assertThat(greatest.failureTypes()).containsExactly("some.FailureB");
        assertThat(greatest.oldest())
                .isEqualTo(quarantine().find(messages.id("m-1")).orElseThrow().firstAt());
        assertThat(greatest.newest())
                .isEqualTo(quarantine().find(messages.id("m-2")).orElseThrow().firstAt());
        assertThat(greatest.hours()).hasSize(24).endsWith(1L, 0L, 1L);
        assertThat(greatest.lastHour()).isEqualTo(1);
        assertThat(greatest.lastDay()).isEqualTo(2);
        assertThat(groups.get(2).lastDay()).isZero();
        assertThat(groups.get(2).messages()).isEqualTo(1);
        assertThat(quarantine().groups(all, 1)).containsExactly(greatest);
        assertThat(quarantine().groups(all.stream("orders").partition(1), 10))
                .extracting(QuarantineGroup::group)
                .containsExactly("B");
        assertThat(quarantine().groups(all.stream("elsewhere"), 10)).isEmpty();
        assertThat(quarantine()
                        .groups(QuarantineSelection.of(Messages.ofNewConsumer().consumer()), 10))
                .isEmpty();
    }

    private List<String> pages(QuarantineSelection selection, int size) {
        List<QuarantineSummary> all = new ArrayList<>(quarantine().list(selection, Optional.empty(), size));
        List<QuarantineSummary> page = all;
        while (!page.isEmpty()) {
            page = quarantine()
                    .list(selection, Optional.of(all.get(all.size() - 1).delivery()), size);
            assertThat(page).hasSizeLessThanOrEqualTo(size);
            all.addAll(page);
        }
        return all.stream().map(summary -> summary.delivery().id().value()).toList();
    }

    private long generation(MessageId id) {
        return quarantine().find(id).orElseThrow().generation();
    }

    private void save(Delivery delivery, String group) {
        QuarantineFailure failure = new QuarantineFailure("some.Failure" + group, group, "text");
        quarantine()
                .save(new QuarantinedMessage(
                        delivery, new Payload(null, new byte[] {1}, List.of(), Origin.RAW), failure, 1));
    }
}
