package io.idempotency.samples.demo;

import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The payer's own record of every payment, written before the payment is sent and read by the audit. It is a file, independent of the broker and the
 * database under test.
 */
final class Ledger implements AutoCloseable {

    /** The way of a payment to the topic. */
    enum Way {
        /** By a producer that loses acknowledgments. */
        DIRECT,
        /** By an outbox and a relay that crashes. */
        OUTBOX
    }

    /** A payment and its way. */
    record Entry(Way way, Payment payment) {

        private static Entry decode(String line) {
            int comma = line.indexOf(',');
            return new Entry(Way.valueOf(line.substring(0, comma)), Payment.decode(line.substring(comma + 1)));
        }
    }

    private final Path file;
    private final BufferedWriter writer;

    Ledger(Path file) throws IOException {
        this.file = file;
        this.writer = Files.newBufferedWriter(file);
    }

    /** Records a payment that is about to be sent. */
    void record(Way way, Payment payment) {
        try {
            writer.write(way + "," + payment.encode() + "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Reads all recorded payments. */
    List<Entry> entries() throws IOException {
        writer.flush();
        try (Stream<String> lines = Files.lines(file)) {
            return lines.map(Entry::decode).toList();
        }
    }

    @Override
    public void close() throws IOException {
        writer.close();
    }
}
