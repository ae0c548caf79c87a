package io.idempotency.benchmarks;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The settings of a run, by system properties.
 *
 * @param form {@code -Dform=}: {@code short}, {@code long}, {@code huge}, {@code outbox}, {@code streams} or {@code micro}
 * @param runs {@code -Druns=}: the number of measurements of each contestant in a scenario
 * @param seconds {@code -Dseconds=}: the time of each
 * @param archived {@code -Darchived=}: the number of ids in archives, a multiple of a million
 * @param scenarios {@code -Dscenarios=}: only these, separated by commas; {@code space} is one; of {@code micro}, classes
 * @param contestants {@code -Dcontestants=}: only these; of {@code micro}, methods
 * @param jvm {@code -Djvm=}: more options for the JVMs of contestants, separated by blanks; {@code %s} is the contestant in them, or
 *     {@code micro}
 * @param folder {@code -Dbenchmark.folder=}: the folder for files; logs stay there
 * @param results {@code -Dbenchmark.results=}: the folder for results, and {@code huge} in it for those of that form; results of a part of the contestants or scenarios, or of
 *     another number of ids, stay in the other folder
 */
record Settings(
        Form form,
        int runs,
        double seconds,
        long archived,
        Set<String> scenarios,
        Set<String> contestants,
        List<String> jvm,
        Path folder,
        Path results) {

    Settings {
        if (runs < 1 || seconds <= 0) {
            throw new IllegalArgumentException("-Druns= and -Dseconds= are positive, not " + runs + " and " + seconds);
        }
        if (archived % 1_000_000 != 0 || archived < 0) {
            throw new IllegalArgumentException("-Darchived= is a multiple of a million, not " + archived);
        }
    }

    static Settings fromSystemProperties() {
        Form form = form(System.getProperty("form", "short"));
        Set<String> scenarios = Set.copyOf(split("scenarios", ","));
        Set<String> contestants = Set.copyOf(split("contestants", ","));
        Path folder = Path.of(System.getProperty("benchmark.folder", "target/benchmark"))
                .toAbsolutePath();
        boolean isPart = !scenarios.isEmpty()
                || !contestants.isEmpty()
                || !value("archived", "").isEmpty();
        Path results = Path.of(value("benchmark.results", "results")).toAbsolutePath();
        return new Settings(
                form,
                Integer.parseInt(value("runs", "5")),
                Double.parseDouble(value("seconds", String.valueOf(form.seconds()))),
                Long.parseLong(value("archived", String.valueOf(form.archived()))),
                scenarios,
                contestants,
                split("jvm", " "),
                folder,
                isPart ? folder : form == Form.HUGE ? results.resolve("huge") : results);
    }

    private static Form form(String name) {
        return Stream.of(Form.values())
                .filter(form -> form.name().equalsIgnoreCase(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "-Dform= is short, long, huge, outbox, streams or micro, not " + name));
    }

    private static List<String> split(String property, String separator) {
        return Stream.of(value(property, "").split(separator, -1))
                .map(String::trim)
                .filter(part -> !part.isEmpty())
                .toList();
    }

    /** Returns a property, or the default if it is missing or empty. */
    private static String value(String property, String otherwise) {
        String value = System.getProperty(property, "").trim();
        return value.isEmpty() ? otherwise : value;
    }

    /** Returns the chosen scenarios, each with the chosen contestants. */
    List<Scenario> wantedScenarios() {
        return Scenarios.of(form, archived).stream()
                .filter(scenario -> scenarios.isEmpty() || scenarios.contains(scenario.name()))
                .map(scenario -> scenario.withEntries(scenario.entries().stream()
                        .filter(entry -> isWanted(entry.contestant()))
                        .toList()))
                .filter(scenario -> !scenario.entries().isEmpty())
                .toList();
    }

    boolean isSpaceWanted() {
        return scenarios.isEmpty() ? form != Form.HUGE : scenarios.contains("space");
    }

    boolean isWanted(String contestant) {
        return contestants.isEmpty() || contestants.contains(contestant);
    }

    Path logs() {
        return folder.resolve("logs");
    }

    /** Returns the further options of a JVM. */
    List<String> jvmOptions(String name) {
        return jvm.stream().map(option -> option.replace("%s", name)).toList();
    }

    String describe() {
        return form.name().toLowerCase(Locale.ROOT);
    }
}
