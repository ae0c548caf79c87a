/** What handlers returned, kept beside what is remembered of their messages: answers for callers that ask again, and results of steps. */
@NullMarked
package io.idempotency.results;

import org.jspecify.annotations.NullMarked;
