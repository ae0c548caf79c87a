package io.idempotency.samples.rough;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class RoughDemoTest {

    /** A short run without kills: early commits of a killed process would block for minutes. */
    @Test
    void endsWell() {
        Path folder = Path.of("target", "smoke").toAbsolutePath();

        assertThat(RoughDemo.run(Settings.POSTGRESQL, new Settings(300, List.of(Settings.POSTGRESQL), 1, 0, folder)))
                .isTrue();
    }
}
