package io.idempotency.spring;

import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.BeanFactoryAware;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.support.StaticListableBeanFactory;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.KafkaListenerAnnotationBeanPostProcessor.AnnotationEnhancer;
import org.springframework.kafka.config.ContainerPostProcessor;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.util.StringUtils;

/**
 * Finds the listeners that are {@link Idempotent}, and has spring-kafka call back for exactly their containers: by the attribute {@code
 * containerPostProcessor} of their annotation, beside whatever the user put there. Created early, so it holds nothing but providers.
 */
final class IdempotentListeners implements AnnotationEnhancer, BeanFactoryAware {

    static final String BEAN = "io.idempotency.spring.listeners";

    private static final String ATTRIBUTE = "containerPostProcessor";

    private final ObjectProvider<ListenerInstaller> installer;
    private final List<AnnotatedElement> elements = new ArrayList<>();
    private final Set<AnnotatedElement> called = new HashSet<>();
    private BeanFactory beans = new StaticListableBeanFactory();

    IdempotentListeners(ObjectProvider<ListenerInstaller> installer) {
        this.installer = installer;
    }

    @Override
    public void setBeanFactory(BeanFactory beanFactory) {
        beans = beanFactory;
    }

    @Override
    public synchronized Map<String, Object> apply(Map<String, Object> attributes, AnnotatedElement element) {
        if (find(element) != null) {
            String users = String.valueOf(attributes.getOrDefault(ATTRIBUTE, ""));
            if (!elements.contains(element)) {
                elements.add(element);
            }
            attributes.put(
                    ATTRIBUTE,
                    "#{@'" + BEAN + "'.postProcessor(" + elements.indexOf(element) + ", " + quoted(users) + ")}");
        }
        return attributes;
    }

    /** Called by the expression above. */
    public synchronized ContainerPostProcessor<Object, Object, AbstractMessageListenerContainer<Object, Object>>
            postProcessor(int index, Object users) {
        AnnotatedElement element = elements.get(index);
        return container -> {
            usersOwn(users).postProcess(container);
            called.add(element);
            installer.getObject().install(ListenerDefinition.of(element, annotation(element)), container);
        };
    }

    /** Refuses annotations that spring-kafka did not call back for, as with share consumers. */
    synchronized void requireAllCalled() {
        for (AnnotatedElement element : elements) {
            if (!called.contains(element)) {
                throw new ListenerRefusedException(
                        "@Idempotent on " + element + " has no effect: its container factory does not call container"
                                + " post-processors, as the one for share consumers does not",
                        "Use a ConcurrentKafkaListenerContainerFactory for this listener.");
            }
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

    /** The user's attribute is a bean name, a placeholder or an expression that gives a post-processor. */
    private String quoted(String users) {
        if (users.startsWith("#{") && users.endsWith("}")) {
            return "(" + users.substring(2, users.length() - 1) + ")";
        }
        return "'" + users.replace("'", "''") + "'";
    }

    private static Idempotent annotation(AnnotatedElement element) {
        return Objects.requireNonNull(find(element));
    }

    /** Returns the annotation of a listener: its own, else that of the class of a listener method. */
    private static @Nullable Idempotent find(AnnotatedElement element) {
        Idempotent own = AnnotatedElementUtils.findMergedAnnotation(element, Idempotent.class);
        if (own == null && element instanceof Method method) {
            Class<?> type = method.getDeclaringClass();
            if (AnnotatedElementUtils.findMergedAnnotation(type, KafkaListener.class) == null) {
                return AnnotatedElementUtils.findMergedAnnotation(type, Idempotent.class);
            }
        }
        return own;
    }
}
