package io.idempotency.samples.rough;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Compares each message of a listener with its effects.
 *
 * <p>If a transaction has a row that no early commit made final, the library committed it, and all its rows count: those before an early commit and those after
 * it are one effect. Of any other transaction only the rows that its handler committed remain, before it failed or its process was killed. The library cannot
 * prevent those.
 */
final class Audit {

    private final Map<Integer, List<Effect>> effects = new HashMap<>();
    private final Set<String> committed;

    /**
     * Begins with the rows of all listeners.
     *
     * @param settled transactions that the library is known to have committed, whatever their rows say
     */
    Audit(Collection<Effect> rows, Set<String> settled) {
        committed = new HashSet<>(settled);
        for (Effect row : rows) {
            effects.computeIfAbsent(row.message(), message -> new ArrayList<>()).add(row);
            if (!row.isEarly()) {
                committed.add(row.tx());
            }
        }
    }

    /** Compares the messages of a listener. */
    Verdict of(String title, List<Order> orders, Set<String> quarantined) {
        Verdict verdict = Verdict.none(title);
        for (Order order : orders) {
            verdict = verdict.plus(of(title, order, quarantined.contains(order.id())));
        }
        return verdict;
    }

    private Verdict of(String title, Order order, boolean isQuarantined) {
        int[] halves = new int[2];
        Set<String> own = new HashSet<>();
        for (Effect row : effects.getOrDefault(order.number(), List.of())) {
            if (committed.contains(row.tx())) {
                halves[row.part()]++;
            } else {
                own.add(row.tx());
            }
        }
        int most = Math.max(halves[Effects.BEGIN], halves[Effects.REST]);
        int expected = isQuarantined ? 0 : 1;
        boolean isLost = !isQuarantined && Math.min(halves[Effects.BEGIN], halves[Effects.REST]) == 0;
        int unexplained = Math.max(0, most - expected);
        boolean isBlameless = isQuarantined && !order.mayFail();
        List<String> examples = isLost || unexplained > 0 || isBlameless
                ? List.of(title + " " + order + ": " + (isQuarantined ? "in quarantine, " : "")
                        + effects.getOrDefault(order.number(), List.of()))
                : List.of();
        return new Verdict(
                title,
                1,
                isLost ? 0 : most,
                isQuarantined ? 1 : 0,
                isLost ? 1 : 0,
                own.size(),
                unexplained,
                isBlameless ? 1 : 0,
                examples);
    }
}
