package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.list;

import io.idempotency.kafka.MessageIdInterceptor;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.mockito.Mockito;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ApplicationContext;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.core.RoutingKafkaTemplate;
import org.springframework.kafka.mock.MockProducerFactory;

/** Producers that Spring Boot configures stamp message ids, and are warned of what makes duplicates. */
@ExtendWith(OutputCaptureExtension.class)
class ProducerSetupTest {

    private static final String OURS = MessageIdInterceptor.class.getName();
    private final ApplicationContextRunner runner = Runners.h2();

    private static Map<String, Object> configured(ApplicationContext context) {
        ProducerFactory<?, ?> factory = context.getBean(ProducerFactory.class);
        return factory.getConfigurationProperties();
    }

    private static void interceptors(ApplicationContextRunner runner, Object... expected) {
        runner.run(context -> {
            assertThat(configured(context).getOrDefault(ProducerConfig.INTERCEPTOR_CLASSES_CONFIG, List.of()))
                    .asInstanceOf(list(Object.class))
                    .containsExactly(expected);
        });
    }

    @Test
    void stampMessageIdsBehindTheUsersOwnInterceptors() {
        interceptors(runner, OURS);
        interceptors(
                runner.withPropertyValues("spring.kafka.producer.properties[interceptor.classes]=a.First, b.Second"),
                "a.First",
                "b.Second",
                OURS);
        interceptors(runner.withPropertyValues("spring.kafka.producer.properties[interceptor.classes]=" + OURS), OURS);
    }

    @Test
    void stampNothingIfSwitchedOff() {
        interceptors(runner.withPropertyValues("idempotency.producer.message-id=false"));
    }

    @Test
    void stampTheHeaderThatConsumersRead() {
        runner.withPropertyValues("idempotency.message-id.headers=event-id,message-id")
                .run(context -> assertThat(configured(context))
                        .containsEntry(MessageIdInterceptor.HEADER_CONFIG, "event-id,message-id"));
    }

    @Test
    void stampNothingThatIsForwardedWhereCoordinatesAreIds() {
        runner.run(
                context -> assertThat(configured(context)).containsEntry(MessageIdInterceptor.FORWARDED_CONFIG, true));
        runner.withPropertyValues("idempotency.message-id.missing=coordinates")
                .run(context ->
                        assertThat(configured(context)).containsEntry(MessageIdInterceptor.FORWARDED_CONFIG, false));
    }

    /** A routing template has several factories and refuses to name one; a mock has none. */
    @Test
    void areNotAskedOfTemplatesThatHaveNone() {
        KafkaTemplate<Object, Object> routing =
                new RoutingKafkaTemplate(Map.of(Pattern.compile(".*"), new MockProducerFactory<>(MockProducer::new)));
        for (KafkaTemplate<Object, Object> template : List.of(routing, Mockito.<KafkaTemplate<Object, Object>>mock())) {
            runner.withBean("template", KafkaTemplate.class, () -> template)
                    .run(context -> assertThat(context).hasNotFailed().hasBean("template"));
        }
    }

    @Test
    void keepCopiedIdsIfToldTo() {
        runner.run(context -> assertThat(configured(context)).containsEntry(MessageIdInterceptor.DERIVED_CONFIG, true));
        runner.withPropertyValues("idempotency.producer.derived-ids=false")
                .run(context ->
                        assertThat(configured(context)).containsEntry(MessageIdInterceptor.DERIVED_CONFIG, false));
    }

    @Test
    void areWarnedOfWhatMakesDuplicatesOrChangesTheOrder(CapturedOutput output) {
        runner.withPropertyValues(
                        "spring.kafka.producer.properties[enable.idempotence]=false",
                        "spring.kafka.producer.acks=1",
                        "spring.kafka.producer.properties[max.in.flight.requests.per.connection]=2")
                .run(context -> assertThat(output)
                        .contains("enable.idempotence=false", "acks=1", "max.in.flight.requests.per.connection=2"));
    }

    @Test
    void areNotWarnedOfTheDefaults(CapturedOutput output) {
        runner.run(context -> assertThat(output).doesNotContain("The producer has"));
    }
}
