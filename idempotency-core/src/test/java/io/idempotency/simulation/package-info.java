/**
 * A deterministic simulation of the whole flow: several processes, one store, one log, one clock, and one seed that decides everything. Read
 * {@link io.idempotency.simulation.Simulation} first.
 */
@NullMarked
package io.idempotency.simulation;

import org.jspecify.annotations.NullMarked;
