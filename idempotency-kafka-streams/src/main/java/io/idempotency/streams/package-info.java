/** Drops copies of messages inside a Kafka Streams topology. The ids are in a state store, and Kafka keeps them in its changelog. */
@NullMarked
package io.idempotency.streams;

import org.jspecify.annotations.NullMarked;
