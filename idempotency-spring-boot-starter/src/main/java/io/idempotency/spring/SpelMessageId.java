package io.idempotency.spring;

import static io.idempotency.spring.ListenerChecks.refuseIf;

import io.idempotency.store.IdempotencyException;
import java.util.Set;
import java.util.function.Function;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.context.expression.BeanFactoryResolver;
import org.springframework.expression.Expression;
import org.springframework.expression.ParseException;
import org.springframework.expression.spel.SpelEvaluationException;
import org.springframework.expression.spel.SpelMessage;
import org.springframework.expression.spel.SpelNode;
import org.springframework.expression.spel.ast.BeanReference;
import org.springframework.expression.spel.standard.SpelExpression;
import org.springframework.expression.spel.standard.SpelExpressionParser;
import org.springframework.expression.spel.support.StandardEvaluationContext;

/** Reads a message id from a record by a SpEL expression, which may refer to beans and to the payload of the listener. Thread-safe. */
final class SpelMessageId {

    private static final String PAYLOAD = "payload";

    /** Failures of an expression that mean that there is no id. */
    private static final Set<SpelMessage> NOTHING_THERE = Set.of(
            SpelMessage.PROPERTY_OR_FIELD_NOT_READABLE_ON_NULL,
            SpelMessage.METHOD_CALL_ON_NULL_OBJECT_NOT_ALLOWED,
            SpelMessage.CANNOT_INDEX_INTO_NULL_VALUE);

    private final Expression expression;
    private final BeanFactoryResolver beans;
    private final Function<ConsumerRecord<?, ?>, @Nullable Object> payloads;
    private final StandardEvaluationContext context;
    private final boolean isOfPayload;

    private SpelMessageId(Expression expression, AdaptedListener adapted, BeanFactory beans) {
        this.expression = expression;
        this.payloads = adapted.payloads();
        this.beans = new BeanFactoryResolver(beans);
        this.context = context();
        this.isOfPayload = expression.getExpressionString().contains("#" + PAYLOAD);
    }

    /**
     * Parses the expression of a listener.
     *
     * @param adapted converts records as its container does
     * @throws ListenerRefusedException if it is no expression, or names a bean that is not there
     */
    static SpelMessageId of(ListenerDefinition listener, AdaptedListener adapted, BeanFactory beans) {
        try {
            SpelExpression expression = new SpelExpressionParser().parseRaw(listener.messageId());
            requireBeans(expression.getAST(), listener, beans);
            return new SpelMessageId(expression, adapted, beans);
        } catch (ParseException e) {
            throw new ListenerRefusedException(
                    "The messageId of " + listener + " is not a valid expression: " + e.getMessage(),
                    "Write a SpEL expression on the ConsumerRecord, such as value.eventId, or a JSON pointer, such as"
                            + " /eventId.");
        }
    }

    private static void requireBeans(SpelNode node, ListenerDefinition listener, BeanFactory beans) {
        if (node instanceof BeanReference) {
            String name = node.toStringAST().replaceAll("^@|'", "");
            refuseIf(
                    !beans.containsBean(name),
                    "The messageId of " + listener + " refers to @" + name + ", and no bean has this name",
                    "Define the bean, or correct the name.");
        }
        for (int i = 0; i < node.getChildCount(); i++) {
            requireBeans(node.getChild(i), listener, beans);
        }
    }

    private StandardEvaluationContext context() {
        StandardEvaluationContext created = new StandardEvaluationContext();
        created.setBeanResolver(beans);
        return created;
    }

    @Nullable
    Object read(ConsumerRecord<?, ?> record) {
        try {
            if (!isOfPayload) {
                return expression.getValue(context, record);
            }
            StandardEvaluationContext own = context();
            own.setVariable(PAYLOAD, payloads.apply(record));
            return expression.getValue(own, record);
        } catch (SpelEvaluationException e) {
            if (NOTHING_THERE.contains(e.getMessageCode())) {
                return null;
            }
            throw isText(record.value()) ? withAdvice(e) : e;
        }
    }

    static boolean isText(@Nullable Object value) {
        return value instanceof CharSequence || value instanceof byte[] || value instanceof Bytes;
    }

    private static IdempotencyException withAdvice(SpelEvaluationException failure) {
        return new IdempotencyException(
                failure.getMessage()
                        + ". The deserializer returns text or bytes here: for JSON take a pointer, such as messageId = \"/eventId\", or"
                        + " the payload of the listener, #" + PAYLOAD,
                failure);
    }
}
