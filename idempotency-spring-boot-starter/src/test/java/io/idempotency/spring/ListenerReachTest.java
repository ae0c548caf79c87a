package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.idempotency.IdempotentConsumer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.EnableKafka;
import org.springframework.kafka.annotation.KafkaHandler;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.KafkaListenerConfigurer;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.config.MethodKafkaListenerEndpoint;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.DefaultKafkaConsumerFactory;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.kafka.listener.adapter.RecordMessagingMessageListenerAdapter;
import org.springframework.messaging.handler.annotation.support.DefaultMessageHandlerMethodFactory;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.util.ReflectionUtils;

/** Nothing that looks annotated runs without the claim: it has its consumer, or the start is refused. */
@Tag("rule-5.17")
class ListenerReachTest {

    private final ApplicationContextRunner runner = Runners.h2();

    private void binds(Class<?> configuration, Map<String, String> consumers) {
        runner.withUserConfiguration(configuration).run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(consumers(context)).isEqualTo(consumers);
        });
    }

    /** Returns the consumer of each listener, by the listener's id. */
    private static Map<String, String> consumers(ApplicationContext context) {
        Map<String, String> found = new HashMap<>();
        for (MessageListenerContainer container :
                context.getBean(KafkaListenerEndpointRegistry.class).getListenerContainers()) {
            Object listener =
                    Objects.requireNonNull(container.getContainerProperties().getMessageListener());
            found.put(
                    Objects.requireNonNull(container.getListenerId()),
                    listener instanceof RecordListener ? name(listener) : "");
        }
        return found;
    }

    private static String name(Object listener) {
        return ((IdempotentConsumer<?>)
                        Objects.requireNonNull(new DirectFieldAccessor(listener).getPropertyValue("idempotent")))
                .name();
    }

    /** Returns an endpoint that a program makes of a method. */
    private static MethodKafkaListenerEndpoint<String, String> endpoint(Object bean) {
        MethodKafkaListenerEndpoint<String, String> endpoint = new MethodKafkaListenerEndpoint<>();
        endpoint.setId("programmed");
        endpoint.setGroupId("g");
        endpoint.setTopics("orders");
        endpoint.setBean(bean);
        endpoint.setMethod(Objects.requireNonNull(ReflectionUtils.findMethod(bean.getClass(), "charge", String.class)));
        DefaultMessageHandlerMethodFactory methods = new DefaultMessageHandlerMethodFactory();
        methods.afterPropertiesSet();
        endpoint.setMessageHandlerMethodFactory(methods);
        return endpoint;
    }

    static class OnAMethod {
        @Idempotent("billing")
        public void charge(String order) {}
    }

    @Idempotent("billing")
    static class OnAClass {
        public void charge(String order) {}
    }

    @Configuration(proxyBeanMethods = false)
    static class EndpointOfAMethod {
        @Bean
        KafkaListenerConfigurer endpoints() {
            return registrar -> registrar.registerEndpoint(endpoint(new OnAMethod()));
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class EndpointOfAClass {
        @Bean
        KafkaListenerConfigurer endpoints() {
            return registrar -> registrar.registerEndpoint(endpoint(new OnAClass()));
        }
    }

    @Test
    void anEndpointOfAProgramWhoseMethodOrClassIsAnnotated() {
        binds(EndpointOfAMethod.class, Map.of("programmed", "billing"));
        binds(EndpointOfAClass.class, Map.of("programmed", "billing"));
    }

    @Configuration(proxyBeanMethods = false)
    static class EndpointOfABeansMethod {
        @Bean
        OnAMethod handler() {
            return new OnAMethod();
        }

        @Bean
        KafkaListenerConfigurer endpoints(OnAMethod handler) {
            return registrar -> registrar.registerEndpoint(endpoint(handler));
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class EndpointOfABeansClass {
        @Bean
        OnAClass handler() {
            return new OnAClass();
        }

        @Bean
        KafkaListenerConfigurer endpoints(OnAClass handler) {
            return registrar -> registrar.registerEndpoint(endpoint(handler));
        }
    }

    @Test
    void anEndpointOfAProgramWhoseObjectIsABean() {
        binds(EndpointOfABeansMethod.class, Map.of("programmed", "billing"));
        binds(EndpointOfABeansClass.class, Map.of("programmed", "billing"));
    }

    static class Listening {
        @KafkaListener(id = "annotated", topics = "orders", groupId = "g")
        @Idempotent("billing")
        public void charge(String order) {}
    }

    @Configuration(proxyBeanMethods = false)
    static class EndpointOfAListener {
        @Bean
        Listening listening() {
            return new Listening();
        }

        @Bean
        KafkaListenerConfigurer endpoints(Listening listening) {
            return registrar -> registrar.registerEndpoint(endpoint(listening));
        }
    }

    @Test
    void anEndpointOfAProgramOnAMethodThatIsAListenerToo() {
        binds(EndpointOfAListener.class, Map.of("annotated", "billing", "programmed", "billing"));
    }

    @Test
    void anEndpointThatAProgramRegistersAfterTheStart() {
        runner.withPropertyValues(
                        "spring.kafka.listener.auto-startup=true", "spring.kafka.bootstrap-servers=localhost:1")
                .run(context -> {
                    KafkaListenerEndpointRegistry registry = context.getBean(KafkaListenerEndpointRegistry.class);
                    registry.registerListenerContainer(
                            endpoint(new OnAMethod()),
                            context.getBean(ConcurrentKafkaListenerContainerFactory.class),
                            true);
                    MessageListenerContainer container =
                            Objects.requireNonNull(registry.getListenerContainer("programmed"));
                    await().until(() -> !container.isRunning());
                });
    }

    /** As that of Spring Integration, which has no method. */
    static class OwnAdapter extends RecordMessagingMessageListenerAdapter<Object, Object> {
        OwnAdapter() {
            super(null, null);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class AdapterWithoutAMethod {
        @Bean
        ConcurrentMessageListenerContainer<Object, Object> container(ConsumerFactory<Object, Object> consumers) {
            ContainerProperties properties = new ContainerProperties("orders");
            properties.setGroupId("g");
            properties.setMessageListener(new OwnAdapter());
            ConcurrentMessageListenerContainer<Object, Object> container =
                    new ConcurrentMessageListenerContainer<>(consumers, properties);
            container.setAutoStartup(false);
            return container;
        }
    }

    @Test
    void noContainerOfAnotherLibrary() {
        runner.withUserConfiguration(AdapterWithoutAMethod.class).run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(context.getBean(ConcurrentMessageListenerContainer.class)
                            .getContainerProperties()
                            .getMessageListener())
                    .isInstanceOf(OwnAdapter.class);
        });
    }

    interface Charges {
        @Idempotent("billing")
        void charge(String order);
    }

    @Idempotent("billing")
    interface AllCharges {
        void charge(String order);
    }

    interface ListenedCharges {
        @KafkaListener(id = "orders", topics = "orders", groupId = "g")
        void charge(String order);
    }

    static class OfAnInterfaceMethod implements Charges {
        @Override
        @KafkaListener(id = "orders", topics = "orders", groupId = "g")
        public void charge(String order) {}
    }

    static class OfAnInterface implements AllCharges {
        @Override
        @KafkaListener(id = "orders", topics = "orders", groupId = "g")
        public void charge(String order) {}
    }

    static class OfAListenersInterface implements ListenedCharges {
        @Override
        @Idempotent("billing")
        public void charge(String order) {}
    }

    @Test
    void aMethodWhoseInterfaceHasOneOfTheAnnotations() {
        binds(OfAnInterfaceMethod.class, Map.of("orders", "billing"));
        binds(OfAnInterface.class, Map.of("orders", "billing"));
        binds(OfAListenersInterface.class, Map.of("orders", "billing"));
    }

    interface Charging {
        void charge(String order);
    }

    static class Proxied implements Charging {
        @Override
        @Transactional
        @KafkaListener(id = "orders", topics = "orders", groupId = "g")
        @Idempotent("billing")
        public void charge(String order) {}
    }

    @Configuration(proxyBeanMethods = false)
    static class ProxiedBean {
        @Bean
        Charging charging() {
            return new Proxied();
        }
    }

    @Test
    void aBeanBehindAProxy() {
        runner.withPropertyValues("spring.aop.proxy-target-class=false")
                .withUserConfiguration(ProxiedBean.class)
                .run(context -> {
                    assertThat(AopUtils.isJdkDynamicProxy(context.getBean(Charging.class)))
                            .isTrue();
                    assertThat(consumers(context)).isEqualTo(Map.of("orders", "billing"));
                });
        runner.withUserConfiguration(ProxiedBean.class).run(context -> {
            assertThat(AopUtils.isCglibProxy(context.getBean(Charging.class))).isTrue();
            assertThat(consumers(context)).isEqualTo(Map.of("orders", "billing"));
        });
    }

    record OfATopic(String topic) {
        @KafkaListener(topics = "#{__listener.topic}", groupId = "g")
        @Idempotent("billing")
        public void charge(String order) {}
    }

    @Configuration(proxyBeanMethods = false)
    static class TwoTopics {
        @Bean
        OfATopic orders() {
            return new OfATopic("orders");
        }

        @Bean
        OfATopic refunds() {
            return new OfATopic("refunds");
        }
    }

    @Test
    void oneMethodOfTwoBeansOnTwoTopics() {
        Runners.refuses(runner, TwoTopics.class, "belongs to two listeners", "#{__listener.name}");
    }

    @Idempotent("billing")
    static class TwoOnAMethod {
        @KafkaListener(topics = "orders", groupId = "g")
        @KafkaListener(topics = "returns", groupId = "g")
        void charge(String order) {}
    }

    @Idempotent("billing")
    @KafkaListener(topics = "orders", groupId = "g")
    @KafkaListener(topics = "returns", groupId = "g")
    static class TwoOnAClass {
        @KafkaHandler
        void charge(String order) {}
    }

    /** The annotation is that of the class's own listener. */
    @Idempotent("billing")
    @KafkaListener(id = "class", topics = "orders", groupId = "g")
    static class TwoBesideTheClass {
        @KafkaHandler
        void charge(String order) {}

        @KafkaListener(id = "one", topics = "returns", groupId = "g")
        @KafkaListener(id = "two", topics = "refunds", groupId = "g")
        void other(String order) {}
    }

    @Test
    void aClassWithSeveralListenersOnOneElement() {
        binds(TwoBesideTheClass.class, Map.of("class", "billing", "one", "", "two", ""));
        Runners.refuses(runner, TwoOnAMethod.class, "several @KafkaListener", "topics");
        Runners.refuses(runner, TwoOnAClass.class, "several @KafkaListener", "topics");
    }

    @EnableKafka
    @Configuration(proxyBeanMethods = false)
    static class Child extends Listening {}

    @Test
    void aListenerOfAChildContextWithoutTheStarter() {
        runner.run(parent -> {
            try (AnnotationConfigApplicationContext child = new AnnotationConfigApplicationContext()) {
                child.setParent(parent.getSourceApplicationContext());
                child.register(Child.class);
                assertThatThrownBy(child::refresh)
                        .isInstanceOf(ListenerRefusedException.class)
                        .hasMessageContainingAll("has no effect", "child context", "Listening.charge");
            }
        });
    }

    @Test
    void aListenerOfAChildContextWithTheStarter() {
        runner.run(parent -> runner.withParent(parent.getSourceApplicationContext())
                .withUserConfiguration(Child.class)
                .run(child -> {
                    assertThat(child).hasNotFailed();
                    assertThat(consumers(child)).isEqualTo(Map.of("annotated", "billing"));
                }));
    }

    @EnableKafka
    @Configuration(proxyBeanMethods = false)
    static class Parent extends Listening {
        @Bean
        ConcurrentKafkaListenerContainerFactory<Object, Object> kafkaListenerContainerFactory(Boolean isStarted) {
            ConcurrentKafkaListenerContainerFactory<Object, Object> factory =
                    new ConcurrentKafkaListenerContainerFactory<>();
            factory.setAutoStartup(isStarted);
            factory.setConsumerFactory(new DefaultKafkaConsumerFactory<>(Map.of(
                    "bootstrap.servers", List.of("localhost:1"),
                    "auto.offset.reset", "earliest",
                    "key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer",
                    "value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer")));
            return factory;
        }
    }

    private static AnnotationConfigApplicationContext parent(boolean isStarted) {
        AnnotationConfigApplicationContext parent = new AnnotationConfigApplicationContext();
        parent.registerBean(Boolean.class, () -> isStarted);
        parent.register(Parent.class);
        parent.refresh();
        return parent;
    }

    @Test
    void aListenerOfAParentOfTheContextWithTheStarter() {
        try (AnnotationConfigApplicationContext parent = parent(false)) {
            runner.withParent(parent).run(child -> {
                assertThat(child).hasNotFailed();
                assertThat(consumers(parent)).isEqualTo(Map.of("annotated", "billing"));
            });
        }
        try (AnnotationConfigApplicationContext parent = parent(true)) {
            Runners.refuses(runner.withParent(parent), Object.class, "has no effect", "runs already");
        }
    }

    /** What the starter of the parent has in hand is claimed once. */
    @Test
    void aListenerOfAParentWithAStarterOfItsOwn() {
        runner.withUserConfiguration(Listening.class)
                .run(parent -> runner.withParent(parent.getSourceApplicationContext())
                        .run(child -> {
                            assertThat(child).hasNotFailed();
                            RecordListener listener = (RecordListener)
                                    Objects.requireNonNull(parent.getBean(KafkaListenerEndpointRegistry.class)
                                            .getListenerContainers()
                                            .iterator()
                                            .next()
                                            .getContainerProperties()
                                            .getMessageListener());
                            assertThat(listener.getDelegate()).isNotInstanceOf(RecordListener.class);
                        }));
    }
}
