/** A Kafka Streams application that is killed, stopped and frozen at each point of its work, and the comparison of its outputs with what was sent. */
@NullMarked
package io.idempotency.samples.streams;

import org.jspecify.annotations.NullMarked;
