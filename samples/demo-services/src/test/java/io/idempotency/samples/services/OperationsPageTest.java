package io.idempotency.samples.services;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.samples.services.OperationsPage.Example;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class OperationsPageTest {

    /** So a change of the page cannot take a statement away that the demo runs. */
    @ParameterizedTest
    @EnumSource
    void hasEachStatementOfTheDemoWithItsExamples(Example example) throws IOException {
        OperationsPage page = OperationsPage.read(Path.of("..", "..", "docs", "operations.md"));
        String[] own = example.examples().stream().map(value -> "own value").toArray(String[]::new);

        assertThat(page.statement(example, own)).contains("own value").doesNotContain(example.examples());
    }

    @Test
    void refusesAnExampleThatThePageDoesNotHave() {
        OperationsPage page = new OperationsPage(List.of("update idempotency_name set name = 'invoicing'"));

        assertThatThrownBy(() -> page.statement(Example.RENAME, "postings", "ledger"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("invoices");
        assertThatThrownBy(() -> page.statement(Example.PROGRESS, "INC-1"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("0 times");
    }
}
