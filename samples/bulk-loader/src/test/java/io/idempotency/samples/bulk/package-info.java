@NullMarked
package io.idempotency.samples.bulk;

import org.jspecify.annotations.NullMarked;
