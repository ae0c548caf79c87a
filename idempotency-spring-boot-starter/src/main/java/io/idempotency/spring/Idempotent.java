package io.idempotency.spring;

import io.idempotency.ConsistencyLevel;
import io.idempotency.TransactionPer;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Makes the effect of a {@code @KafkaListener} happen once per message, although messages may be delivered several times. Put it beside
 * {@code @KafkaListener}: on the method, on the class of {@code @KafkaHandler} methods, or on an annotation of your own.
 *
 * <pre>{@code
 * @KafkaListener(topics = "orders")
 * @Idempotent("billing")
 * void charge(Order order) { … }
 * }</pre>
 *
 * <p>Under {@link ConsistencyLevel#STRONG} the listener runs in a transaction on the data source of the idempotency tables, and its statements join
 * that transaction. A crash before the commit leaves neither the effect nor the memory of it; a crash after the commit leaves both, and the
 * redelivery is skipped. The container commits offsets after the transaction. Messages that the listener sends on its thread by
 * {@code KafkaTemplate}s have arrived before the commit: they may repeat, and are never lost. A duplicate is acknowledged without a call of the
 * listener.
 *
 * <p>A configuration that would weaken the guarantee fails at start-up with a {@link ListenerRefusedException} that says what to change.
 */
@Target({ElementType.METHOD, ElementType.TYPE})
@Retention(RetentionPolicy.RUNTIME)
@Documented
public @interface Idempotent {

    /**
     * The name of the consumer, under which ids are remembered. Choose a stable name that does not depend on class, method or group names.
     * Placeholders and expressions are resolved, as in {@code @KafkaListener}. One name belongs to one listener of one bean. If several beans share
     * the method, use an expression, such as {@code #{__listener.name}}, or annotate each subclass.
     */
    String value();

    /**
     * The consistency level, at most one value; {@link ConsistencyLevel#STRONG} by default. {@code idempotency.consumers.<name>.level} overrides it.
     */
    ConsistencyLevel[] level() default {};

    /**
     * Where to find the message id. By default it is in the headers of {@code idempotency.message-id.headers}, then in {@code ce_source} and
     * {@code ce_id}. Give a SpEL expression on the {@code ConsumerRecord}, such as {@code value.eventId}, in which {@code #payload} is the payload of
     * the listener method and {@code @name} a bean. For a value that is text or bytes, give a JSON pointer, such as {@code /eventId}. The result is
     * text, bytes of UTF-8, a UUID or a whole number, or null if there is no id; everything else is refused. Take the id of the event: with the id of
     * an order, all events of the order but the first would be skipped.
     */
    String messageId() default "";

    /** The store: {@code table}, {@code journal}, {@code memory}, or the name of a bean; {@code idempotency.store} by default. */
    String store() default "";

    /**
     * How many records share a transaction under {@code STRONG}, at most one value; {@code idempotency.transaction-per} by default. With
     * {@link TransactionPer#POLL} the claims of a poll take one statement, and all its records one commit. The records of a batch listener always
     * share.
     */
    TransactionPer[] transactionPer() default {};

    /**
     * Whether the listener is only watched: it runs as with spring-kafka alone, and what a real run would do differently is reported. See
     * docs/shadow.md. {@code idempotency.consumers.<name>.shadow} overrides it.
     */
    boolean shadow() default false;
}
