/** A Kafka Streams application with Spring Boot that drops copies. */
@NullMarked
package io.idempotency.samples.stream;

import org.jspecify.annotations.NullMarked;
