package io.idempotency.samples.plain;

// tag::adopt[]
import io.idempotency.jdbc.Adopted;
import io.idempotency.jdbc.Adoption;
// end::adopt[]
// tag::both[]
import io.idempotency.jdbc.JdbcTransactions;
// end::both[]
import io.idempotency.jdbc.TableStore;
import java.util.function.Consumer;
import javax.sql.DataSource;

/** The steps from a table of one's own to this library, as the page on adoption shows them. */
final class AdoptionSteps {

    private AdoptionSteps() {}

    static HomeMade both(DataSource dataSource) {
        // tag::both[]
        HomeMade payments = new HomeMade(JdbcTransactions.on(dataSource).dataSource());
        // end::both[]
        return payments;
    }

    static Adopted adopt(TableStore store, DataSource dataSource, Consumer<Adopted> progress) {
        // tag::adopt[]
        Adopted adopted = Adoption.into(store)
                .from(dataSource, "select 'billing', message_id, processed_at from processed_message")
                .progress(progress)
                .run();
        // end::adopt[]
        return adopted;
    }
}
