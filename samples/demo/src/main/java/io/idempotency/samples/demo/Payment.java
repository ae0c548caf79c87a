package io.idempotency.samples.demo;

import java.util.UUID;

/**
 * The message of the demo: moves an amount from one account to another.
 *
 * @param id the message id
 * @param cents the amount
 */
record Payment(UUID id, int from, int to, long cents) {

    /** Returns the payment as the value of a record. */
    String encode() {
        return id + "," + from + "," + to + "," + cents;
    }

    /** Reads the text of {@link #encode}. */
    static Payment decode(String text) {
        String[] fields = text.split(",", -1);
        if (fields.length != 4) {
            throw new IllegalArgumentException("Not a payment: " + text);
        }
        return new Payment(
                UUID.fromString(fields[0]),
                Integer.parseInt(fields[1]),
                Integer.parseInt(fields[2]),
                Long.parseLong(fields[3]));
    }
}
