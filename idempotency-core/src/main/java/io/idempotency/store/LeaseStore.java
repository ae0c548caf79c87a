package io.idempotency.store;

import java.time.Duration;
import java.util.List;

/**
 * A claim store that also leases messages, for handlers without a transaction. Thread-safe.
 *
 * <p>Every method runs in a short transaction of its own and refuses to run while one is active on the thread. A lease that
 * ended may be taken by anybody; its late owner can then neither renew, complete nor release it.
 *
 * <pre>
 *            lease                     complete
 *   (new) ──────────▶ LEASED ─────────────────────────▶ PROCESSED
 *                     │  ▲  ▲
 *             release │  │  └── lease, when the end has passed
 *                     ▼  │ lease
 *                   RELEASED
 * </pre>
 */
public interface LeaseStore extends ClaimStore {

    /**
     * Leases the deliveries for this length, counted from the moment of granting.
     *
     * <p>The answers are in the order asked, one for each. Per partition (stream and partition of the position) only the deliveries
     * before the first one in progress are granted; that one and all behind it are {@link Claim.Status#IN_PROGRESS}, unless
     * they are settled. The second copy of a message in the list is in progress, too. A delivery whose former lease ended
     * without release is granted only as the first one of its partition, and then alone.
     */
    List<Claim> lease(List<Delivery> deliveries, Duration length);

    /**
     * Renews the leases: each ends this length from now. Returns the renewed claims, in order; the old ones are no longer valid.
     *
     * @throws ClaimLostException naming those that another attempt has taken; nothing was renewed
     */
    List<Claim> renew(List<Claim> leased, Duration length);

    /**
     * Makes the leased messages processed. Completing a lease twice has no further effect.
     *
     * @throws ClaimLostException naming those that another attempt has taken; the others are completed
     */
    void complete(List<Claim> leased);

    /**
     * Gives the leases back, so that anybody can lease the messages at once. Records the started handlers that the claims carry.
     *
     * @throws ClaimLostException naming those that another attempt has taken; the others are released
     */
    void release(List<Claim> leased);
}
