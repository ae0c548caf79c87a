package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import io.idempotency.IdempotentConsumer;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.springframework.beans.DirectFieldAccessor;
import org.springframework.boot.test.context.assertj.AssertableApplicationContext;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.annotation.KafkaListenerConfigurer;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.config.MethodKafkaListenerEndpoint;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.ContainerProperties;
import org.springframework.kafka.listener.MessageListener;
import org.springframework.kafka.listener.MessageListenerContainer;
import org.springframework.messaging.handler.annotation.support.DefaultMessageHandlerMethodFactory;
import org.springframework.util.ReflectionUtils;

/** Whatever an annotation, a property or a program says is idempotent gets its consumer, and each listener one of its own. */
class ListenerBindingTest {

    private final ApplicationContextRunner runner = Runners.h2();

    private void binds(ApplicationContextRunner application, Class<?> configuration, Map<String, String> consumers) {
        application.withUserConfiguration(configuration).run(context -> {
            assertThat(context).hasNotFailed();
            Map<String, String> found = new TreeMap<>();
            for (MessageListenerContainer container :
                    context.getBean(KafkaListenerEndpointRegistry.class).getListenerContainers()) {
                found.put(Objects.requireNonNull(container.getListenerId()), consumer(container));
            }
            assertThat(found).isEqualTo(consumers);
        });
    }

    private static String consumer(MessageListenerContainer container) {
        Object listener =
                Objects.requireNonNull(container.getContainerProperties().getMessageListener());
        return listener instanceof RecordListener
                ? ((IdempotentConsumer<?>) Objects.requireNonNull(
                                new DirectFieldAccessor(listener).getPropertyValue("idempotent")))
                        .name()
                : "";
    }

    interface Handler<T> {
        void handle(T message);
    }

    static class Generic implements Handler<String> {
        @Override
        @KafkaListener(id = "orders", topics = "orders", groupId = "g")
        @Idempotent("billing")
        public void handle(String order) {}
    }

    @Test
    @Tag("rule-5.17")
    void aMethodOfAGenericInterface() {
        binds(runner, Generic.class, Map.of("orders", "billing"));
    }

    abstract static class Base {
        public String name() {
            return getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT);
        }

        @KafkaListener(id = "#{__listener.name()}", topics = "#{__listener.name()}", groupId = "g")
        @Idempotent("of-#{__listener.name()}-${end:all}")
        public void charge(String order) {}
    }

    static class Orders extends Base {}

    static class Refunds extends Base {}

    @Configuration(proxyBeanMethods = false)
    static class TwoSubclasses {
        @Bean
        Orders orders() {
            return new Orders();
        }

        @Bean
        Refunds refunds() {
            return new Refunds();
        }
    }

    @Test
    @Tag("rule-2.11")
    void aNameThatTheBeanHas() {
        binds(
                runner.withPropertyValues("end=here"),
                TwoSubclasses.class,
                Map.of("orders", "of-orders-here", "refunds", "of-refunds-here"));
    }

    static class Inherited {
        @KafkaListener(id = "#{__listener.class.simpleName}", topics = "orders", groupId = "g", beanRef = "__listener")
        public void charge(String order) {}
    }

    @Idempotent("first")
    static class First extends Inherited {}

    @Idempotent("second")
    static class Second extends Inherited {}

    @Configuration(proxyBeanMethods = false)
    static class AnnotatedSubclasses {
        @Bean
        First first() {
            return new First();
        }

        @Bean
        Second second() {
            return new Second();
        }

        @Bean
        Inherited inherited() {
            return new Inherited();
        }
    }

    @Test
    @Tag("rule-5.17")
    void aSubclassWhoseListenerMethodIsInherited() {
        binds(runner, AnnotatedSubclasses.class, Map.of("First", "first", "Second", "second", "Inherited", ""));
    }

    static class Named extends Inherited {
        @Override
        @KafkaListener(id = "Named", topics = "orders", groupId = "g")
        @Idempotent("own")
        public void charge(String order) {}
    }

    @Idempotent("nearer")
    static class Nearer extends Named {}

    @Test
    void theNameThatIsNearerToTheBean() {
        binds(runner, Named.class, Map.of("Named", "own"));
        binds(runner, Nearer.class, Map.of("Named", "nearer"));
    }

    static class OfALibrary {
        @KafkaListener(id = "orders", topics = "orders", groupId = "g")
        void charge(String order) {}

        @KafkaListener(id = "others", topics = "others", groupId = "g")
        void other(String order) {}
    }

    @Test
    @Tag("rule-5.17")
    void aListenerByItsIdInAProperty() {
        binds(
                runner.withPropertyValues("idempotency.consumers.billing.listeners=orders"),
                OfALibrary.class,
                Map.of("orders", "billing", "others", ""));
    }

    @Configuration(proxyBeanMethods = false)
    static class Programmed {
        @Bean
        KafkaListenerConfigurer endpoints() {
            return registrar -> {
                MethodKafkaListenerEndpoint<String, String> endpoint = new MethodKafkaListenerEndpoint<>();
                endpoint.setId("orders");
                endpoint.setGroupId("g");
                endpoint.setTopics("orders");
                endpoint.setBean(new OfALibrary());
                endpoint.setMethod(
                        Objects.requireNonNull(ReflectionUtils.findMethod(OfALibrary.class, "charge", String.class)));
                DefaultMessageHandlerMethodFactory methods = new DefaultMessageHandlerMethodFactory();
                methods.afterPropertiesSet();
                endpoint.setMessageHandlerMethodFactory(methods);
                registrar.registerEndpoint(endpoint);
            };
        }
    }

    @Test
    @Tag("rule-5.17")
    void anEndpointOfAProgramByItsIdInAProperty() {
        binds(
                runner.withPropertyValues("idempotency.consumers.billing.listeners=orders"),
                Programmed.class,
                Map.of("orders", "billing"));
    }

    @Configuration(proxyBeanMethods = false)
    static class Container {

        private static ContainerProperties properties() {
            ContainerProperties properties = new ContainerProperties("orders");
            properties.setGroupId("g");
            properties.setMessageListener((MessageListener<String, String>) record -> {});
            return properties;
        }

        @Bean
        ConcurrentMessageListenerContainer<String, String> bound(
                ConsumerFactory<String, String> consumers, IdempotentContainers idempotent) {
            ConcurrentMessageListenerContainer<String, String> container =
                    new ConcurrentMessageListenerContainer<>(consumers, properties());
            container.setAutoStartup(false);
            return idempotent.bind("billing", container);
        }

        @Bean
        ConcurrentMessageListenerContainer<String, String> byId(ConsumerFactory<String, String> consumers) {
            ConcurrentMessageListenerContainer<String, String> container =
                    new ConcurrentMessageListenerContainer<>(consumers, properties());
            container.setAutoStartup(false);
            return container;
        }
    }

    @Test
    @Tag("rule-5.17")
    void aContainerOfAProgram() {
        runner.withUserConfiguration(Container.class)
                .withPropertyValues(
                        "idempotency.consumers.billing.level=AT_LEAST_ONCE",
                        "idempotency.consumers.shipping.listeners=byId")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    MessageListenerContainer bound = context.getBean("bound", MessageListenerContainer.class);
                    assertThat(consumer(bound)).isEqualTo("billing");
                    assertThat(level(bound)).contains(ConsistencyLevel.AT_LEAST_ONCE);
                    assertThat(consumer(context.getBean("byId", MessageListenerContainer.class)))
                            .isEqualTo("shipping");
                });
    }

    private static Optional<ConsistencyLevel> level(MessageListenerContainer container) {
        Object listener =
                Objects.requireNonNull(container.getContainerProperties().getMessageListener());
        return Optional.ofNullable(new DirectFieldAccessor(listener).getPropertyValue("idempotent"))
                .map(consumer -> ((IdempotentConsumer<?>) consumer).level());
    }

    @Configuration(proxyBeanMethods = false)
    static class Later {
        @Bean
        @Lazy
        Generic later() {
            return new Generic();
        }

        @Bean
        @Lazy
        OfALibrary library() {
            return new OfALibrary();
        }
    }

    /** The properties of a listener whose bean nobody needs yet are no mistake. */
    @Test
    void aListenerThatIsCreatedLater() {
        runner.withUserConfiguration(Later.class)
                .withPropertyValues(
                        "idempotency.consumers.billing.level=NONE", "idempotency.consumers.shipping.listeners=others")
                .run(context -> {
                    assertThat(context).hasNotFailed();
                    assertThat(context.getBean(OfALibrary.class)).isNotNull();
                    assertThat(consumer(container(context, "others"))).isEqualTo("shipping");
                });
    }

    private static MessageListenerContainer container(AssertableApplicationContext context, String id) {
        return Objects.requireNonNull(
                context.getBean(KafkaListenerEndpointRegistry.class).getListenerContainer(id));
    }
}
