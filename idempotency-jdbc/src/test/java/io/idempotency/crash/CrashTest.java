package io.idempotency.crash;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.database.Database;
import io.idempotency.jdbc.TestDatabase;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tests the promises on PostgreSQL, and compares {@code docs/guarantees.md} with the observations. */
class CrashTest extends CrashTable {

    private static final Path PAGE = Path.of(System.getProperty("basedir", ""))
            .toAbsolutePath()
            .resolveSibling("docs")
            .resolve("guarantees.md");

    private final ReplayCrashes replays;

    CrashTest() {
        super(Servers::onPostgres);
        replays = new ReplayCrashes(servers(), Database.at(TestDatabase.MARIADB.url()), folder());
    }

    @BeforeAll
    void letAllReplaysHappen() {
        replays.start(runs());
    }

    @Test
    @Tag("rule-9.19")
    void replaysKeepTheirPromises() {
        replays.keepTheirPromises();
    }

    @ParameterizedTest
    @EnumSource(Cell.Kind.class)
    @Tag("rule-9.18")
    void replayCompletesABatchWithPoisonousMessages(Cell.Kind store) throws InterruptedException {
        PoisonousBatch.run(servers(), store);
    }

    @ParameterizedTest
    @EnumSource(Cell.Kind.class)
    @Tag("rule-8.23")
    @Tag("rule-8.24")
    void aRangeThatWasForgottenInPartSaysSoAndTheNextCallDoesTheRest(Cell.Kind store) {
        ForgettingCrash.run(servers(), store, folder());
    }

    @Test
    void thePageOfGuaranteesSaysWhatWasSeen() {
        Map<Cell, Seen> all = new LinkedHashMap<>();
        Cell.all().forEach(cell -> all.put(cell, seen(cell)));
        String page = GuaranteesPage.of(all, ChangedMessages.section(servers()), replays.section());
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
