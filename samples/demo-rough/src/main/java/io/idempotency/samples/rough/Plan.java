package io.idempotency.samples.rough;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** The messages of a run, drawn from its seed: for each listener its orders. */
final class Plan {

    private static final List<Deed> DEEDS = List.of(Deed.values());

    private static final double HAS_DEED = 0.06;
    private static final double HAS_SECOND_DEED = 0.2;
    private static final double FAILS_ONCE = 0.006;
    private static final double FAILS_ONCE_BEHIND_DEED = 0.15;
    private static final double IS_POISON = 0.0005;
    private static final double IS_POISON_BEHIND_DEED = 0.03;

    /** The part of its stream after which a listener meets the order that kills its process. */
    private static final double DEATH = 0.6;

    private final Map<Step, List<Order>> orders = new LinkedHashMap<>();

    Plan(int messages, long seed, boolean isDying) {
        Random random = new Random(seed);
        int number = 0;
        int done = 0;
        for (Step step : Step.all()) {
            int each = (messages - number) / (Step.all().size() - done++);
            List<Order> of = new ArrayList<>();
            for (int i = 0; i < each; i++) {
                boolean isDeath = isDying && i == (int) (each * DEATH);
                of.add(
                        isDeath
                                ? new Order(number, List.of(Deed.DIES), End.RETURNS)
                                : draw(random, number, isEarly(step, i, each)));
                number++;
            }
            orders.put(step, List.copyOf(of));
        }
    }

    /** Returns whether a handler may commit early at this point. If messages share transactions, none does in the first half, because after the first early commit each message has its own transaction. */
    private static boolean isEarly(Step step, int place, int of) {
        return !step.isTogether() || place > of / 2;
    }

    private static Order draw(Random random, int number, boolean isCommitting) {
        List<Deed> deeds = new ArrayList<>();
        if (random.nextDouble() < HAS_DEED) {
            deeds.add(deed(random, isCommitting));
            if (random.nextDouble() < HAS_SECOND_DEED) {
                deeds.add(deed(random, isCommitting));
            }
        }
        double end = random.nextDouble();
        double poison = deeds.isEmpty() ? IS_POISON : IS_POISON_BEHIND_DEED;
        double once = deeds.isEmpty() ? FAILS_ONCE : FAILS_ONCE_BEHIND_DEED;
        if (end < poison) {
            return new Order(number, deeds, random.nextBoolean() ? End.FAILS : End.FAILS_NAMELESS);
        }
        return new Order(number, deeds, end < poison + once ? End.FAILS_ONCE : End.RETURNS);
    }

    private static Deed deed(Random random, boolean isCommitting) {
        Deed deed = DEEDS.get(random.nextInt(DEEDS.size()));
        deed = deed == Deed.DIES ? Deed.COMMITS : deed;
        return deed == Deed.COMMITS && !isCommitting ? Deed.NESTS : deed;
    }

    List<Order> orders(Step step) {
        return orders.getOrDefault(step, List.of());
    }

    int size() {
        return orders.values().stream().mapToInt(List::size).sum();
    }

    long count(Deed deed) {
        return orders.values().stream()
                .flatMap(List::stream)
                .filter(order -> order.deeds().contains(deed))
                .count();
    }
}
