package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.Consumption;
import io.idempotency.ConsumptionListener;
import io.idempotency.Duplicate;
import io.idempotency.IdempotentConsumer;
import io.idempotency.MessageReader;
import io.idempotency.ShareDelivery;
import io.idempotency.store.Claim;
import io.idempotency.store.MessageRange;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import java.sql.SQLTransientConnectionException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A record of a share group waits while the purge forgets what was settled behind it. */
@Tag("rule-14.9")
class ShareRetentionTest {

    private static final int BEHIND = 10;

    private static final MessageReader<Integer> READER = new MessageReader<>() {
        @Override
        public Position position(Integer offset) {
            return new Position("orders", 0, offset);
        }

        @Override
        public boolean isShared(Integer offset) {
            return true;
        }

        @Override
        public Payload payload(Integer offset) {
            return Payload.none(Payload.Origin.POSITION_ONLY);
        }
    };

    private final List<Integer> handled = new ArrayList<>();

    private IdempotentConsumer<Integer> consumer(
            Fixture fixture, TableStore store, ConsistencyLevel level, ConsumptionListener listener) {
        return IdempotentConsumer.<Integer>named(fixture.consumer)
                .store(store)
                .level(level)
                .quarantine(JdbcQuarantine.on(fixture.dataSource).tablePrefix(Fixture.PREFIX))
                .listener(listener)
                .reader(READER)
                .messageId(offset -> Optional.of("m" + offset))
                .build();
    }

    private ShareDelivery<Integer> delivery(Fixture fixture, TableStore store, ConsistencyLevel level) {
        return ShareDelivery.of(consumer(fixture, store, level, consumption -> {}));
    }

    private Optional<Duration> consume(ShareDelivery<Integer> delivery, int offset) {
        return delivery.consume(offset, (message, claim) -> handled.add(message), 4);
    }

    /** The record at offset 0 waits. The others are settled and forgotten, but for the last one. */
    private ShareDelivery<Integer> forgetAllBehindTheFirst(Fixture fixture, TableStore store, ConsistencyLevel level) {
        ShareDelivery<Integer> delivery = delivery(fixture, store, level);
        assertThat(delivery.consume(
                        0,
                        (message, claim) -> {
                            throw new SQLTransientConnectionException("Its service is down");
                        },
                        4))
                .isPresent();
        IntStream.range(1, BEHIND)
                .forEach(offset -> assertThat(consume(delivery, offset)).isEmpty());
        TestDatabase.passTime(fixture.dataSource, Fixture.PREFIX, Duration.ofDays(9));
        assertThat(consume(delivery, BEHIND)).isEmpty();
        try (Purger purger = Purger.of(store).batchSize(3).build()) {
            assertThat(purger.runOnce()).isGreaterThanOrEqualTo(BEHIND - 1);
        }
        assertThat(store.find(fixture.at("m1", 1).id())).isEmpty();
        return delivery;
    }

    @ParameterizedTest
    @CsvSource({"REFUSE, STRONG", "REFUSE, AT_LEAST_ONCE", "SKIP, STRONG", "SKIP, AT_LEAST_ONCE"})
    void aRecordThatWaitsForLongerThanTheRetentionIsHandled(Unjudged unjudged, ConsistencyLevel level) {
        try (Fixture fixture = Fixture.on(TestDatabase.POSTGRESQL)) {
            TableStore store = RetentionGuardTest.restarted(fixture, unjudged);
            ShareDelivery<Integer> delivery = forgetAllBehindTheFirst(fixture, store, level);

            assertThat(consume(delivery, 0)).isEmpty();

            assertThat(handled).endsWith(0);
        }
    }

    @ParameterizedTest
    @CsvSource({"REFUSE, STRONG", "REFUSE, AT_LEAST_ONCE", "SKIP, STRONG", "SKIP, AT_LEAST_ONCE"})
    void anotherProcessHandlesItToo(Unjudged unjudged, ConsistencyLevel level) {
        try (Fixture fixture = Fixture.on(TestDatabase.POSTGRESQL)) {
            ShareDelivery<Integer> unused = forgetAllBehindTheFirst(fixture, fixture.store, level);

            assertThat(consume(delivery(fixture, RetentionGuardTest.restarted(fixture, unjudged), level), 0))
                    .isEmpty();

            assertThat(handled).endsWith(0);
        }
    }

    @Test
    void aHorizonOfAConsumerInOrderIsNotAsked() {
        try (Fixture fixture = Fixture.on(TestDatabase.POSTGRESQL)) {
            RetentionGuardTest.forgetTen(fixture);

            assertThat(consume(delivery(fixture, fixture.store, ConsistencyLevel.STRONG), 3))
                    .isEmpty();

            assertThat(handled).containsExactly(3);
        }
    }

    @ParameterizedTest
    @EnumSource
    void noRecordOfAConsumerInOrderIsTakenForASettledOne(TestDatabase database) {
        try (Fixture fixture = Fixture.on(database)) {
            ShareDelivery<Integer> unused = forgetAllBehindTheFirst(fixture, fixture.store, ConsistencyLevel.STRONG);

            TableStore inOrder = RetentionGuardTest.restarted(fixture, Unjudged.SKIP);

            assertThat(RetentionGuardTest.claim(inOrder, List.of(fixture.at("m0", 0))))
                    .allMatch(Claim::isGranted);
            assertThat(inOrder.messages().retained(fixture.consumer).since())
                    .as("what the meter of the horizon and explanations say")
                    .isPresent();
        }
    }

    @ParameterizedTest
    @EnumSource
    void positionsOfSettledRecordsAreKnown(TestDatabase database) {
        List<Consumption> seen = new ArrayList<>();
        try (Fixture fixture = Fixture.on(database)) {
            consume(delivery(fixture, fixture.store, ConsistencyLevel.STRONG), 7);
            ShareDelivery<Integer> second = ShareDelivery.of(consumer(
                    fixture,
                    RetentionGuardTest.restarted(fixture, Unjudged.REFUSE),
                    ConsistencyLevel.STRONG,
                    seen::add));
            consume(second, 7);

            Position position = fixture.at("m7", 7).position();
            assertThat(seen)
                    .singleElement()
                    .extracting(each -> each.duplicate().orElseThrow())
                    .satisfies(duplicate -> assertThat(duplicate.kind()).isEqualTo(Duplicate.Kind.REDELIVERY))
                    .satisfies(duplicate -> assertThat(duplicate.first()).isEqualTo(position));
            assertThat(fixture.store
                            .find(fixture.at("m7", 7).id())
                            .orElseThrow()
                            .position())
                    .isEqualTo(position);
            assertThat(fixture.store
                            .messages()
                            .count(MessageRange.ofOffsets(fixture.consumer, "orders", 0, 7, 7), "", 100)
                            .messages())
                    .isEqualTo(1);
        }
    }
}
