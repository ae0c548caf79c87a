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
import org.springframework.util.StringUtils;

/**
 * Finds the listeners that are {@link Idempotent}: spring-kafka calls back for the container of every {@code @KafkaListener}, by the attribute
 * {@code containerPostProcessor} of its annotation, beside whatever the user put there, and says whose it is: the method alone does not, for
 * several beans may have it. Created early, so it holds nothing but providers.
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

    /** A listener of a bean; two beans of one class have two. */
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

    /** Called by the expression above. */
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

    /** Returns what a container's listener asks for if it is annotated, whoever made the container. */
    Optional<ListenerDefinition> annotated(AbstractMessageListenerContainer<?, ?> container) {
        Object listener = container.getContainerProperties().getMessageListener();
        if (listener == null) {
            return Optional.empty();
        }
        AdaptedListener adapted = AdaptedListener.in(listener);
        Object bean = adapted.bean();
        return Optional.ofNullable(find(adapted.element(), AopUtils.getTargetClass(bean)))
                .map(found -> definition(new Annotated(adapted.element(), bean, DEFAULT_REFERENCE, found)));
    }

    private ListenerDefinition definition(Annotated listener) {
        ListenerDefinition definition =
                ListenerDefinition.of(listener.element(), listener.bean(), listener.annotation());
        try {
            return definition.named(resolved(listener.annotation().value(), listener));
        } catch (BeansException | IllegalArgumentException e) {
            throw new ListenerRefusedException(
                    definition + " has a name that cannot be resolved: " + FailureText.lineWithCause(e),
                    "Name the consumer by text, a property or an expression. In an expression the bean of the listener is"
                            + " __listener, or what the beanRef of its @KafkaListener says.");
        }
    }

    /** The name may have placeholders and expressions, as the attributes of {@code @KafkaListener} may. */
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

    /** Refuses annotations that spring-kafka did not call back for, as with share consumers. */
    void requireAllCalled() {
        if (!expected.isEmpty()) {
            throw new ListenerRefusedException(
                    "@Idempotent on " + expected.get(0).element()
                            + " has no effect: its container factory does not call"
                            + " container post-processors, as the one for share consumers does not",
                    "Use a ConcurrentKafkaListenerContainerFactory for this listener.");
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
    private static String quoted(String users) {
        if (users.startsWith("#{") && users.endsWith("}")) {
            return "(" + users.substring(2, users.length() - 1) + ")";
        }
        return "'" + users.replace("'", "''") + "'";
    }

    /**
     * Returns the annotation of a listener: of its class where the bean's class is a subclass that has one, else its own, else that of the class
     * of a listener method.
     */
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
