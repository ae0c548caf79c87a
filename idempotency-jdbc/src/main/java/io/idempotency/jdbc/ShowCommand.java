package io.idempotency.jdbc;

import io.idempotency.store.Delivery;
import io.idempotency.store.Position;
import io.idempotency.store.Printable;
import java.util.regex.Pattern;

/** Words the command of {@code idempotency-cli} that shows a quarantined message, for the log. */
final class ShowCommand {

    /** What a shell passes on as it is. It does not begin like an option. */
    private static final Pattern PLAIN = Pattern.compile("[\\w.:/@%+=,][\\w.:/@%+=,-]*");

    /** How long an id may be. A line of the log is not the place for one of 4 KiB. */
    private static final int MOST = 200;

    private ShowCommand() {}

    /**
     * Returns the command. It names the message by its id; one whose id is long, or has characters that do not show as themselves, by its position.
     */
    static String of(Tables tables, Delivery delivery) {
        StringBuilder command = new StringBuilder("idempotency quarantine show");
        if (!tables.prefix().equals(Tables.standard().prefix())) {
            command.append(" --table-prefix=").append(tables.prefix());
        }
        if (!tables.schema().isEmpty()) {
            command.append(" --schema=").append(tables.schema());
        }
        return command.append(' ')
                .append(quoted(delivery.id().consumer()))
                .append(' ')
                .append(quoted(name(delivery)))
                .toString();
    }

    private static String name(Delivery delivery) {
        String id = delivery.id().value();
        String printed = Printable.of(id);
        boolean isFit = printed.equals(id) && id.length() <= MOST && !id.startsWith("-");
        return isFit || delivery.position().equals(Position.UNKNOWN)
                ? printed
                : delivery.position().toString();
    }

    private static String quoted(String text) {
        return PLAIN.matcher(text).matches() ? text : "'" + text.replace("'", "'\\''") + "'";
    }
}
