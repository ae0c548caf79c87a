package io.idempotency.spring;

import io.idempotency.kafka.MessageIdInterceptor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.kafka.core.KafkaTemplate;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.kafka.core.ProducerPostProcessor;
import org.springframework.kafka.core.RoutingKafkaTemplate;

/**
 * Makes the producers of all factory and template beans track the messages that listeners send, and give them ids derived from the listener's
 * message. Created early, so it holds only a provider.
 */
final class OutputProducers implements BeanPostProcessor, DisposableBean {

    private static final String SEND = "send";

    private final ObjectProvider<IdempotencyProperties> properties;
    private final ExecutorService flushing = Executors.newCachedThreadPool(flush -> {
        Thread thread = new Thread(flush, "idempotency-flush");
        thread.setDaemon(true);
        return thread;
    });

    OutputProducers(ObjectProvider<IdempotencyProperties> properties) {
        this.properties = properties;
    }

    @Override
    public Object postProcessAfterInitialization(Object bean, String name) {
        if (bean instanceof ProducerFactory<?, ?> factory) {
            watch(factory);
        } else if (bean instanceof KafkaTemplate<?, ?> template && !(bean instanceof RoutingKafkaTemplate)) {
            ProducerFactory<?, ?> factory = template.getProducerFactory();
            if (factory != null) { // a mock has none
                watch(factory);
            }
        }
        return bean;
    }

    @SuppressWarnings("unchecked")
    private void watch(ProducerFactory<?, ?> factory) {
        if (factory.getPostProcessors().stream().noneMatch(OfFactory.class::isInstance)) {
            ((ProducerFactory<Object, Object>) factory)
                    .addPostProcessor(new OfFactory((ProducerFactory<Object, Object>) factory));
        }
    }

    private final class OfFactory implements ProducerPostProcessor<Object, Object> {

        private final ProducerFactory<Object, Object> factory;

        OfFactory(ProducerFactory<Object, Object> factory) {
            this.factory = factory;
        }

        /** A dynamic proxy, because each version of Kafka adds methods to producers. */
        @Override
        @SuppressWarnings("unchecked")
        public Producer<Object, Object> apply(Producer<Object, Object> producer) {
            IdempotencyProperties settings = properties.getObject();
            boolean isAwaited = settings.producer().await();
            MessageIdInterceptor<Object, Object> ids = ProducerSetup.interceptor(factory, settings);
            WatchedProducer watched = new WatchedProducer(producer, flushing);
            return (Producer<Object, Object>) Proxy.newProxyInstance(
                    Producer.class.getClassLoader(), new Class<?>[] {Producer.class}, (proxy, method, arguments) -> {
                        if (method.getName().equals("equals")) {
                            return proxy == arguments[0];
                        }
                        boolean isSend = method.getName().equals(SEND);
                        if (isSend) {
                            arguments[0] = ids.onSend((ProducerRecord<Object, Object>) arguments[0]);
                        }
                        try {
                            Object result = method.invoke(producer, arguments);
                            if (isSend && isAwaited) {
                                Outputs.note(watched, (ProducerRecord<?, ?>) arguments[0], (Future<?>) result);
                            }
                            return result;
                        } catch (InvocationTargetException e) {
                            throw e.getTargetException();
                        } finally {
                            if (method.getName().equals("close")) {
                                ids.close();
                            }
                        }
                    });
        }
    }

    @Override
    public void destroy() {
        flushing.shutdown();
    }
}
