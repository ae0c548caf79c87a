package io.idempotency.jdbc;

import static io.idempotency.jdbc.JournalFixture.claimed;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.ConsistencyLevel;
import io.idempotency.IdempotentConsumerBuilder;
import io.idempotency.kafka.KafkaRecords;
import io.idempotency.store.Claim.Status;
import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Journals and topics that grow, get another name, or are created again. */
@Tag("rule-4.5")
class JournalTopicsTest {

    @ParameterizedTest
    @EnumSource(names = {"POSTGRESQL", "MARIADB", "H2"})
    void saysOnceThatATopicHasGrown(TestDatabase database) {
        AtomicInteger count = new AtomicInteger(2);
        try (JournalFixture fixture =
                new JournalFixture(database, settings -> settings.partitions(topic -> count.get()))) {
            assertThat(Warnings.of(
                            JournalStore.class,
                            () -> claimed(fixture.one, fixture.at("a", 0, 1), fixture.at("b", 1, 1))))
                    .isEmpty();
            assertThat(fixture.partitions()).containsExactly(2, 2);
            count.set(3);

            assertThat(Warnings.of(JournalStore.class, () -> claimed(fixture.one, fixture.at("c", 2, 1))))
                    .singleElement()
                    .asString()
                    .contains("orders had 2 partitions", "has 3 now", "processed again");
            assertThat(Warnings.of(JournalStore.class, () -> {
                        fixture.one.forgetWindows();
                        claimed(fixture.one, fixture.at("d", 0, 2), fixture.at("e", 1, 2), fixture.at("f", 2, 2));
                    }))
                    .isEmpty();
            assertThat(fixture.partitions()).containsExactly(3, 3, 3);
        }
    }

    @Test
    void saysThatATopicHasGrownWhileNobodyWasThere() {
        AtomicInteger count = new AtomicInteger(2);
        try (JournalFixture fixture =
                new JournalFixture(TestDatabase.H2, settings -> settings.partitions(topic -> count.get()))) {
            claimed(fixture.one, fixture.at("a", 0, 1));
            count.set(3);

            assertThat(Warnings.of(JournalStore.class, () -> claimed(fixture.other, fixture.at("b", 0, 2))))
                    .singleElement()
                    .asString()
                    .contains("orders had 2 partitions", "has 3 now");
        }
    }

    @Test
    void saysNothingOfPartitionsWhereNobodyKnowsHowManyThereAre() {
        AtomicInteger count = new AtomicInteger(2);
        try (JournalFixture fixture =
                new JournalFixture(TestDatabase.H2, settings -> settings.partitions(topic -> count.get()))) {
            claimed(fixture.one, fixture.at("a", 0, 1));
            count.set(0);

            assertThat(Warnings.of(
                            JournalStore.class,
                            () -> claimed(fixture.other, fixture.at("b", 0, 2), fixture.at("c", 1, 2))))
                    .isEmpty();
            assertThat(fixture.partitions()).containsExactly(2, 0);
        }
    }

    @Test
    void takesATopicThatIsNamedAsItsConsumer() {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.H2)) {
            Delivery delivery = new Delivery(new MessageId("orders", "m"), new Position("orders", 0, 7));

            assertThat(claimed(fixture.one, delivery)).containsExactly(Status.GRANTED);
            assertThat(claimed(fixture.other, delivery)).containsExactly(Status.DUPLICATE);
        }
    }

    @Test
    void keepsTheMemoryOfATopicThatWasRenamed() {
        try (JournalFixture fixture =
                new JournalFixture(TestDatabase.H2, settings -> settings.streams(topic -> "orders"))) {
            Delivery old = fixture.at("m", 0, 7);
            claimed(fixture.one, old);

            assertThat(claimed(fixture.one, new Delivery(old.id(), new Position("orders-v2", 0, 0))))
                    .containsExactly(Status.DUPLICATE);
        }
    }

    @Test
    void forgetsAMessageUnderTheNameThatItsTopicHas() {
        try (JournalFixture fixture =
                new JournalFixture(TestDatabase.H2, settings -> settings.streams(topic -> topic + "/x"))) {
            claimed(fixture.one, fixture.at("m", 0, 7));

            assertThat(fixture.one.forget(fixture.at("m", 0, 7).id())).isTrue();

            assertThat(claimed(fixture.one, fixture.at("m", 0, 8))).containsExactly(Status.GRANTED);
        }
    }

    @Test
    void refusesATopicThatWasCreatedAgainAndSaysWhatToDo() {
        try (JournalFixture fixture = new JournalFixture(TestDatabase.H2)) {
            forgetUpTo(fixture, 20);

            assertThatThrownBy(() -> claimed(fixture.one, fixture.at("first of the new topic", 0, 0)))
                    .isInstanceOf(IdempotencyException.class)
                    .hasMessageContainingAll("orders-0@0", "deleted and created again", "streams(..)", "topic-ids");
        }
    }

    @Test
    void startsANewJournalForATopicThatWasCreatedAgainIfItHasANewName() {
        AtomicInteger topicId = new AtomicInteger(1);
        try (JournalFixture fixture = new JournalFixture(
                TestDatabase.H2, settings -> settings.streams(topic -> topic + "/" + topicId.get()))) {
            forgetUpTo(fixture, 20);
            topicId.incrementAndGet();

            assertThat(claimed(fixture.one, fixture.at("first of the new topic", 0, 0)))
                    .containsExactly(Status.GRANTED);
            assertThat(claimed(fixture.one, fixture.at("first of the new topic", 0, 0)))
                    .containsExactly(Status.DUPLICATE);
        }
    }

    @Test
    void takesATopicThatWasCreatedAgainIfWhatItCannotJudgeIsProcessed() {
        try (JournalFixture fixture =
                new JournalFixture(TestDatabase.H2, settings -> settings.unjudged(Unjudged.PROCESS))) {
            forgetUpTo(fixture, 20);

            assertThat(claimed(fixture.one, fixture.at("first of the new topic", 0, 0)))
                    .containsExactly(Status.GRANTED);
        }
    }

    private static void forgetUpTo(JournalFixture fixture, long offset) {
        claimed(fixture.one, fixture.at("old", 0, offset - 1));
        TestDatabase.passTime(fixture.dataSource, JournalFixture.PREFIX, Duration.ofDays(7));
        fixture.one.forgetWindows();
        claimed(fixture.one, fixture.at("new", 0, offset));
        while (fixture.one.purge(Duration.ofDays(1), 100) > 0) {
            // the rest
        }
    }

    @Test
    void isRefusedByAConsumerThatNeedsLeases() {
        IdempotentConsumerBuilder<ConsumerRecord<String, String>> builder = KafkaRecords.<String, String>consumer("c")
                .store(JournalStore.on(new org.h2.jdbcx.JdbcDataSource()))
                .level(ConsistencyLevel.AT_LEAST_ONCE);

        assertThatThrownBy(builder::build)
                .isInstanceOf(IdempotencyException.class)
                .hasMessageContainingAll("Consumer c", "AT_LEAST_ONCE", "JournalStore does not", "table store");
    }
}
