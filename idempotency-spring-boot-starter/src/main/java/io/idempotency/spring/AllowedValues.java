package io.idempotency.spring;

import java.time.Duration;
import java.util.regex.Pattern;
import org.springframework.util.StringUtils;
import org.springframework.util.unit.DataSize;
import org.springframework.validation.Errors;

/** Rejects property values that are not allowed. Spring Boot then fails the start, and names the property, its value and its origin. */
final class AllowedValues {

    /** A number without a unit counts milliseconds, which is rarely intended. */
    private static final Duration SHORTEST_RETENTION = Duration.ofMinutes(1);

    private static final Duration SHORTEST_LEASE = Duration.ofMillis(100);
    private static final Duration POSITIVE = Duration.ofMillis(1);
    private static final Pattern IDENTIFIER = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,39}");

    private final Errors errors;

    private AllowedValues(Errors errors) {
        this.errors = errors;
    }

    /** Reports each property whose value is not allowed. */
    static void require(IdempotencyProperties properties, Errors errors) {
        AllowedValues allowed = new AllowedValues(errors);
        allowed.text("store", properties.store());
        if (properties.transactionManager() != null) {
            allowed.text("transaction-manager", properties.transactionManager());
        }
        allowed.atLeast("retention", properties.retention(), SHORTEST_RETENTION, "1m");
        allowed.atLeast("journal.retention", properties.journal().retention(), SHORTEST_RETENTION, "1m");
        allowed.atLeast("lease", properties.lease(), SHORTEST_LEASE, "100ms");
        allowed.atLeast("claim-timeout", properties.claimTimeout(), POSITIVE, "1ms");
        allowed.atLeast("cache.time", properties.cache().time(), POSITIVE, "1ms");
        allowed.atLeast("purge.interval", properties.purge().interval(), POSITIVE, "1ms");
        allowed.atLeast("audit.retention", properties.audit().retention(), SHORTEST_RETENTION, "1m");
        if (properties.quarantine().retention() != null) {
            allowed.atLeast("quarantine.retention", properties.quarantine().retention(), SHORTEST_RETENTION, "1m");
        }
        if (properties.quarantine().warnAfter() != null) {
            allowed.atLeast("quarantine.warn-after", properties.quarantine().warnAfter(), POSITIVE, "1ms");
        }
        allowed.atLeast("journal.archive-after", properties.journal().archiveAfter(), 0, "; 0 builds no archives");
        allowed.atLeast("cache.size", properties.cache().size(), 0, "; 0 is no cache");
        allowed.atLeast("stand-still-after", properties.standStillAfter(), 0, "; 0 is never");
        allowed.atLeast("outbox.interval", properties.outbox().interval(), POSITIVE, "1ms");
        allowed.atLeast("outbox.batch-size", properties.outbox().batchSize(), 1, "");
        allowed.atLeast("purge.batch-size", properties.purge().batchSize(), 1, "");
        allowed.atLeast("payload-check.per-second", properties.payloadCheck().perSecond(), 1, "");
        DataSize memory = properties.journal().memory();
        if (memory != null) {
            allowed.atLeast("journal.memory", memory.toBytes(), 1, " byte");
        }
        allowed.texts("message-id.headers", properties.messageId().headers());
        allowed.identifier("schema.table-prefix", properties.schema().tablePrefix());
        if (!properties.schema().name().isEmpty()) {
            allowed.identifier("schema.name", properties.schema().name());
        }
    }

    private void atLeast(String property, Duration value, Duration least, String told) {
        refuseIf(
                value.compareTo(least) < 0,
                property,
                "is a time of at least " + told + ", with its unit: a number alone is one of milliseconds");
    }

    private void atLeast(String property, long value, long least, String told) {
        refuseIf(value < least, property, "is at least " + least + told);
    }

    private void texts(String property, Iterable<String> values) {
        boolean isThere = values.iterator().hasNext();
        refuseIf(!isThere, property, "has at least one name");
        for (String value : values) {
            text(property, value);
        }
    }

    private void text(String property, String value) {
        refuseIf(!StringUtils.hasText(value), property, "is not blank");
    }

    private void identifier(String property, String value) {
        refuseIf(
                !IDENTIFIER.matcher(value).matches(),
                property,
                "has up to 40 letters A-Z, digits and underscores, and does not begin with a digit");
    }

    private void refuseIf(boolean condition, String property, String allowed) {
        if (condition) {
            errors.rejectValue(property, "allowed", "It " + allowed);
        }
    }
}
