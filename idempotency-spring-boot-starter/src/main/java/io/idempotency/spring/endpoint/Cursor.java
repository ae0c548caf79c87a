package io.idempotency.spring.endpoint;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.idempotency.store.Delivery;
import io.idempotency.store.IdempotencyException;
import io.idempotency.store.MessageId;
import io.idempotency.store.Position;
import java.util.Base64;

/** Names the last message of a page in a form that fits into a query. */
final class Cursor {

    private static final String SEPARATOR = "\n";
    private static final int PARTS = 4;

    private Cursor() {}

    static String of(Delivery last) {
        Position at = last.position();
        String text = String.join(
                SEPARATOR,
                at.stream(),
                Integer.toString(at.partition()),
                Long.toString(at.offset()),
                last.id().value());
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(UTF_8));
    }

    static Delivery read(String consumer, String cursor) {
        try {
            String[] parts = new String(Base64.getUrlDecoder().decode(cursor), UTF_8).split(SEPARATOR, PARTS);
            if (parts.length == PARTS) {
                Position at = new Position(parts[0], Integer.parseInt(parts[1]), Long.parseLong(parts[2]));
                return new Delivery(new MessageId(consumer, parts[3]), at);
            }
        } catch (IllegalArgumentException | IdempotencyException e) {
            // Somebody has changed it.
        }
        throw RefusedException.badInput(
                "The parameter after is not what a page gave as next: begin with the first page, without it.");
    }
}
