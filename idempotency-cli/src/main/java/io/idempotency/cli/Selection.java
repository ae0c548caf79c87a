package io.idempotency.cli;

import io.idempotency.Operations;
import io.idempotency.store.QuarantineSelection;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that choose quarantined messages. All conditions that are given hold together. */
final class Selection {

    @Option(names = "--id", paramLabel = "<id>", description = "Messages with this id. May be repeated.")
    private List<String> ids = List.of();

    @Option(names = "--failure", paramLabel = "<class>", description = "Messages whose exception has this class name.")
    private Optional<String> failure = Optional.empty();

    @Option(names = "--group", paramLabel = "<group>", description = "Messages of this group of failures.")
    private Optional<String> group = Optional.empty();

    @Option(
            names = "--from",
            paramLabel = "<moment>",
            converter = Moments.OfInstant.class,
            description = "Messages quarantined from this moment on, such as 2026-11-28T09:00:00Z, or 24h ago.")
    private Optional<Instant> from = Optional.empty();

    @Option(
            names = "--to",
            paramLabel = "<moment>",
            converter = Moments.OfInstant.class,
            description = "Messages quarantined before this moment.")
    private Optional<Instant> to = Optional.empty();

    @Option(names = "--topic", paramLabel = "<name>", description = "Messages of this topic.")
    private Optional<String> topic = Optional.empty();

    @Option(names = "--partition", paramLabel = "<number>", description = "Messages of this partition of the topic.")
    private Optional<Integer> partition = Optional.empty();

    @Option(
            names = "--offsets",
            paramLabel = "<first>..<last>",
            converter = Offsets.Converter.class,
            description = "Messages with these offsets of the partition.")
    private Optional<Offsets> offsets = Optional.empty();

    /** Returns the chosen messages of a consumer. Ids may be given without their kind. */
    QuarantineSelection of(String consumer, Operations operations) {
        QuarantineSelection chosen = QuarantineSelection.of(consumer);
        if (!ids.isEmpty()) {
            chosen = chosen.ids(ids.stream()
                    .map(id -> Ids.one(operations, consumer, id).id().value())
                    .toList());
        }
        chosen = failure.map(chosen::failureType).orElse(chosen);
        chosen = group.map(chosen::failureGroup).orElse(chosen);
        chosen = from.map(chosen::from).orElse(chosen);
        chosen = to.map(chosen::to).orElse(chosen);
        chosen = topic.map(chosen::stream).orElse(chosen);
        chosen = partition.isPresent() ? chosen.partition(partition.get()) : chosen;
        return offsets.isPresent()
                ? chosen.offsets(offsets.get().first(), offsets.get().last())
                : chosen;
    }
}
