/** The {@link io.idempotency.spring.Idempotent} annotation for {@code @KafkaListener}, and the auto-configuration behind it. */
@NullMarked
package io.idempotency.spring;

import org.jspecify.annotations.NullMarked;
