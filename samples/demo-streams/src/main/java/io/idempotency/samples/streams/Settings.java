package io.idempotency.samples.streams;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/**
 * The settings of a run, by system properties.
 *
 * @param messages {@code -Dmessages=}: the number of payments under each guarantee
 * @param variant {@code -Dvariant=}: {@code library}, or {@code handwritten} for a deduplication without it, which has to fail
 * @param guarantees {@code -Dguarantee=}: {@code exactly_once_v2}, {@code at_least_once}, or both, one after the other
 * @param accidents what happens under each guarantee, in a random order
 * @param seed {@code -Dseed=}: the seed of copies and accidents
 * @param folder {@code -Ddemo.folder=}: the folder for files; logs stay, everything else is removed at the end
 */
record Settings(
        int messages, String variant, List<String> guarantees, List<Accident> accidents, long seed, Path folder) {

    private static final List<String> GUARANTEES = List.of("exactly_once_v2", "at_least_once");
    /** Each accident twice. */
    private static final List<Accident> ACCIDENTS =
            Stream.of(Accident.values(), Accident.values()).flatMap(Stream::of).toList();

    private static final int MESSAGES_FOR_AN_ACCIDENT = 400;

    Settings {
        int least = MESSAGES_FOR_AN_ACCIDENT * accidents.size();
        if (messages < least) {
            throw new IllegalArgumentException("-Dmessages= must be " + least + " or more, not " + messages);
        }
        if (!List.of(LedgerTopology.LIBRARY, LedgerTopology.HANDWRITTEN).contains(variant)) {
            throw new IllegalArgumentException("-Dvariant= must be library or handwritten, not " + variant);
        }
        if (!GUARANTEES.containsAll(guarantees)) {
            throw new IllegalArgumentException("-Dguarantee= must be one of " + GUARANTEES + ", not " + guarantees);
        }
    }

    static Settings fromSystemProperties() {
        String guarantee = System.getProperty("guarantee", "");
        return new Settings(
                Integer.getInteger("messages", 1_000_000),
                System.getProperty("variant", LedgerTopology.LIBRARY),
                guarantee.isEmpty() ? GUARANTEES : List.of(guarantee),
                ACCIDENTS,
                Long.getLong("seed", 20_261_129),
                Path.of(System.getProperty("demo.folder", "target/demo")).toAbsolutePath());
    }

    /** Returns the time after which a run gives up. */
    Duration limit() {
        return Duration.ofMinutes(15).plusSeconds(messages / 2_000);
    }
}
