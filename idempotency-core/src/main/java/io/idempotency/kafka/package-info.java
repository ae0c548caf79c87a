/** Kafka without Spring: message ids of records, a processor for any poll loop, a ready poll loop, and a producer interceptor that adds ids. */
@NullMarked
package io.idempotency.kafka;

import org.jspecify.annotations.NullMarked;
