/**
 * The fault kit: delivers the messages of a listener or handler twice, lets the process die and connections break around it, and counts effects. Only the
 * classes whose names begin with {@code Spring} need Spring.
 */
@NullMarked
package io.idempotency.testkit.faults;

import org.jspecify.annotations.NullMarked;
