@NullMarked
package io.idempotency.samples.clickhouse;

import org.jspecify.annotations.NullMarked;
