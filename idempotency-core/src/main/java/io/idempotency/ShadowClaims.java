package io.idempotency;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Processed;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * Takes watched deliveries to the store, and judges what a real run would have done with each. Confined to the thread of {@link ShadowQueue}.
 *
 * <ul>
 *   <li>Handled ones are claimed together, in a transaction of their own. If the store refuses them for good, they are halved until those that it
 *       refuses are alone. If it fails for now, it is asked again until it answers.
 *   <li>Failed ones are looked up.
 * </ul>
 */
final class ShadowClaims<M> {

    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(1);

    /** Waits before the store is asked again. */
    @FunctionalInterface
    interface Pause {

        /** Returns false if the rest is given up. */
        boolean isOver(Duration time);
    }

    private final String consumer;
    private final ClaimStore store;
    private final CommittedClaims claims;
    private final TransientStops transients;
    private final Scopes<M> scopes;
    private final Expiries expiries;
    private final ShadowReports reports;

    ShadowClaims(Flow<M> flow, Scopes<M> scopes, ShadowReports reports) {
        this.consumer = flow.settings().name();
        this.store = flow.settings().storage().store();
        this.claims = new CommittedClaims(flow.settings().storage());
        this.transients = flow.transients();
        this.scopes = scopes;
        this.expiries = flow.expiries();
        this.reports = reports;
    }

    void leave(Lane lane) {
        store.leave(consumer, lane.stream(), lane.partition());
    }

    /** Observes deliveries in order. */
    void observe(List<Watched> some, Pause pause) {
        int end;
        for (int begin = 0; begin < some.size(); begin = end) {
            end = begin + 1;
            while (end < some.size() && isTogether(some.get(begin), some.get(end))) {
                end++;
            }
            List<Watched> group = some.subList(begin, end);
            Watched first = group.get(0);
            if (first.refusal().isPresent()) {
                group.forEach(
                        watched -> reports.refused(watched, watched.refusal().orElseThrow()));
            } else {
                scopes.within(
                        first::scope,
                        first.delivery(),
                        () -> ask(group, pause),
                        failure -> group.forEach(watched -> reports.refused(watched, failure)));
            }
        }
    }

    private static boolean isTogether(Watched one, Watched other) {
        return one.kind() == other.kind()
                && one.refusal().isPresent() == other.refusal().isPresent()
                && Objects.equals(one.scope(), other.scope());
    }

    /** Asks the store until it answers or refuses. */
    private void ask(List<Watched> group, Pause pause) {
        Optional<RuntimeException> refusal = Optional.empty();
        int failures = 0;
        while (true) {
            try {
                answered(group);
                return;
            } catch (RuntimeException e) {
                if (!transients.isTransient(e)) {
                    refusal = Optional.of(e);
                    break;
                }
                reports.storeFailed(group.get(0).delivery(), e);
                failures++;
            }
            if (!pause.isOver(BackOff.doubling(FIRST_PAUSE, LONGEST_PAUSE, failures))) {
                return;
            }
        }
        if (group.size() == 1) {
            reports.refused(group.get(0), refusal.orElseThrow());
        } else {
            ask(group.subList(0, group.size() / 2), pause);
            ask(group.subList(group.size() / 2, group.size()), pause);
        }
    }

    private void answered(List<Watched> group) {
        if (group.stream().anyMatch(watched -> watched.expiry() != null)) {
            expiries.ask();
        }
        if (group.get(0).kind() == Watched.Kind.FAILED) {
            lookUp(group);
            return;
        }
        List<Claim> answers = claims.of(group.stream().map(Watched::delivery).toList());
        for (int i = 0; i < answers.size(); i++) {
            report(group.get(i), answers.get(i));
        }
    }

    private void lookUp(List<Watched> group) {
        List<Optional<Processed>> known = new ArrayList<>();
        group.forEach(watched -> known.add(store.find(watched.delivery().id())));
        for (int i = 0; i < known.size(); i++) {
            Watched watched = group.get(i);
            if (known.get(i).isPresent()) {
                reports.wouldSkip(watched, known.get(i));
            } else if (isExpired(watched)) {
                reports.observed(watched, Outcome.WOULD_EXPIRE);
            }
        }
    }

    private void report(Watched watched, Claim claim) {
        switch (claim.status()) {
            case GRANTED -> reports.observed(watched, isExpired(watched) ? Outcome.WOULD_EXPIRE : Outcome.PROCESSED);
            case DUPLICATE, QUARANTINED -> reports.wouldSkip(watched, claim.processed());
            case IN_PROGRESS -> reports.dropped(watched.delivery());
        }
    }

    private boolean isExpired(Watched watched) {
        return watched.expiry() != null && expiries.isExpired(watched.expiry(), watched.beganNanos());
    }
}
