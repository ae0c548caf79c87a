package io.idempotency.spring;

import io.idempotency.MessageScope;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Sets up a context around the transaction of an {@link Idempotent} listener, such as the tenant of its record. Define one bean, which serves all
 * listeners. A listener that sets the tenant itself is too late, because the claim takes the connection and the session before the first line of the
 * listener. Records of different scopes never share a transaction, neither in a poll nor in a batch.
 *
 * <pre>{@code
 * @Bean
 * RecordScope tenants() {
 *     return new RecordScope() {
 *         public Object of(ConsumerRecord<?, ?> record) {
 *             return new String(record.headers().lastHeader("tenant").value(), UTF_8);
 *         }
 *         public Entered enter(Object tenant) {
 *             TenantContext.set((String) tenant);
 *             return TenantContext::clear;
 *         }
 *     };
 * }
 * }</pre>
 */
public interface RecordScope extends MessageScope<ConsumerRecord<?, ?>> {}
