package io.idempotency.cli;

import java.io.Console;
import java.util.Optional;

/** The person at the keyboard. */
interface Terminal {

    /** Returns whether somebody can be asked. */
    boolean isThere();

    /** Asks, and returns the answer; empty if there is none. */
    Optional<String> ask(String question);

    /** Asks without showing the answer. */
    Optional<String> askSecretly(String question);

    /** Returns the terminal of this process. */
    static Terminal ofProcess() {
        // From Java 22 to 24 there would be a console even where input is not a terminal.
        System.setProperty("jdk.console", "java.base");
        Optional<Console> console = Optional.ofNullable(System.console());
        return new Terminal() {
            @Override
            public boolean isThere() {
                return console.isPresent();
            }

            @Override
            public Optional<String> ask(String question) {
                return console.map(on -> on.readLine("%s", question));
            }

            @Override
            public Optional<String> askSecretly(String question) {
                return console.map(on -> on.readPassword("%s", question)).map(String::new);
            }
        };
    }
}
