/** The Actuator endpoint {@code idempotency}: the verbs of operators by HTTP. */
@NullMarked
package io.idempotency.spring.endpoint;

import org.jspecify.annotations.NullMarked;
