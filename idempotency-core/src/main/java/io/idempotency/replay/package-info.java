/** Replays quarantined messages: requests, and the workers that carry them out. */
@NullMarked
package io.idempotency.replay;

import org.jspecify.annotations.NullMarked;
