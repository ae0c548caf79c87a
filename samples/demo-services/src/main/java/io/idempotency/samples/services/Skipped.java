package io.idempotency.samples.services;

import java.io.IOException;
import java.nio.file.Files;
import java.util.stream.Stream;

/** The duplicates that nodes skipped. They are counted by their logs, which killed nodes leave, too. */
record Skipped(long redeliveries, long resends, long unknown) {

    static Skipped by(Service node) throws IOException {
        return new Skipped(count(node, "REDELIVERY"), count(node, "RESEND"), count(node, "UNKNOWN"));
    }

    private static long count(Service node, String kind) throws IOException {
        try (Stream<String> lines = Files.lines(node.log())) {
            return lines.filter(line -> line.contains(": Skipped ") && line.contains(", a " + kind + " of"))
                    .count();
        }
    }

    long all() {
        return redeliveries + resends + unknown;
    }

    Skipped plus(Skipped other) {
        return new Skipped(redeliveries + other.redeliveries, resends + other.resends, unknown + other.unknown);
    }
}
