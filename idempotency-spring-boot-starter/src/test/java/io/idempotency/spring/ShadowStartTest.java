package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.ConsistencyLevel;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.kafka.config.KafkaListenerEndpointRegistry;
import org.springframework.kafka.listener.ConcurrentMessageListenerContainer;
import org.springframework.kafka.listener.DelegatingMessageListener;
import org.springframework.kafka.listener.adapter.MessagingMessageListenerAdapter;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;

/** In shadow mode the start refuses nothing that the application may do without the library; and the switch back to a real run. */
@ExtendWith(OutputCaptureExtension.class)
class ShadowStartTest {

    private final ApplicationContextRunner runner = Runners.h2();

    static class Plain {
        @KafkaListener(id = "orders", topics = "orders", groupId = "g")
        @Idempotent(value = "billing", shadow = true)
        void charge(String order) {}
    }

    static class Apart {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent(value = "billing", shadow = true)
        @Transactional(propagation = Propagation.REQUIRES_NEW)
        void charge(String order) {}
    }

    static class None {
        @KafkaListener(topics = "orders", groupId = "g")
        @Idempotent(value = "billing", level = ConsistencyLevel.NONE, shadow = true)
        void charge(String order) {}
    }

    @Test
    @Tag("rule-5.14")
    void startsWithWhatARealRunRefusesAndSaysSo(CapturedOutput output) {
        runner.withPropertyValues("spring.kafka.consumer.enable-auto-commit=true")
                .withUserConfiguration(Plain.class)
                .run(context -> assertThat(context).hasNotFailed());
        runner.withUserConfiguration(Apart.class)
                .run(context -> assertThat(context).hasNotFailed());

        assertThat(output)
                .containsPattern("WARN.*Without it, the start would be refused.*enable.auto.commit=true.*Remove")
                .containsPattern("WARN.*Without it, the start would be refused.*leaves the transaction of its claim")
                .containsPattern(
                        "INFO.*charge\\(String\\) on \\[orders\\] is only watched, in shadow mode.*consumer billing, STRONG");
    }

    @Test
    @Tag("rule-5.14")
    void leavesTheContainerAsItIs() {
        runner.withUserConfiguration(Plain.class).run(context -> {
            ConcurrentMessageListenerContainer<?, ?> container =
                    (ConcurrentMessageListenerContainer<?, ?>) Objects.requireNonNull(
                            context.getBean(KafkaListenerEndpointRegistry.class).getListenerContainer("orders"));
            Object listener = container.getContainerProperties().getMessageListener();

            assertThat(container.getCommonErrorHandler()).isNull();
            assertThat(listener).isNotInstanceOf(RecordListener.class);
            assertThat(((DelegatingMessageListener<?>) Objects.requireNonNull(listener)).getDelegate())
                    .isInstanceOf(MessagingMessageListenerAdapter.class);
        });
    }

    @Test
    @Tag("rule-5.14")
    void aPropertySwitchesToTheRealRun(CapturedOutput output) {
        runner.withPropertyValues("idempotency.consumers.billing.shadow=false")
                .withUserConfiguration(Plain.class)
                .run(context -> assertThat(context).hasNotFailed());
        Runners.refuses(
                runner.withPropertyValues("idempotency.consumers.billing.shadow=false"),
                Apart.class,
                "leaves the transaction of its claim");

        assertThat(output).contains("is idempotent: consumer billing");
    }

    @Test
    void refusesALevelThatSkipsNothing() {
        Runners.refuses(runner, None.class, "shadow mode at level NONE");
    }
}
