package io.idempotency.store;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * A store's answer for one delivery. Only {@link Status#GRANTED} allows the handler to run.
 *
 * <p>A lease is identified by its attempt <em>and</em> its own end, as the store returned them; after
 * {@link LeaseStore#renew} the renewed claim replaces the old one.
 *
 * @param delivery the delivery asked about
 * @param status what the caller may do
 * @param attempt how many times the message was leased, this lease included; 1 for a claim without lease, 0 where nothing
 *     was granted and nothing is leased
 * @param starts how many handlers have been started for this message under leases: the ones recorded by
 *     {@link LeaseStore#release}, and one for each lease that ended without release
 * @param until the end of the lease, the granted one or the one that is in the way; {@link Instant#EPOCH} without lease
 * @param processed when and where a duplicate or quarantined message was settled first; empty if unknown
 */
public record Claim(
        Delivery delivery, Status status, int attempt, int starts, Instant until, Optional<Processed> processed) {

    /** What a claim says about its delivery. */
    public enum Status {
        /** This delivery is the caller's to process. */
        GRANTED,
        /** The message is processed already. */
        DUPLICATE,
        /** The message is in quarantine: settled, but not processed. */
        QUARANTINED,
        /** The message, or one before it in its partition, is leased to another owner: ask again later. */
        IN_PROGRESS
    }

    /** Returns a claim, bound to the caller's transaction, that grants the delivery. */
    public static Claim granted(Delivery delivery) {
        return new Claim(delivery, Status.GRANTED, 1, 0, Instant.EPOCH, Optional.empty());
    }

    /** Returns claims, bound to the caller's transaction, that grant all deliveries: a view of the list, whose claims are created when they are asked for. */
    public static List<Claim> granted(List<Delivery> deliveries) {
        return new GrantedClaims(deliveries);
    }

    /** Returns whether all of the claims grant their deliveries. */
    public static boolean areGranted(List<Claim> claims) {
        return claims instanceof GrantedClaims || claims.stream().allMatch(Claim::isGranted);
    }

    /** Returns a lease that grants the delivery until its end. */
    public static Claim leased(Delivery delivery, int attempt, int starts, Instant until) {
        return new Claim(delivery, Status.GRANTED, attempt, starts, until, Optional.empty());
    }

    /** Returns the answer for a delivery whose message is processed. */
    public static Claim duplicate(Delivery delivery, Optional<Processed> processed) {
        return new Claim(delivery, Status.DUPLICATE, 0, 0, Instant.EPOCH, processed);
    }

    /** Returns the answer for a delivery whose message is in quarantine. */
    public static Claim quarantined(Delivery delivery, Optional<Processed> processed) {
        return new Claim(delivery, Status.QUARANTINED, 0, 0, Instant.EPOCH, processed);
    }

    /** Returns the answer for a delivery that is leased to another owner until this end, or stands behind such a one. */
    public static Claim inProgress(Delivery delivery, int attempt, Instant until) {
        return new Claim(delivery, Status.IN_PROGRESS, attempt, 0, until, Optional.empty());
    }

    /** Returns whether the delivery is the caller's to process. */
    public boolean isGranted() {
        return status == Status.GRANTED;
    }

    /** Returns whether this claim is a lease, with an end. */
    public boolean isLease() {
        return isGranted() && !until.equals(Instant.EPOCH);
    }

    /** Returns this lease with one more started handler, which its release records. */
    public Claim started() {
        return new Claim(delivery, status, attempt, starts + 1, until, processed);
    }

    /** Returns this lease with another end. */
    public Claim renewed(Instant newUntil) {
        return new Claim(delivery, status, attempt, starts, newUntil, processed);
    }
}
