package io.idempotency.crash;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Tests the promises on PostgreSQL, and compares {@code docs/guarantees.md} with the observations. */
class CrashTest extends CrashTable {

    private static final Path PAGE = Path.of(System.getProperty("basedir", ""))
            .toAbsolutePath()
            .resolveSibling("docs")
            .resolve("guarantees.md");

    CrashTest() {
        super(Servers::onPostgres);
    }

    @Test
    void thePageOfGuaranteesSaysWhatWasSeen() {
        Map<Cell, Seen> all = new LinkedHashMap<>();
        Cell.all().forEach(cell -> all.put(cell, seen(cell)));
        String page = GuaranteesPage.of(all, ChangedMessages.section(servers()));
        if ("write".equals(System.getProperty("idempotency.docs"))) {
            write(page);
        }
        assertThat(PAGE)
                .as("The page differs from what was seen. Write it anew with -Didempotency.docs=write")
                .hasContent(page);
    }

    private static void write(String page) {
        try {
            Files.writeString(PAGE, page);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
