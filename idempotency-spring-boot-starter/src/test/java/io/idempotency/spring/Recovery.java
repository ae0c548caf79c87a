package io.idempotency.spring;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.kafka.autoconfigure.ConcurrentKafkaListenerContainerFactoryConfigurer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.config.ConcurrentKafkaListenerContainerFactory;
import org.springframework.kafka.core.ConsumerFactory;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.listener.DeadLetterPublishingRecoverer;
import org.springframework.kafka.listener.DefaultErrorHandler;
import org.springframework.kafka.listener.RetryListener;
import org.springframework.util.backoff.FixedBackOff;

/** An error handler as users have it: three attempts, then the dead-letter topic. */
@Configuration(proxyBeanMethods = false)
class Recovery {

    static final int ATTEMPTS = 3;

    @Bean
    Attempts attempts() {
        return new Attempts();
    }

    @Bean
    DefaultErrorHandler errorHandler(KafkaTemplate<Object, Object> template, Attempts attempts) {
        DefaultErrorHandler handler =
                new DefaultErrorHandler(new DeadLetterPublishingRecoverer(template), new FixedBackOff(0, ATTEMPTS - 1));
        handler.setRetryListeners(attempts);
        return handler;
    }

    /** A container factory whose error handler would keep the rest of a poll in memory instead of seeking back. */
    @Configuration(proxyBeanMethods = false)
    static class InMemory {

        @Bean
        ConcurrentKafkaListenerContainerFactory<Object, Object> remaining(
                ConcurrentKafkaListenerContainerFactoryConfigurer configurer,
                ConsumerFactory<Object, Object> consumers,
                KafkaTemplate<Object, Object> template,
                Attempts attempts) {
            ConcurrentKafkaListenerContainerFactory<Object, Object> factory =
                    new ConcurrentKafkaListenerContainerFactory<>();
            configurer.configure(factory, consumers);
            DefaultErrorHandler handler = new Recovery().errorHandler(template, attempts);
            handler.setSeekAfterError(false);
            factory.setCommonErrorHandler(handler);
            return factory;
        }
    }

    /** What the error handler counts. */
    static final class Attempts implements RetryListener {

        private final List<String> counted = new CopyOnWriteArrayList<>();
        private volatile Consumer<ConsumerRecord<?, ?>> then = record -> {};

        @Override
        public void failedDelivery(ConsumerRecord<?, ?> record, @Nullable Exception thrown, int attempt) {
            then.accept(record);
            counted.add(record.value() + "#" + attempt);
        }

        @Override
        public void failedDelivery(ConsumerRecords<?, ?> records, Exception thrown, int attempt) {
            // The handler tells of the record alone, too.
        }

        /** Returns the failed deliveries of values that begin like this, each with its number. */
        List<String> of(String prefix) {
            return counted.stream().filter(one -> one.startsWith(prefix)).toList();
        }

        void onFailure(Consumer<ConsumerRecord<?, ?>> next) {
            then = next;
        }
    }
}
