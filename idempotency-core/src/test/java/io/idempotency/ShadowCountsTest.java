package io.idempotency;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Over the same deliveries a shadow consumer reports as would-be duplicates exactly what a real one skips: redeliveries, re-sends and restarts. */
class ShadowCountsTest {

    private static final int SEEDS = 40;
    private static final int DELIVERIES = 120;

    /** A delivery of a schedule. */
    private record Step(Message message, boolean isFailing, boolean isRestart) {}

    private static List<Step> schedule(Random random) {
        List<Message> sent = new ArrayList<>();
        List<Step> steps = new ArrayList<>();
        for (int i = 0; i < DELIVERIES; i++) {
            Message message;
            if (sent.isEmpty() || random.nextInt(3) == 0) {
                message = Message.of("m" + i, random.nextInt(3), i);
            } else {
                Message before = sent.get(random.nextInt(sent.size()));
                message = random.nextBoolean() ? before : Message.of(before.id(), random.nextInt(3), i);
            }
            sent.add(message);
            steps.add(new Step(message, random.nextInt(5) == 0, random.nextInt(20) == 0));
        }
        return steps;
    }

    private static List<String> skipped(List<Step> steps, ConsistencyLevel level, boolean isShadow) {
        Bench bench = new Bench();
        IdempotentConsumer<Message> consumer = consumer(bench, level, isShadow);
        for (Step step : steps) {
            try {
                consumer.consume(step.message().copy(), (message, claim) -> {
                    if (step.isFailing()) {
                        throw new IOException("fails this time");
                    }
                });
            } catch (Exception failure) {
                assertThat(failure).isInstanceOf(IOException.class);
            }
            if (step.isRestart()) {
                consumer.close();
                bench.passTime(Duration.ofSeconds(10));
                consumer = consumer(bench, level, isShadow);
            }
        }
        consumer.close();
        return bench.events.stream()
                .filter(event -> event.outcome() == (isShadow ? Outcome.WOULD_SKIP : Outcome.DUPLICATE))
                .map(event -> event.delivery() + " " + event.duplicate().orElseThrow())
                .toList();
    }

    private static IdempotentConsumer<Message> consumer(Bench bench, ConsistencyLevel level, boolean isShadow) {
        IdempotentConsumerBuilder<Message> builder =
                bench.level(level).failures(FailurePolicy.leaveToCaller()).cache(DuplicateCache.none());
        return (isShadow ? builder.shadow() : builder).build();
    }

    @ParameterizedTest
    @EnumSource(names = {"STRONG", "AT_LEAST_ONCE"})
    @Tag("rule-8.14")
    void countsWhatARealRunSkips(ConsistencyLevel level) {
        int all = 0;
        for (int seed = 0; seed < SEEDS; seed++) {
            List<Step> steps = schedule(new Random(seed));

            List<String> skipped = skipped(steps, level, false);

            assertThat(skipped(steps, level, true)).as("seed " + seed).isEqualTo(skipped);
            all += skipped.size();
        }
        assertThat(all).isGreaterThan(SEEDS * DELIVERIES / 4);
    }
}
