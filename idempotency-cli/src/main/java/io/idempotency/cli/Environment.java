package io.idempotency.cli;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * What is around a command.
 *
 * @param variables those of the process
 * @param terminal whom to ask
 * @param pause between two looks at a replay
 * @param patience how long a replay may wait for a running instance
 */
record Environment(Map<String, String> variables, Terminal terminal, Duration pause, Duration patience) {

    private static final Duration PAUSE = Duration.ofSeconds(1);
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    static Environment ofProcess() {
        return new Environment(System.getenv(), Terminal.ofProcess(), PAUSE, PATIENCE);
    }

    Optional<String> variable(String name) {
        return Optional.ofNullable(variables.get(name)).filter(value -> !value.isEmpty());
    }
}
