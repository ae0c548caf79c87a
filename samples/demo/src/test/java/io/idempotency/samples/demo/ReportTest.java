package io.idempotency.samples.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ReportTest {

    private final Audit audit = new Audit(100_000, 99_999, 1, List.of(), List.of());

    @Test
    void saysInASentenceHowItEnded() {
        assertThat(Report.sentence(audit, true))
                .isEqualTo("PASSED: 99,999 payments posted once + 1 poisonous payment in quarantine, as planned");
        assertThat(Report.sentence(audit, false)).startsWith("FAILED");
    }
}
