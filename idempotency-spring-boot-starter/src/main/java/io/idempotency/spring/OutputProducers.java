package io.idempotency.spring;

import io.idempotency.kafka.DerivedIds;
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

/**
 * Has the producers of all factories and templates that are beans note what listeners send, and replace the message ids that listeners copy.
 * Created early, so it holds nothing but a provider.
 */
final class OutputProducers implements BeanPostProcessor, ProducerPostProcessor<Object, Object>, DisposableBean {

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
        } else if (bean instanceof KafkaTemplate<?, ?> template) {
            watch(template.getProducerFactory());
        }
        return bean;
    }

    @SuppressWarnings("unchecked")
    private void watch(ProducerFactory<?, ?> factory) {
        if (!factory.getPostProcessors().contains(this)) {
            ((ProducerFactory<Object, Object>) factory).addPostProcessor(this);
        }
    }

    /** Not a class of its own: the methods of producers become more with each version of Kafka. */
    @Override
    @SuppressWarnings("unchecked")
    public Producer<Object, Object> apply(Producer<Object, Object> producer) {
        IdempotencyProperties.Producer settings = properties.getObject().producer();
        DerivedIds derivedIds = DerivedIds.in(properties.getObject().messageId().headers());
        WatchedProducer watched = new WatchedProducer(producer, flushing);
        return (Producer<Object, Object>) Proxy.newProxyInstance(
                Producer.class.getClassLoader(), new Class<?>[] {Producer.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("equals")) {
                        return proxy == arguments[0];
                    }
                    boolean isSend = method.getName().equals(SEND);
                    if (isSend && settings.derivedIds()) {
                        arguments[0] = derivedIds.derived((ProducerRecord<?, ?>) arguments[0]);
                    }
                    try {
                        Object result = method.invoke(producer, arguments);
                        if (isSend && settings.await()) {
                            Outputs.note(watched, (ProducerRecord<?, ?>) arguments[0], (Future<?>) result);
                        }
                        return result;
                    } catch (InvocationTargetException e) {
                        throw e.getTargetException();
                    }
                });
    }

    @Override
    public void destroy() {
        flushing.shutdown();
    }
}
