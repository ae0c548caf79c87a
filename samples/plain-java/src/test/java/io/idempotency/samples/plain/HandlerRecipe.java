package io.idempotency.samples.plain;

// tag::recipe[]
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.IdempotentConsumer;
import io.idempotency.jdbc.TableStore;
import java.util.Optional;
// end::recipe[]

/** Shows how a test finds a handler that writes outside of its transaction: the handler fails after its last line, and rows remain. */
final class HandlerRecipe {

    private HandlerRecipe() {}

    static void failBehind(Ledger ledger, TableStore store) {
        // tag::recipe[]
        IdempotentConsumer<String> failing = IdempotentConsumer.<String>named("failing")
                .store(store)
                .messageId(message -> Optional.of("pay-1"))
                .build();

        assertThatThrownBy(() -> failing.consume("anna,10.50", (message, claim) -> {
                    ledger.post(message); // your handler
                    throw new IllegalStateException("behind its last line");
                }))
                .hasMessage("behind its last line");
        // end::recipe[]
    }
}
