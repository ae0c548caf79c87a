package io.idempotency.samples.demo;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/**
 * Compares payments and postings, entry by entry. An entry is the whole payment: id, accounts and amount.
 *
 * @param lost sent payments that are not in quarantine and have no equal posting
 * @param doubled postings without a payment of their own: a second one for the same payment, one with another amount or account, one
 *     for a payment in quarantine, one for a payment that nobody sent; each as often as it occurs
 * @param quarantined how many of the payments sent are in quarantine
 */
record Audit(int unique, int effects, int quarantined, List<Payment> lost, List<Payment> doubled) {

    Audit {
        lost = List.copyOf(lost);
        doubled = List.copyOf(doubled);
    }

    /**
     * Compares payments and postings.
     *
     * @param sent every payment that must have its effect once
     * @param posted every posting found
     * @param quarantine the ids found in quarantine
     */
    static Audit compare(Collection<Payment> sent, Collection<Payment> posted, Set<UUID> quarantine) {
        Map<Payment, Integer> open = new HashMap<>();
        int quarantined = 0;
        for (Payment payment : sent) {
            if (quarantine.contains(payment.id())) {
                quarantined++;
            } else {
                open.merge(payment, 1, Integer::sum);
            }
        }
        List<Payment> doubled = new ArrayList<>();
        for (Payment posting : posted) {
            if (open.merge(posting, -1, Integer::sum) < 0) {
                doubled.add(posting);
            }
        }
        List<Payment> lost = new ArrayList<>();
        open.forEach((payment, missing) -> {
            for (int i = 0; i < missing; i++) {
                lost.add(payment);
            }
        });
        return new Audit(sent.size(), posted.size(), quarantined, lost, doubled);
    }

    /** Returns the balance of every account after all payments given, starting from the opening balance. */
    static Map<Integer, Long> replay(Collection<Payment> payments, int accounts, long openingBalance) {
        Map<Integer, Long> balances = new HashMap<>();
        for (int account = 0; account < accounts; account++) {
            balances.put(account, openingBalance);
        }
        for (Payment payment : payments) {
            balances.merge(payment.from(), -payment.cents(), Long::sum);
            balances.merge(payment.to(), payment.cents(), Long::sum);
        }
        return balances;
    }
}
