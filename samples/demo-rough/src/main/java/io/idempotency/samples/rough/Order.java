package io.idempotency.samples.rough;

import java.util.Arrays;
import java.util.List;

/** A message, as an object that its handler changes. It says which mistake its handler makes. */
final class Order {

    private final int number;
    private final List<Deed> deeds;
    private final End end;
    private boolean isAccepted;

    Order(int number, List<Deed> deeds, End end) {
        this.number = number;
        this.deeds = List.copyOf(deeds);
        this.end = end;
    }

    static Order decode(String text) {
        String[] parts = text.split(";", -1);
        List<Deed> deeds = parts[1].isEmpty()
                ? List.of()
                : Arrays.stream(parts[1].split(",", -1)).map(Deed::valueOf).toList();
        return new Order(Integer.parseInt(parts[0]), deeds, End.valueOf(parts[2]));
    }

    String encode() {
        return number + ";" + String.join(",", deeds.stream().map(Deed::name).toList()) + ";" + end;
    }

    int number() {
        return number;
    }

    /** The id of the message. */
    String id() {
        return "order-" + number;
    }

    List<Deed> deeds() {
        return deeds;
    }

    End end() {
        return end;
    }

    /** Returns whether it may end in quarantine: its handler fails each time, or makes a mistake that the database or the library must refuse. */
    boolean mayFail() {
        boolean isCommitting = deeds.contains(Deed.COMMITS) || deeds.contains(Deed.DIES);
        return end.isPoison()
                || deeds.contains(Deed.SWALLOWS_DUPLICATE_KEY)
                || deeds.contains(Deed.SWALLOWS_LOCK_TIMEOUT)
                // After setAutoCommit(true) there are no savepoints.
                || (isCommitting && (deeds.contains(Deed.NESTS) || deeds.contains(Deed.NESTS_IN_VAIN)));
    }

    boolean isAccepted() {
        return isAccepted;
    }

    void accept() {
        isAccepted = true;
    }

    @Override
    public String toString() {
        return encode();
    }
}
