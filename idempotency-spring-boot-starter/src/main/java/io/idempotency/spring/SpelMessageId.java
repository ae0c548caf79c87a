package io.idempotency.spring;

import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.expression.Expression;
import org.springframework.expression.ParseException;
import org.springframework.expression.spel.standard.SpelExpressionParser;
import org.springframework.expression.spel.support.StandardEvaluationContext;

/** Reads a message id from a record by a SpEL expression. Thread-safe. */
final class SpelMessageId {

    private final Expression expression;

    private SpelMessageId(Expression expression) {
        this.expression = expression;
    }

    /**
     * Parses the expression of a listener.
     *
     * @throws ListenerRefusedException if it is no expression
     */
    static SpelMessageId of(ListenerDefinition listener) {
        try {
            return new SpelMessageId(new SpelExpressionParser().parseExpression(listener.messageId()));
        } catch (ParseException e) {
            throw new ListenerRefusedException(
                    "The messageId of " + listener + " is no expression: " + e.getMessage(),
                    "Write a SpEL expression on the ConsumerRecord, such as value.orderId.");
        }
    }

    @Nullable
    Object read(ConsumerRecord<?, ?> record) {
        return expression.getValue(new StandardEvaluationContext(record));
    }
}
