package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Makes the effect of a {@code @KafkaListener} happen once per message, although messages are delivered more than once. Stands beside it on
 * the method, or on the class of {@code @KafkaHandler} methods, or on an annotation of your own.
 *
 * <pre>{@code
 * @KafkaListener(topics = "orders")
 * @Idempotent("billing")
 * void charge(Order order) { … }
 * }</pre>
 *
 * <p>Under {@link ConsistencyLevel#STRONG} the listener runs inside a transaction on the data source of the idempotency tables; its
 * statements join it, and a crash anywhere leaves both the effect and the memory of it, or neither. Offsets are committed by the container, after
 * that transaction. What it sends on its thread by {@code KafkaTemplate}s has arrived before the commit: it may repeat, and is never lost. A
 * duplicate is acknowledged without calling the listener.
 *
 * <p>What would weaken this is refused at start-up, with what to change.
 */
@Target({ElementType.METHOD, ElementType.TYPE})
@Retention(RetentionPolicy.RUNTIME)
@Documented
public @interface Idempotent {

    /**
     * The name of the consumer that ids are remembered under: stable, chosen by you, independent of class, method and group names.
     * Placeholders and expressions are resolved, as in {@code @KafkaListener}. One name belongs to one listener of one bean: where several beans
     * have the method, each gives a name, such as {@code #{__listener.name}}, or each subclass has an annotation.
     */
    String value();

    /** The consistency level, at most one; {@link ConsistencyLevel#STRONG} unless set here or by {@code idempotency.consumers.<name>.level}. */
    ConsistencyLevel[] level() default {};

    /**
     * Where the message id is; by default in the headers of {@code idempotency.message-id.headers}, then {@code ce_source} and {@code ce_id}. Either
     * a SpEL expression on the {@code ConsumerRecord}, such as {@code value.eventId}, in which {@code #payload} is what the listener method gets and
     * {@code @name} a bean; or a JSON pointer, such as {@code /eventId}, for a value that is text or bytes. It gives text, bytes of UTF-8, a UUID or a
     * whole number, or null if there is none; everything else is refused. Take the id of the event: of an order with several events, the id of the
     * order would have all but the first skipped.
     */
    String messageId() default "";

    /** The store: {@code table}, {@code journal}, {@code memory}, or the name of a bean; {@code idempotency.store} by default. */
    String store() default "";

    /**
     * How many records share a transaction under {@code STRONG}, at most one value; {@link TransactionPer#RECORD} by default. With {@link
     * TransactionPer#POLL} the claims of a poll are one statement and all its records one commit. A batch listener always shares.
     */
    TransactionPer[] transactionPer() default {};
}
