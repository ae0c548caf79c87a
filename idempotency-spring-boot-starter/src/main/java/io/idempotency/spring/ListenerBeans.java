package io.idempotency.spring;

import static io.idempotency.spring.ListenerChecks.refuseIf;

import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.aop.framework.autoproxy.AutoProxyUtils;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.MethodIntrospector;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.kafka.annotation.KafkaHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.KafkaListeners;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.listener.AbstractMessageListenerContainer;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.listener.ShareKafkaMessageListenerContainer;
import org.springframework.util.ClassUtils;

/** Reads the annotations of bean classes without creating a bean: finds annotations without effect, and listeners that may be created later. */
final class ListenerBeans {

    private static final Logger log = LoggerFactory.getLogger(ListenerBeans.class);
    private static final String SPRINGS = "org.springframework.";
    private static final String ONE_LISTENER =
            "Name all topics in one @KafkaListener, or give each listener a method and a name of its own.";

    private final ConfigurableListableBeanFactory beans;

    ListenerBeans(ConfigurableListableBeanFactory beans) {
        this.beans = beans;
    }

    /** Returns the containers of this context and of its parents, except for parents that have the starter themselves. */
    Stream<AbstractMessageListenerContainer<?, ?>> containers() {
        Stream<AbstractMessageListenerContainer<?, ?>> own = ownContainers();
        return beans.getParentBeanFactory() instanceof ConfigurableListableBeanFactory factory
                ? Stream.concat(own, new ListenerBeans(factory).unattendedContainers())
                : own;
    }

    private Stream<AbstractMessageListenerContainer<?, ?>> unattendedContainers() {
        return hasStarter() ? Stream.empty() : containers();
    }

    /** Returns whether the context has the starter itself, switched off or not. */
    boolean hasStarter() {
        return beans.containsLocalBean(IdempotentListeners.BEAN)
                || beans.containsLocalBean(SwitchedOffAutoConfiguration.BEAN);
    }

    /** Returns the containers of this context, with an annotation or without. */
    Stream<AbstractMessageListenerContainer<?, ?>> ownContainers() {
        return all().filter(AbstractMessageListenerContainer.class::isInstance)
                .map(container -> (AbstractMessageListenerContainer<?, ?>) container);
    }

    /** Returns the containers of this context for share groups. */
    @SuppressWarnings("unchecked")
    Stream<ShareKafkaMessageListenerContainer<Object, Object>> ownShareContainers() {
        return all().filter(ShareKafkaMessageListenerContainer.class::isInstance)
                .map(container -> (ShareKafkaMessageListenerContainer<Object, Object>) container);
    }

    private Stream<MessageListenerContainer> all() {
        List<MessageListenerContainer> all =
                new ArrayList<>(beans.getBeansOfType(MessageListenerContainer.class, false, false)
                        .values());
        beans.getBeansOfType(KafkaListenerEndpointRegistry.class, false, false)
                .values()
                .forEach(registry -> all.addAll(registry.getListenerContainers()));
        return all.stream().distinct();
    }

    /** Refuses {@link Idempotent} where it has no effect, and on several listeners at once. A program may have registered a method or its class, too. */
    void requireListeners() {
        Set<AnnotatedElement> registered = registered();
        types(false).forEach(type -> {
            Set<Method> methods = annotated(type, Idempotent.class);
            methods.forEach(method -> requireListener(method, registered.contains(method)));
            boolean isAnnotated = has(type, Idempotent.class);
            refuseIf(isAnnotated && has(type, KafkaListeners.class), several(type), ONE_LISTENER);
            annotated(type, KafkaListeners.class)
                    .forEach(method ->
                            refuseIf(isAnnotated && !has(type, KafkaListener.class), several(method), ONE_LISTENER));
            refuseIf(
                    methods.isEmpty()
                            && isAnnotated
                            && !registered.contains(type)
                            && !has(type, KafkaListener.class)
                            && annotated(type, KafkaListener.class).isEmpty(),
                    "@Idempotent on " + type + " has no effect: the class has no @KafkaListener",
                    "Put it beside its @KafkaListener. A listener that cannot be annotated is bound by"
                            + " idempotency.consumers.<name>.listeners=<its id>.");
        });
    }

    /** Returns the methods that containers call, and the classes of which they call one that is no {@code @KafkaListener}. */
    private Set<AnnotatedElement> registered() {
        Set<AnnotatedElement> registered = new HashSet<>();
        ownContainers()
                .map(container -> container.getContainerProperties().getMessageListener())
                .filter(Objects::nonNull)
                .map(AdaptedListener::in)
                .forEach(adapted -> {
                    AnnotatedElement element = adapted.element();
                    registered.add(element);
                    if (!has(element, KafkaListener.class) && !has(element, KafkaListeners.class)) {
                        registered.add(AopUtils.getTargetClass(adapted.bean()));
                    }
                });
        return registered;
    }

    private static void requireListener(Method method, boolean isRegistered) {
        boolean isListener = has(method, KafkaListener.class);
        refuseIf(has(method, KafkaListeners.class), several(method), ONE_LISTENER);
        refuseIf(
                !isListener && has(method, KafkaHandler.class),
                "@Idempotent on " + method
                        + " has no effect: it is a @KafkaHandler, and all handlers of a class are one"
                        + " listener, with one consumer",
                "Put it on the class, beside @KafkaListener.");
        refuseIf(
                !isListener && !isRegistered,
                "@Idempotent on " + method
                        + " has no effect: the method is no @KafkaListener, and its callers get no transaction and no claim",
                "Put it on the @KafkaListener method. For messages from other sources build an IdempotentConsumer.");
    }

    private static String several(AnnotatedElement element) {
        return "@Idempotent on " + element + " is on several @KafkaListener, and one consumer has one listener";
    }

    /** Returns whether a bean that is not created yet may have a listener of this consumer, judged by its annotation. */
    boolean mayHaveName(String consumer) {
        return notCreated(Idempotent.class)
                .map(annotation -> annotation.value())
                .anyMatch(name -> isOrMayBe(name, consumer));
    }

    /** Returns whether a bean that is not created yet may have a listener with this id, judged by its annotation. */
    boolean mayHaveId(String id) {
        return notCreated(KafkaListener.class)
                .map(annotation -> annotation.id())
                .anyMatch(text -> isOrMayBe(text, id));
    }

    private boolean isOrMayBe(String text, String wanted) {
        String resolved = beans.resolveEmbeddedValue(text);
        return resolved != null && (resolved.equals(wanted) || resolved.contains("#{"));
    }

    private <A extends Annotation> Stream<A> notCreated(Class<A> annotation) {
        return types(true)
                .flatMap(type -> Stream.concat(Stream.of(type), annotated(type, annotation).stream()))
                .flatMap(element -> Stream.ofNullable(
                        AnnotatedElementUtils.findMergedAnnotation((AnnotatedElement) element, annotation)));
    }

    private Stream<Class<?>> types(boolean isNotCreated) {
        List<Class<?>> types = new ArrayList<>();
        for (String name : beans.getBeanDefinitionNames()) {
            Class<?> type = isNotCreated && beans.containsSingleton(name) ? null : type(name);
            if (type != null
                    && !type.getName().startsWith(SPRINGS)
                    && AnnotationUtils.isCandidateClass(type, Idempotent.class)) {
                types.add(ClassUtils.getUserClass(type));
            }
        }
        return types.stream();
    }

    private @Nullable Class<?> type(String name) {
        try {
            return AutoProxyUtils.determineTargetClass(beans, name);
        } catch (RuntimeException | LinkageError e) {
            log.debug("The class of bean {} cannot be determined.", name, e);
            return null;
        }
    }

    private static Set<Method> annotated(Class<?> type, Class<? extends Annotation> annotation) {
        try {
            return MethodIntrospector.selectMethods(type, (Method method) -> has(method, annotation));
        } catch (RuntimeException | LinkageError e) {
            // An optional class may be missing.
            log.debug("The methods of {} cannot be read.", type, e);
            return Set.of();
        }
    }

    private static boolean has(AnnotatedElement element, Class<? extends Annotation> annotation) {
        return AnnotatedElementUtils.hasAnnotation(element, annotation);
    }
}
