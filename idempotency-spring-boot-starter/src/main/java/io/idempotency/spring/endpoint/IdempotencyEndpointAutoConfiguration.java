package io.idempotency.spring.endpoint;

import io.idempotency.ConsumerStores;
import io.idempotency.Operations;
import io.idempotency.Standstills;
import io.idempotency.outbox.OutboxOperations;
import io.idempotency.outbox.OutboxStore;
import io.idempotency.store.AuditStore;
import io.idempotency.store.QuarantineStore;
import java.lang.management.ManagementFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.autoconfigure.endpoint.condition.ConditionalOnAvailableEndpoint;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.EndpointAccessResolver;
import org.springframework.boot.actuate.endpoint.EndpointId;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

/** Sets up the endpoint, if Actuator is on the class path, the endpoint is exposed, and the tables are in a database. */
@AutoConfiguration(afterName = "io.idempotency.spring.IdempotencyAutoConfiguration")
@ConditionalOnClass(ConditionalOnAvailableEndpoint.class)
public class IdempotencyEndpointAutoConfiguration {

    /** Created by Spring. */
    IdempotencyEndpointAutoConfiguration() {}

    /** Nested, because its condition is a class of Actuator, too. */
    @Configuration(proxyBeanMethods = false)
    @ConditionalOnAvailableEndpoint(endpoint = IdempotencyEndpoint.class)
    @ConditionalOnBean({
        Operations.class,
        QuarantineStore.class,
        AuditStore.class,
        ConsumerStores.class,
        Standstills.class
    })
    @EnableConfigurationProperties(OperationsProperties.class)
    static class Available {

        @Bean
        static KnownArguments idempotencyEndpointArguments() {
            return new KnownArguments();
        }

        @Bean
        InstanceCounts idempotencyInstanceCounts() {
            return new InstanceCounts();
        }

        @Bean
        Permissions idempotencyEndpointPermissions(
                OperationsProperties properties, ObjectProvider<EndpointAccessResolver> access) {
            return new Permissions(access(access), properties);
        }

        @Bean
        OutboxVerbs idempotencyEndpointOutbox(
                ObjectProvider<OutboxStore> store,
                ObjectProvider<OutboxOperations> operations,
                Permissions permissions,
                ObjectProvider<PayloadMask> masks) {
            return new OutboxVerbs(
                    store.getIfUnique(),
                    operations::getObject,
                    permissions,
                    masks.orderedStream().toList());
        }

        @Bean
        IdempotencyEndpoint idempotencyEndpoint(
                Overviews overviews,
                Operations operations,
                QuarantineStore quarantine,
                AuditStore audit,
                ConsumerStores stores,
                Permissions permissions,
                OutboxVerbs outputs,
                ObjectProvider<PayloadMask> masks) {
            return new IdempotencyEndpoint(
                    overviews,
                    new Views(
                            operations,
                            quarantine,
                            audit,
                            permissions,
                            masks.orderedStream().toList(),
                            outputs),
                    new Writes(operations, quarantine, stores, permissions, outputs));
        }

        @Bean
        Overviews idempotencyOverviews(
                Environment environment,
                ConsumerStores stores,
                QuarantineStore quarantine,
                InstanceCounts counts,
                RunningConsumers running,
                Standstills standstills,
                OutboxVerbs outputs) {
            String name = environment.getProperty("spring.application.name", "");
            String process = ManagementFactory.getRuntimeMXBean().getName();
            return new Overviews(
                    (name + " " + process).strip(), stores, quarantine, counts, running, standstills, outputs);
        }

        private static Access access(ObjectProvider<EndpointAccessResolver> resolver) {
            EndpointAccessResolver own = resolver.getIfAvailable();
            return own == null
                    ? Access.READ_ONLY
                    : own.accessFor(EndpointId.of(IdempotencyEndpoint.ID), Access.READ_ONLY);
        }
    }
}
