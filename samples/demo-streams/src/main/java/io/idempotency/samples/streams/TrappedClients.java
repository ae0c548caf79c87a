package io.idempotency.samples.streams;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.streams.KafkaClientSupplier;

/** Kafka's own clients, with a trap at their commits: {@code commitTransaction} under {@code exactly_once_v2}, {@code commitSync} otherwise. */
record TrappedClients(Trap trap) implements KafkaClientSupplier {

    @Override
    public Admin getAdmin(Map<String, Object> config) {
        return Admin.create(config);
    }

    @Override
    @SuppressWarnings("unchecked") // the proxy is a producer of bytes
    public Producer<byte[], byte[]> getProducer(Map<String, Object> config) {
        Producer<byte[], byte[]> producer =
                new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
        trap.flushes(producer);
        return trapped(Producer.class, producer, "commitTransaction");
    }

    @Override
    @SuppressWarnings("unchecked") // the proxy is a consumer of bytes
    public Consumer<byte[], byte[]> getConsumer(Map<String, Object> config) {
        return trapped(Consumer.class, plain(config), "commitSync");
    }

    @Override
    public Consumer<byte[], byte[]> getRestoreConsumer(Map<String, Object> config) {
        return plain(config);
    }

    @Override
    public Consumer<byte[], byte[]> getGlobalConsumer(Map<String, Object> config) {
        return plain(config);
    }

    private static Consumer<byte[], byte[]> plain(Map<String, Object> config) {
        return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private <C> C trapped(Class<C> type, C client, String commit) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    boolean isCommit = method.getName().equals(commit);
                    if (isCommit) {
                        trap.reach(Accident.BEFORE_THE_COMMIT);
                    }
                    try {
                        return method.invoke(client, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    } finally {
                        if (isCommit) {
                            trap.reach(Accident.BEHIND_THE_COMMIT);
                        }
                    }
                }));
    }
}
