package io.idempotency.spring.endpoint;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.actuate.endpoint.OperationResponseBody;

/**
 * The JSON that the endpoint answers with. A field has the name that the command line prints for the same value. A value that is absent is null, and not left
 * out.
 */
final class Answers {

    private Answers() {}

    /** A JSON object, written by Spring Boot's own mapper for endpoints. */
    @JsonInclude(JsonInclude.Include.ALWAYS)
    interface Answer extends OperationResponseBody {}

    /** Why a request was refused. */
    record Refusal(String error) implements Answer {}

    /** @param outbox what waits in the outbox and was refused; null if this application has none */
    record Overview(
            String instance,
            List<Consumer> consumers,
            @Nullable OutboxCounts outbox) implements Answer {}

    /**
     * A consumer.
     *
     * @param running whether this instance has it; if not, what follows it is unknown here
     */
    record Consumer(
            String consumer,
            @Nullable String level,
            String store,
            @Nullable Duration retention,
            @Nullable Instant rememberedSince,
            long quarantined,
            @Nullable Instant oldestQuarantined,
            boolean running,
            @Nullable String transactionPer,
            @Nullable Counts counts,
            @Nullable Ages duplicateAge,
            List<Standing> standstills)
            implements Answer {}

    /** What this instance has handled since its start. */
    record Counts(long processed, long failed, long quarantined, long expired, Map<String, Long> duplicates)
            implements Answer {}

    /** How old duplicates of this instance were since its start. */
    record Ages(Duration p50, Duration p99, Duration max) implements Answer {}

    /** @param lasting whether the partition stands still; before, it waits */
    record Standing(
            String partition,
            String position,
            String id,
            String reason,
            String why,
            Instant since,
            String help,
            boolean lasting)
            implements Answer {}

    record Explanations(List<Explained> messages) implements Answer {}

    record Explained(
            String consumer,
            String id,
            String status,
            @Nullable String position,
            @Nullable Instant at,
            @Nullable Integer attempt,
            @Nullable String failureType,
            @Nullable String failureGroup,
            @Nullable Integer attempts,
            @Nullable Instant quarantinedAt,
            @Nullable String replay,
            @Nullable Instant rememberedUntil,
            @Nullable Instant rememberedSince,
            String sentence)
            implements Answer {}

    record Groups(List<Group> groups) implements Answer {}

    /** @param hours how many messages were quarantined in each of the last 24 hours, the oldest first */
    record Group(
            String group,
            long messages,
            List<String> failureTypes,
            Instant oldest,
            Instant newest,
            long lastHour,
            long lastDay,
            List<Long> hours)
            implements Answer {}

    /** @param next where the next page begins */
    record Page(List<Quarantined> messages, @Nullable String next) implements Answer {}

    record Quarantined(
            String position,
            String id,
            Instant firstAt,
            String failureType,
            String failureGroup,
            int attempts,
            boolean behind,
            @Nullable String replay)
            implements Answer {}

    /**
     * A quarantined message in full.
     *
     * @param bytes where the bytes come from
     * @param behindIt how many messages of its key wait behind it
     * @param hidden why the failure and the bytes are not shown; null if they are
     */
    record Message(
            String consumer,
            String position,
            String id,
            @Nullable Instant recordTimestamp,
            Instant firstAt,
            Instant at,
            String failureType,
            String failureGroup,
            int attempts,
            boolean behind,
            long behindIt,
            @Nullable String replay,
            @Nullable String failure,
            String bytes,
            List<Header> headers,
            @Nullable Bytes key,
            @Nullable Bytes value,
            @Nullable String hidden)
            implements Answer {}

    record Header(String name, @Nullable Bytes value) implements Answer {}

    /**
     * Bytes for a person.
     *
     * @param as {@code text}, {@code json} or {@code hex}
     * @param bytes how many there are
     * @param isCut whether the text has only the first of them
     */
    record Bytes(String as, String text, int bytes, boolean isCut) implements Answer {}

    record Replays(List<ReplayOf> replays) implements Answer {}

    record ReplayOf(
            String id,
            String consumer,
            String status,
            long total,
            long processed,
            long duplicates,
            long failed,
            long unreadable,
            long left,
            int perSecond,
            String selection,
            Instant requestedAt,
            @Nullable Instant endedAt,
            String actor,
            String reason,
            @Nullable String stoppedBy)
            implements Answer {}

    /**
     * What a replay would do.
     *
     * @param alreadyProcessed messages that were processed meanwhile: their entries are only taken out
     */
    record Plan(
            long total,
            long inOtherReplays,
            long withoutBytes,
            long alreadyProcessed,
            Map<String, Long> byFailureType,
            Map<String, Long> byPartition,
            @Nullable Instant oldest,
            boolean dryRun)
            implements Answer {}

    record Changed(String consumer, long messages, boolean dryRun) implements Answer {}

    /** @param quarantined how many messages stay, because they are in quarantine */
    record Forgot(String consumer, long messages, long quarantined, boolean dryRun) implements Answer {}

    record Purged(long messages, boolean dryRun) implements Answer {}

    /** @param oldestSeconds the age of the oldest output that waits; 0 if none does */
    record OutboxCounts(long waiting, long oldestSeconds, long refused) implements Answer {}

    /** @param topics refused outputs by topic */
    record OutboxStatus(long waiting, long oldestSeconds, long refused, Map<String, Long> topics) implements Answer {}

    /** @param next where the next page begins */
    record RefusedPage(List<Refused> outputs, @Nullable String next) implements Answer {}

    /** @param bytes of its value */
    record Refused(long number, String topic, String id, Instant addedAt, long bytes, String reason)
            implements Answer {}

    /**
     * A refused output in full.
     *
     * @param hidden why its bytes are not shown; null if they are
     */
    record OutputOf(
            long number,
            String topic,
            @Nullable Integer partition,
            String id,
            @Nullable Instant recordTimestamp,
            Instant addedAt,
            String reason,
            List<Header> headers,
            @Nullable Bytes key,
            @Nullable Bytes value,
            @Nullable String hidden)
            implements Answer {}

    record ChangedOutputs(long outputs, boolean dryRun) implements Answer {}

    record Audit(List<Act> acts) implements Answer {}

    record Act(
            Instant at,
            String actor,
            String origin,
            String verb,
            String consumer,
            long messages,
            String subject,
            String reason)
            implements Answer {}

    record Session(
            @Nullable String user,
            boolean mayWrite,
            @Nullable String whyNot) implements Answer {}
}
