package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.ShareKafkaListenerContainerFactory;
import org.springframework.kafka.core.DefaultShareConsumerFactory;
import org.springframework.kafka.listener.ContainerProperties.ShareAckMode;
import org.springframework.kafka.listener.KafkaListenerErrorHandler;
import org.springframework.kafka.listener.ShareConsumerRecordRecoverer;
import org.springframework.kafka.support.Acknowledgment;
import org.springframework.kafka.support.ShareAcknowledgment;
import org.springframework.kafka.support.serializer.DelegatingDeserializer;
import org.springframework.kafka.support.serializer.ErrorHandlingDeserializer;

/** Listeners of share groups that the starter refuses, with the reason. Nothing listens, and no broker is there. */
@Tag("rule-14.8")
@ExtendWith(OutputCaptureExtension.class)
class ShareRefusalTest {

    private final ApplicationContextRunner runner = Runners.h2();

    private static void refuses(ApplicationContextRunner runner, Class<?> listener, String... said) {
        Runners.refuses(runner.withUserConfiguration(Sharing.class), listener, said);
    }

    private static ShareKafkaListenerContainerFactory<Object, Object> factory(
            DefaultShareConsumerFactory<Object, Object> consumers) {
        ShareKafkaListenerContainerFactory<Object, Object> factory =
                new ShareKafkaListenerContainerFactory<>(consumers);
        factory.setAutoStartup(false);
        return factory;
    }

    private static Map<String, Object> kafka(String... more) {
        Map<String, Object> kafka = new HashMap<>(Map.of(
                "bootstrap.servers", "localhost:1",
                "key.deserializer", StringDeserializer.class,
                "value.deserializer", StringDeserializer.class));
        for (int i = 0; i < more.length; i += 2) {
            kafka.put(more[i], more[i + 1]);
        }
        return kafka;
    }

    @Configuration(proxyBeanMethods = false)
    static class Sharing {

        @Bean
        static ShareKafkaListenerContainerFactory<Object, Object> sharing() {
            return factory(new DefaultShareConsumerFactory<>(kafka()));
        }
    }

    static class Plain {
        @KafkaListener(id = "orders", topics = "orders", groupId = "g", containerFactory = "sharing")
        @Idempotent("billing")
        void charge(String order) {}
    }

    @Test
    void startsWithAPlainListener() {
        runner.withUserConfiguration(Sharing.class, Plain.class)
                .run(context -> assertThat(context).hasNotFailed());
    }

    @ParameterizedTest
    @CsvSource({
        "idempotency.consumers.billing.level=at-most-once, has the level AT_MOST_ONCE",
        "idempotency.consumers.billing.level=none, has the level NONE",
        "idempotency.consumers.billing.shadow=true, shadow mode",
        "idempotency.consumers.billing.transaction-per=poll, its records are to share a transaction",
        "idempotency.consumers.billing.store=journal, remembers them in the order of their partition",
        "idempotency.consumers.billing.start-from=store, has no committed offsets",
        "idempotency.quarantine.key-order=true, which has no order"
    })
    void refusesWhatHasNoMeaningThere(String property, String why) {
        refuses(runner.withPropertyValues(property), Plain.class, why);
    }

    static class Acknowledging {
        @KafkaListener(topics = "orders", groupId = "g", containerFactory = "sharing")
        @Idempotent("billing")
        void charge(String order, ShareAcknowledgment acknowledgment) {}
    }

    static class WithConsumer {
        @KafkaListener(topics = "orders", groupId = "g", containerFactory = "sharing")
        @Idempotent("billing")
        void charge(String order, ShareConsumer<?, ?> consumer) {}
    }

    static class AcknowledgingAsElsewhere {
        @KafkaListener(topics = "orders", groupId = "g", containerFactory = "sharing")
        @Idempotent("billing")
        void charge(String order, Acknowledgment acknowledgment) {}
    }

    static class WithConsumerAsElsewhere {
        @KafkaListener(topics = "orders", groupId = "g", containerFactory = "sharing")
        @Idempotent("billing")
        void charge(String order, org.apache.kafka.clients.consumer.Consumer<?, ?> consumer) {}
    }

    static class Later {
        @KafkaListener(topics = "orders", groupId = "g", containerFactory = "sharing")
        @Idempotent("billing")
        CompletableFuture<Void> charge(String order) {
            return CompletableFuture.completedFuture(null);
        }
    }

    @Test
    void refusesListenersThatAcknowledgeOrReturnTooEarly() {
        refuses(runner, Acknowledging.class, "takes an acknowledgment or a Kafka consumer", "Remove the parameter");
        refuses(runner, WithConsumer.class, "takes an acknowledgment or a Kafka consumer");
        refuses(runner, AcknowledgingAsElsewhere.class, "takes an acknowledgment or a Kafka consumer");
        refuses(runner, WithConsumerAsElsewhere.class, "takes an acknowledgment or a Kafka consumer");
        refuses(runner, Later.class, "returns before its work is done");
    }

    private void refusesFactory(
            DefaultShareConsumerFactory<Object, Object> consumers,
            Consumer<ShareKafkaListenerContainerFactory<Object, Object>> change,
            String... said) {
        ShareKafkaListenerContainerFactory<Object, Object> factory = factory(consumers);
        change.accept(factory);
        Runners.refuses(
                runner.withBean("sharing", ShareKafkaListenerContainerFactory.class, () -> factory), Plain.class, said);
    }

    @Test
    void refusesContainersThatAcknowledgeOtherwise() {
        for (ShareAckMode mode : new ShareAckMode[] {ShareAckMode.MANUAL, ShareAckMode.IMPLICIT}) {
            refusesFactory(
                    new DefaultShareConsumerFactory<>(kafka()),
                    factory -> factory.getContainerProperties().setShareAckMode(mode),
                    "has the share ack mode " + mode);
        }
        refusesFactory(
                new DefaultShareConsumerFactory<>(kafka()),
                factory -> factory.setShareConsumerRecordRecoverer(ShareConsumerRecordRecoverer.RELEASING),
                "ShareConsumerRecordRecoverer, which would never be called");
    }

    @Test
    void refusesConsumerFactoriesThatFetchAheadHideFailuresOrAreOfAnotherKind() {
        refusesFactory(
                new DefaultShareConsumerFactory<>(kafka("share.acquire.mode", "batch_optimized")),
                factory -> {},
                "share.acquire.mode=batch_optimized");
        refusesFactory(
                new DefaultShareConsumerFactory<>(kafka("share.acknowledgement.mode", "implicit")),
                factory -> {},
                "share.acknowledgement.mode=implicit");
        refusesFactory(
                new DefaultShareConsumerFactory<>(kafka(
                        "value.deserializer",
                        "org.springframework.kafka.support.serializer.ErrorHandlingDeserializer")),
                factory -> {},
                "has an ErrorHandlingDeserializer");
        Deserializer<Object> hides =
                new ErrorHandlingDeserializer<>(new DelegatingDeserializer(Map.of("text", new StringDeserializer())));
        refusesFactory(
                new DefaultShareConsumerFactory<>(kafka(), null, hides, false),
                factory -> {},
                "has an ErrorHandlingDeserializer");
        refusesFactory(
                new DefaultShareConsumerFactory<>(kafka(), () -> hides, null),
                factory -> {},
                "has an ErrorHandlingDeserializer");
        refusesFactory(
                new DefaultShareConsumerFactory<>(kafka()) {}, factory -> {}, "Use a DefaultShareConsumerFactory");
    }

    @Test
    void refusesAnAdviceBehindWhichTheListenerCannotBeFound() {
        refusesFactory(
                new DefaultShareConsumerFactory<>(kafka()),
                factory ->
                        factory.getContainerProperties().setAdviceChain((MethodInterceptor) MethodInvocation::proceed),
                "has no effect",
                "without advices");
    }

    @Configuration(proxyBeanMethods = false)
    static class Swallowing {
        @Bean
        static KafkaListenerErrorHandler swallow() {
            return (message, exception) -> "";
        }

        @KafkaListener(
                topics = "orders",
                groupId = "g",
                containerFactory = "sharing",
                errorHandler = "swallow",
                properties = "max.poll.records=1")
        @Idempotent("billing")
        void charge(String order) {}
    }

    @Test
    void warnsOfAnErrorHandlerAndOfPropertiesThatNobodyReads(CapturedOutput output) {
        runner.withUserConfiguration(Sharing.class, Swallowing.class)
                .run(context -> assertThat(output)
                        .contains("has the error handler swallow", "counts as processed")
                        .contains("has properties in its @KafkaListener", "max.poll.records=1"));
    }

    @Test
    void saysWhatBecomesOfFailuresWhereItIsSwitchedOff(CapturedOutput output) {
        runner.withUserConfiguration(Sharing.class, Plain.class)
                .withPropertyValues("idempotency.consumers.billing.enabled=false")
                .run(context -> assertThat(output)
                        .contains("rejected at its first failure, unless its container has a recoverer")
                        .doesNotContain("The error handler decides"));
        new SwitchedOff().afterSingletonsInstantiated();
        assertThat(output).contains("The error handler decides", "On a share group it is rejected");
    }
}
