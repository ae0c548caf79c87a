package io.idempotency.testkit.faults;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * Marks a test that proves that a message has its effect exactly once, for a listener of a Spring application or for any code that gets messages.
 *
 * <pre>{@code
 * @IdempotencyTest
 * void postsEachPaymentOnce(FaultKit kit) {
 *     kit.send("payments", "anna,10.50");
 *     kit.effects("select count(*) from posting");
 * }
 * }</pre>
 *
 * <p>The method only says what is sent and how effects are counted. It runs once for each fault, and what it says is done after it has returned:
 *
 * <ol>
 *   <li>The message is delivered. The first time nothing fails, and its effects are counted: that many it must have each time. Later, the process dies between
 *       claim, effect, commit and offset commit, each statement of the handler fails once, and the connection breaks at each commit, before or after the
 *       database has committed.
 *   <li>The message is delivered until it is settled, if necessary by a new process.
 *   <li>It is delivered at the same offset again, and as a copy at a new offset.
 *   <li>The effects are counted. If they are lost or doubled, the test fails, and says at which fault.
 * </ol>
 *
 * <p>A process dies by an error that is thrown through the container, and a new container of the same group goes on. What is in the memory of the application
 * stays. Faults do not depend on chance: there is no seed.
 *
 * <p>Spring tests need an application context with a broker, such as {@code @SpringBootTest} with {@code @EmbeddedKafka}. Other tests need neither Spring nor
 * Kafka. Tests of this kind run one after the other.
 */
@Target({ElementType.METHOD, ElementType.ANNOTATION_TYPE})
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Execution(ExecutionMode.SAME_THREAD)
@ResourceLock("io.idempotency.testkit.faults")
@TestTemplate
@ExtendWith(IdempotencyTestExtension.class)
public @interface IdempotencyTest {

    /** How many seconds a message may take until it is settled, for example because somebody dead holds a lease on it. */
    int patienceSeconds() default 20;
}
