package io.idempotency.spring;

import io.idempotency.MessageScope;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * What surrounds the transaction that a listener runs in, such as the tenant of its record: as a bean, for all listeners that are {@link
 * Idempotent}. A listener that sets it itself is too late, for the claim has taken connection and session before its first line. Records of
 * different scopes share no transaction, neither of a poll nor of a batch.
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
