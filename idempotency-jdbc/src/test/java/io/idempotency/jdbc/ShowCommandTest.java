package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.store.Delivery;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The command in the line about a quarantined message can be pasted into a shell as it is. */
@Tag("rule-7.10")
class ShowCommandTest {

    private static final Position POSITION = new Position("orders", 3, 18272);

    private static String command(Tables tables, String id, Position position) {
        return ShowCommand.of(tables, new Delivery(new MessageId("billing", id), position));
    }

    private static String command(String id) {
        return command(Tables.standard(), id, POSITION);
    }

    @Test
    void namesTheMessageByItsId() {
        assertThat(command("A-4711")).isEqualTo("idempotency quarantine show billing A-4711");
    }

    @Test
    void quotesWhatAShellWouldChange() {
        assertThat(command("a b")).endsWith(" billing 'a b'");
        assertThat(command("~none~1")).endsWith(" billing '~none~1'");
        assertThat(command("$(id)`id`;\"x\"")).endsWith(" billing '$(id)`id`;\"x\"'");
        assertThat(command("it's")).endsWith(" billing 'it'\\''s'");
    }

    @Test
    void namesAMessageWhoseIdDoesNotShowAsItIsByItsPosition() {
        for (String id : new String[] {"a\u202Eb", "a\u00A0b", "--help", "x".repeat(4_000)}) {
            assertThat(command(id)).isEqualTo("idempotency quarantine show billing orders-3@18272");
        }
        assertThat(command(Tables.standard(), "a\u202Eb", Position.UNKNOWN)).endsWith(" billing 'a\\u202Eb'");
    }

    @Test
    void namesOtherTables() {
        assertThat(command(new Tables("shop", "billing_"), "a", POSITION))
                .isEqualTo("idempotency quarantine show --table-prefix=billing_ --schema=shop billing a");
    }
}
