package io.idempotency;

import static io.idempotency.Outcome.DUPLICATE;
import static io.idempotency.Outcome.PROCESSED;
import static io.idempotency.Outcome.QUARANTINED;
import static io.idempotency.Outcome.RELEASED;
import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.kafka.LogCapture;
import io.idempotency.store.MessageId;
import io.idempotency.store.Payload;
import io.idempotency.store.Position;
import io.idempotency.store.QuarantineStore;
import io.idempotency.store.TransientStoreException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Exceptions that break what looks at them, and parts of the user that fail while a failure is dealt with. */
@Tag("rule-7.5")
class BrokenFailuresTest {

    private final Bench bench = new Bench();
    private final List<Message> poll = Stream.concat(
                    Message.partition(0, "a", "b", "c").stream(), Message.partition(1, "x").stream())
            .toList();

    enum Failing {
        MESSAGE {
            @Override
            Throwable failure() {
                return new RuntimeException() {
                    @Override
                    public String getMessage() {
                        throw new IllegalStateException("no message");
                    }
                };
            }
        },
        TEXT {
            @Override
            Throwable failure() {
                return new RuntimeException() {
                    @Override
                    public String getLocalizedMessage() {
                        throw new StackOverflowError("endless text");
                    }
                };
            }
        },
        MEMORY {
            @Override
            Throwable failure() {
                return new RuntimeException() {
                    @Override
                    public String getMessage() {
                        throw new OutOfMemoryError("text without end");
                    }
                };
            }
        },
        CAUSE {
            @Override
            Throwable failure() {
                return new RuntimeException("cause") {
                    @Override
                    public synchronized Throwable getCause() {
                        throw new AssertionError("no cause");
                    }
                };
            }
        },
        ENDLESS_CAUSES {
            @Override
            Throwable failure() {
                return new RuntimeException("endless") {
                    @Override
                    public synchronized Throwable getCause() {
                        return failure();
                    }
                };
            }
        },
        CIRCLE {
            @Override
            Throwable failure() {
                RuntimeException one = new RuntimeException("one");
                one.initCause(new RuntimeException("two", one));
                return one;
            }
        },
        STACK_TRACE {
            @Override
            @SuppressWarnings("NullAway")
            Throwable failure() {
                return new RuntimeException("trace") {
                    @Override
                    public StackTraceElement[] getStackTrace() {
                        return null;
                    }
                };
            }
        },
        DEEP {
            @Override
            Throwable failure() {
                Throwable failure = new RuntimeException("innermost");
                for (int i = 0; i < 20_000; i++) {
                    failure = new RuntimeException("wrapped", failure);
                }
                return failure;
            }
        },
        RECURSION {
            @Override
            Throwable failure() {
                return wrapped(2_000);
            }

            private Throwable wrapped(int levels) {
                return levels == 0
                        ? new RuntimeException("innermost")
                        : new RuntimeException("x".repeat(100), wrapped(levels - 1));
            }
        };

        abstract Throwable failure();
    }

    static Stream<Arguments> failuresAtLevels() {
        return Stream.of(Failing.values())
                .flatMap(failing -> Stream.of(ConsistencyLevel.values()).map(level -> Arguments.of(failing, level)));
    }

    @ParameterizedTest
    @MethodSource("failuresAtLevels")
    void endWithTheirMessageInQuarantineWhateverTheyThrow(Failing failing, ConsistencyLevel level) {
        bench.failing.put("b", failing.failure());
        IdempotentConsumer<Message> consumer =
                bench.level(level).failures(FailurePolicy.quarantineAfter(2)).build();

        BatchResult first = bench.deliver(poll, messages -> consumer.consumeAll(messages, bench::handle));
        BatchResult second = bench.deliver(poll, messages -> consumer.consumeAll(messages, bench::handle));

        consumer.close();
        assertThat(first.outcomes()).startsWith(PROCESSED).endsWith(PROCESSED);
        assertThat(second.outcomes()).element(1).isEqualTo(QUARANTINED);
        assertThat(second.outcomes()).element(2).isIn(PROCESSED, DUPLICATE);
        assertThat(bench.quarantine
                        .find(new MessageId("billing", "b"))
                        .orElseThrow()
                        .message()
                        .failure()
                        .text())
                .hasSizeBetween(20, FailureText.MOST_CHARS + 10);
    }

    @ParameterizedTest
    @EnumSource
    void areNoHarmInAMessageThatCannotBeRead(Failing failing) {
        IdempotentConsumer<Message> consumer = bench.strong()
                .messageId(message -> {
                    if (message.id().equals("b")) {
                        throw Sneaky.unchecked(failing.failure());
                    }
                    return message.messageId();
                })
                .failures(FailurePolicy.quarantineAfter(1))
                .build();

        assertThat(consumer.consumeAll(poll, bench::handle).outcomes())
                .containsExactly(PROCESSED, QUARANTINED, PROCESSED, PROCESSED);
    }

    static Stream<FailurePolicy> brokenPolicies() {
        return Stream.of(
                failure -> nothing(),
                failure -> new FailurePolicy.Decision(nothing(), Duration.ZERO),
                failure -> FailurePolicy.Decision.retryAfter(nothing()),
                failure -> {
                    throw new AssertionError("policy");
                },
                failure -> {
                    throw new StackOverflowError("policy");
                });
    }

    @SuppressWarnings({"NullAway", "TypeParameterUnusedInFormals"})
    private static <T> T nothing() {
        return null;
    }

    @ParameterizedTest
    @MethodSource("brokenPolicies")
    void standStillWhereThePolicyDecidesNothing(FailurePolicy policy) {
        bench.failing.put("b", new IllegalStateException("no"));
        IdempotentConsumer<Message> consumer = bench.strong().failures(policy).build();

        BatchResult result = bench.deliver(poll, messages -> consumer.consumeAll(messages, bench::handle));

        assertThat(result.outcomes()).containsExactly(PROCESSED, RELEASED, RELEASED, PROCESSED);
        assertThat(result.stops()).extracting(Stop::retryAfter).containsExactly(IdempotentConsumer.STAND_STILL);
    }

    @Test
    void waitForAsLongAsThePolicySaysIfThatIsForEver() {
        bench.failing.put("b", new IllegalStateException("no"));
        IdempotentConsumer<Message> consumer = bench.strong()
                .failures(failure -> FailurePolicy.Decision.retryAfter(ChronoUnit.FOREVER.getDuration()))
                .build();

        assertThat(bench.deliver(poll, messages -> consumer.consumeAll(messages, bench::handle))
                        .stops())
                .singleElement()
                .satisfies(stop -> assertThat(stop.retryAfter()).isGreaterThan(Duration.ofDays(3_650)));
    }

    @ParameterizedTest
    @EnumSource
    void areNoHarmInAListener(ConsistencyLevel level) {
        List<Consumption> told = new ArrayList<>();
        bench.failing.put("b", new IllegalStateException("no"));
        IdempotentConsumer<Message> consumer = bench.level(level)
                .listener(consumption -> {
                    throw new AssertionError("no meters");
                })
                .listener(consumption -> {
                    throw Sneaky.unchecked(Failing.MESSAGE.failure());
                })
                .listener(told::add)
                .build();

        BatchResult result = bench.deliver(poll, messages -> consumer.consumeAll(messages, bench::handle));

        consumer.close();
        assertThat(result.outcomes()).startsWith(PROCESSED).endsWith(PROCESSED);
        assertThat(told).hasSizeGreaterThanOrEqualTo(3);
    }

    @Test
    void areNoHarmWhereBytesAndPositionsAreRead() {
        bench.failing.put("b", new IllegalStateException("no"));
        IdempotentConsumer<Message> consumer = bench.strong()
                .failures(FailurePolicy.quarantineAfter(1))
                .reader(new MessageReader<Message>() {
                    @Override
                    public Position position(Message message) {
                        if (message.id().equals("x")) {
                            throw new AssertionError("no position");
                        }
                        return message.position();
                    }

                    @Override
                    public Payload payload(Message message) {
                        throw new AssertionError("no bytes");
                    }
                })
                .build();

        assertThat(bench.deliver(poll, messages -> consumer.consumeAll(messages, bench::handle))
                        .outcomes())
                .containsExactly(PROCESSED, QUARANTINED, PROCESSED, PROCESSED);
    }

    @Test
    void areNoHarmInTheCache() {
        IdempotentConsumer<Message> consumer = bench.strong()
                .cache(new DuplicateCache() {
                    @Override
                    public Optional<Known> find(MessageId id) {
                        throw new AssertionError("no cache");
                    }

                    @Override
                    public void remember(MessageId id, Known known) {
                        throw new AssertionError("no cache");
                    }

                    @Override
                    public void forget(MessageId id) {}

                    @Override
                    public void clear() {}
                })
                .build();

        assertThat(consumer.consumeAll(poll, bench::handle).outcomes()).containsOnly(PROCESSED);
    }

    @Test
    void standStillWhereTheQuarantineThrowsAnError() {
        bench.failing.put("b", new IllegalStateException("no"));
        IdempotentConsumer<Message> consumer = bench.strong()
                .failures(FailurePolicy.quarantineAfter(1))
                .quarantine((QuarantineStore) Proxy.newProxyInstance(
                        QuarantineStore.class.getClassLoader(), new Class<?>[] {QuarantineStore.class}, (p, m, a) -> {
                            throw new AssertionError("no quarantine");
                        }))
                .build();

        assertThat(bench.deliver(poll, messages -> consumer.consumeAll(messages, bench::handle))
                        .outcomes())
                .containsExactly(PROCESSED, RELEASED, RELEASED, PROCESSED);
    }

    @Test
    void forgeNoLinesOfTheLog() {
        bench.failing.put("b", new TransientStoreException("down\n2026-01-01 ERROR \u202Eforged\u001B[2J"));
        try (LogCapture logs = new LogCapture()) {
            bench.strong().build().consumeAll(poll, bench::handle);

            assertThat(logs.all())
                    .anyMatch(line -> line.contains("down\\u000A2026-01-01 ERROR \\u202Eforged\\u001B[2J"))
                    .noneMatch(line -> line.contains("\n") || line.contains("\u202E") || line.contains("\u001B"));
        }
    }
}
