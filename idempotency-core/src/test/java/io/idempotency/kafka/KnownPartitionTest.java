package io.idempotency.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.SettledRun;
import java.util.Optional;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KnownPartitionTest {

    private static final TopicPartition PARTITION = new TopicPartition("orders", 0);
    private static final long LOG_END = 200;

    private static SettledRun run(long end, long token) {
        return new SettledRun("orders", 0, "id", 0, end, -1, token);
    }

    private static KnownPartition known(SettledRun stored, OffsetAndMetadata committed, long first) {
        return new KnownPartition(PARTITION, "id", Optional.of(stored), Optional.of(committed), first, LOG_END);
    }

    private static OffsetAndMetadata marked(long offset, SettledRun by) {
        return KnownPartition.marked(new OffsetAndMetadata(offset), by);
    }

    @Test
    @Tag("rule-16.5")
    void aCommittedOffsetBelongsToTheRunThatWasStoredWhenItWasCommitted() {
        KnownPartition known = known(run(95, 7), marked(100, run(100, 7)), 0);

        assertThat(known.start("latest")).isEmpty();
        assertThat(known.runFrom(100)).isEqualTo(run(100, 7));
    }

    /** Nearly every run begins at 0. Its row was forgotten, replaced by another group, or is from a backup: nobody knows what lies between it and the offset. */
    @ParameterizedTest
    @ValueSource(longs = {55, 97})
    @Tag("rule-16.5")
    void aCommittedOffsetDoesNotBelongToARunThatWasStoredAtAnotherTime(long end) {
        KnownPartition known = known(run(end, 9), marked(100, run(95, 7)), 0);

        assertThat(known.start("latest")).isEmpty();
        assertThat(known.runFrom(100)).isEqualTo(new SettledRun("orders", 0, "id", 100, 100, -1, 9));
        assertThat(known(run(end, 9), marked(40, run(95, 7)), 0).start("latest"))
                .hasValue(end);
    }

    @ParameterizedTest
    @ValueSource(strings = {"latest", "earliest", "none", "by_duration:p1d"})
    @Tag("rule-16.8")
    void beginsAtTheFirstRecordIfAllInFrontOfItThatWasThereIsSettled(String reset) {
        KnownPartition known = known(run(95, 7), marked(95, run(95, 7)), 120);

        assertThat(known.start(reset)).hasValue(120L);
        assertThat(known.runFrom(120)).isEqualTo(run(120, 7));
    }

    @Test
    @Tag("rule-16.8")
    void beginsWhereKafkaWouldIfItIsNotKnownWhatWasSettled() {
        KnownPartition known = known(run(95, 7), new OffsetAndMetadata(110), 120);

        assertThat(known.start("latest")).hasValue(LOG_END);
        assertThat(known.runFrom(LOG_END).begin()).isEqualTo(LOG_END);
        assertThat(known.start("by_duration:p1d")).isEmpty();
    }
}
