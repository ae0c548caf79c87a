package io.idempotency.cli;

import java.util.LinkedHashMap;
import java.util.Map;

/** What a command tells a script. */
final class ExitCode {

    static final int DONE = 0;
    static final int NOTHING = 1;
    static final int USAGE = 2;
    static final int REFUSED = 3;
    static final int UNREACHABLE = 4;
    static final int INTERRUPTED = 5;

    private ExitCode() {}

    /** Returns all codes with their meanings, for the help. */
    static Map<String, String> all() {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("0", "done");
        all.put("1", "nothing found; a replay ended with failures, or no running instance took it within 60 seconds");
        all.put("2", "wrong usage, or nobody to ask whether to go on");
        all.put("3", "refused: by the library, by the rights of the user, or because the tables are others");
        all.put("4", "the database cannot be reached");
        all.put("5", "interrupted, or answered with no");
        return all;
    }
}
