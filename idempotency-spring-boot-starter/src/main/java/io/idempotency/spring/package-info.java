/** {@link io.idempotency.spring.Idempotent} on any {@code @KafkaListener}, and its auto-configuration. */
@NullMarked
package io.idempotency.spring;

import org.jspecify.annotations.NullMarked;
