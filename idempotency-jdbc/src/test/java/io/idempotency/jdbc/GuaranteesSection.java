package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A section of {@code docs/guarantees.md} that a test writes from its observations: everything between two comments with its name. */
public final class GuaranteesSection {

    private static final Path PAGE = Path.of(System.getProperty("basedir", ""))
            .toAbsolutePath()
            .resolveSibling("docs")
            .resolve("guarantees.md");

    private GuaranteesSection() {}

    /** Compares the section with the observation, or writes it if the tests run with {@code -Didempotency.docs=write}. */
    public static void assertSays(String name, String seen) {
        String page = read();
        if ("write".equals(System.getProperty("idempotency.docs"))) {
            page = page.replace(in(page, name), seen);
            write(page);
        }
        assertThat(in(page, name))
                .as("The section differs from what was seen. Write it anew with -Didempotency.docs=write")
                .isEqualTo(seen);
    }

    /** Returns the section of the page. */
    public static String of(String name) {
        return in(read(), name);
    }

    private static String in(String page, String name) {
        String begin = "<!-- " + name + " -->\n";
        String end = "\n<!-- end of " + name + " -->";
        return page.substring(page.indexOf(begin) + begin.length(), page.indexOf(end));
    }

    private static String read() {
        try {
            return Files.readString(PAGE);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void write(String page) {
        try {
            Files.writeString(PAGE, page);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
