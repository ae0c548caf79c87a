package io.idempotency.spring.endpoint;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The properties {@code idempotency.operations.*} of the endpoint. Immutable.
 *
 * @param role Role that callers of the endpoint need to change something. Empty if every caller may, because the application has a wall of its own.
 * @param payloads Who may see keys, values, headers and failures of quarantined messages.
 */
@ConfigurationProperties("idempotency.operations")
record OperationsProperties(
        @DefaultValue("ADMIN") String role,
        @DefaultValue("role") Payloads payloads) {

    /** Who may see keys, values, headers and failures of quarantined messages. */
    enum Payloads {
        /** Callers with the role. */
        ROLE,
        /** Everybody who may read the endpoint. */
        ALL,
        /** Nobody. */
        NONE
    }
}
