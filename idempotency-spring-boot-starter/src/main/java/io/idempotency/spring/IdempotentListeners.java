package io.idempotency.spring;

import io.idempotency.FailureText;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.BeansException;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.BeanFactoryAware;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanExpressionContext;
import org.springframework.beans.factory.config.ConfigurableBeanFactory;
import org.springframework.beans.factory.support.DefaultListableBeanFactory;
import org.springframework.context.support.SimpleThreadScope;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.core.annotation.MergedAnnotations.SearchStrategy;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.KafkaListenerAnnotationBeanPostProcessor.AnnotationEnhancer;
import org.springframework.kafka.config.ContainerPostProcessor;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.util.StringUtils;

/**
 * Finds the {@link Idempotent} listeners. It adds itself to the attribute {@code containerPostProcessor} of each {@code @KafkaListener}, beside the
 * user's own post-processor, and spring-kafka calls it with each container and its bean: the method alone does not suffice, because several beans may
 * share it. Created early, so it holds only providers.
 */
final class IdempotentListeners implements AnnotationEnhancer, BeanFactoryAware {

    static final String BEAN = "io.idempotency.spring.listeners";

    private static final String ATTRIBUTE = "containerPostProcessor";
    private static final String BEAN_REFERENCE = "beanRef";
    private static final String DEFAULT_REFERENCE = "__listener";

    private final ObjectProvider<ListenerInstaller> installer;
    private final List<AnnotatedElement> elements = new CopyOnWriteArrayList<>();
    private final List<Annotated> expected = new CopyOnWriteArrayList<>();
    private ConfigurableBeanFactory beans = new DefaultListableBeanFactory();

    IdempotentListeners(ObjectProvider<ListenerInstaller> installer) {
        this.installer = installer;
    }

    /** An annotated listener of a bean. Two beans of one class have two listeners. */
    private record Annotated(AnnotatedElement element, Object bean, String beanReference, Idempotent annotation) {

        boolean isSame(Annotated other) {
            return bean == other.bean && element.equals(other.element);
        }
    }

    @Override
    public void setBeanFactory(BeanFactory beanFactory) {
        beans = (ConfigurableBeanFactory) beanFactory;
    }

    @Override
    public synchronized Map<String, Object> apply(Map<String, Object> attributes, AnnotatedElement element) {
        if (!elements.contains(element)) {
            elements.add(element);
        }
        String users = String.valueOf(attributes.getOrDefault(ATTRIBUTE, ""));
        String bean = String.valueOf(attributes.get(BEAN_REFERENCE));
        attributes.put(
                ATTRIBUTE,
                "#{@'" + BEAN + "'.postProcessor(" + elements.indexOf(element) + ", " + bean + ", '" + bean + "', "
                        + quoted(users) + ")}");
        return attributes;
    }

    /** Called by the expression in {@link #apply}. */
    public ContainerPostProcessor<Object, Object, AbstractMessageListenerContainer<Object, Object>> postProcessor(
            int index, Object bean, String beanReference, Object users) {
        AnnotatedElement element = elements.get(index);
        Idempotent annotation = find(element, AopUtils.getTargetClass(bean));
        Optional<Annotated> annotated =
                Optional.ofNullable(annotation).map(found -> new Annotated(element, bean, beanReference, found));
        annotated.ifPresent(expected::add);
        return container -> {
            usersOwn(users).postProcess(container);
            annotated.ifPresent(called -> expected.removeIf(called::isSame));
            installer.getObject().install(annotated.map(this::definition), container);
        };
    }

    /** Returns the definition of a container's listener if it is annotated, whoever created the container. */
    Optional<ListenerDefinition> annotated(MessageListenerContainer container) {
        Object listener = container.getContainerProperties().getMessageListener();
        if (listener == null) {
            return Optional.empty();
        }
        AdaptedListener adapted = AdaptedListener.in(listener);
        Object bean = adapted.bean();
        return Optional.ofNullable(find(adapted.element(), AopUtils.getTargetClass(bean)))
                .map(found -> definition(new Annotated(adapted.element(), bean, DEFAULT_REFERENCE, found)));
    }

    /** Notes a listener for whose container spring-kafka calls no post-processor, and which has its consumer all the same. */
    void called(ListenerDefinition listener) {
        expected.removeIf(
                each -> each.bean() == listener.bean() && each.element().equals(listener.element()));
    }

    private ListenerDefinition definition(Annotated listener) {
        ListenerDefinition definition =
                ListenerDefinition.of(listener.element(), listener.bean(), listener.annotation());
        try {
            return definition.named(resolved(listener.annotation().value(), listener));
        } catch (BeansException | IllegalArgumentException e) {
            throw new ListenerRefusedException(
                    definition + " has a name that cannot be resolved: " + FailureText.lineWithCause(e),
                    "Name the consumer by text, a property or an expression. In an expression, __listener is the bean of the"
                            + " listener, unless the beanRef of its @KafkaListener names it differently.");
        }
    }

    /** Resolves placeholders and expressions in the name, as in the attributes of {@code @KafkaListener}. */
    private String resolved(String name, Annotated listener) {
        String text = beans.resolveEmbeddedValue(name);
        if (text == null || beans.getBeanExpressionResolver() == null) {
            return name;
        }
        SimpleThreadScope scope = new SimpleThreadScope() {
            @Override
            public @Nullable Object resolveContextualObject(String key) {
                return listener.beanReference().equals(key) ? listener.bean() : null;
            }
        };
        Object value = beans.getBeanExpressionResolver().evaluate(text, new BeanExpressionContext(beans, scope));
        if (value == null) {
            throw new IllegalArgumentException("the value of " + text + " is null");
        }
        return value.toString();
    }

    /** Refuses annotations of listeners for which spring-kafka called no post-processor, and which nobody found otherwise. */
    void requireAllCalled() {
        if (!expected.isEmpty()) {
            throw new ListenerRefusedException(
                    "@Idempotent on " + expected.get(0).element()
                            + " has no effect: its container factory does not call container post-processors, and its listener cannot be found in its container,"
                            + " as behind an advice of a share container",
                    "Use a ConcurrentKafkaListenerContainerFactory, or a ShareKafkaListenerContainerFactory without advices, for this listener.");
        }
    }

    @SuppressWarnings("unchecked")
    private ContainerPostProcessor<Object, Object, AbstractMessageListenerContainer<Object, Object>> usersOwn(
            Object users) {
        if (users instanceof String name) {
            return StringUtils.hasText(name) ? beans.getBean(name, ContainerPostProcessor.class) : container -> {};
        }
        return (ContainerPostProcessor<Object, Object, AbstractMessageListenerContainer<Object, Object>>) users;
    }

    /** Quotes the user's attribute: a bean name, a placeholder, or an expression that returns a post-processor. */
    private static String quoted(String users) {
        if (users.startsWith("#{") && users.endsWith("}")) {
            return "(" + users.substring(2, users.length() - 1) + ")";
        }
        return "'" + users.replace("'", "''") + "'";
    }

    /** Returns the annotation of a listener. That of an annotated subclass comes first, then the listener's own, then that of the method's class. */
    private static @Nullable Idempotent find(AnnotatedElement element, Class<?> type) {
        Idempotent own = AnnotatedElementUtils.findMergedAnnotation(element, Idempotent.class);
        if (!(element instanceof Method method)
                || AnnotatedElementUtils.findMergedAnnotation(type, KafkaListener.class) != null) {
            return own;
        }
        MergedAnnotation<Idempotent> ofClass =
                MergedAnnotations.from(type, SearchStrategy.TYPE_HIERARCHY).get(Idempotent.class);
        if (!ofClass.isPresent() || (own != null && !isBelow(method.getDeclaringClass(), ofClass.getSource()))) {
            return own;
        }
        return ofClass.synthesize();
    }

    private static boolean isBelow(Class<?> declaring, @Nullable Object source) {
        return source instanceof Class<?> type && type != declaring && declaring.isAssignableFrom(type);
    }
}
