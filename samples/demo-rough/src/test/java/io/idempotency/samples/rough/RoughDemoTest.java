package io.idempotency.samples.rough;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class RoughDemoTest {

    /** A short run, in which nobody is killed: what that leaves is waited for, for minutes. */
    @Test
    void endsWell() {
        Path folder = Path.of("target", "smoke").toAbsolutePath();

        assertThat(RoughDemo.run(Settings.POSTGRESQL, new Settings(300, List.of(Settings.POSTGRESQL), 1, 0, folder)))
                .isTrue();
    }
}
