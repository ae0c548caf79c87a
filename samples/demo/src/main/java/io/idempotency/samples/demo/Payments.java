package io.idempotency.samples.demo;

import java.util.Random;
import java.util.UUID;

/**
 * Makes payments from a seed. Every partition is a branch of the bank and holds the payments of its own accounts; one payment in
 * {@value #CROSSING} goes to an account of another branch. Then the consumers of the two branches lock accounts in opposite orders, and
 * deadlock. Not thread-safe.
 */
final class Payments {

    static final int BRANCHES = 6;
    static final int ACCOUNTS_PER_BRANCH = 50;
    static final int ACCOUNTS = BRANCHES * ACCOUNTS_PER_BRANCH;

    /** An account that does not exist: a payment to it always fails. */
    static final int UNKNOWN_ACCOUNT = ACCOUNTS;

    private static final int CROSSING = 300;

    private final Random random;

    Payments(long seed) {
        random = new Random(seed);
    }

    /** Returns the next payment. */
    Payment next() {
        int branch = random.nextInt(BRANCHES);
        int from = account(branch);
        int other = random.nextInt(CROSSING) == 0 ? (branch + 1 + random.nextInt(BRANCHES - 1)) % BRANCHES : branch;
        int to = account(other);
        return new Payment(id(), from, to == from ? neighbour(to) : to, 1 + random.nextInt(10_000));
    }

    /** Returns a payment to an account that does not exist. */
    Payment poisonous() {
        return new Payment(id(), account(0), UNKNOWN_ACCOUNT, 1);
    }

    /** Returns the partition of a payment, which is the branch of the payer. */
    static int partition(Payment payment) {
        return payment.from() / ACCOUNTS_PER_BRANCH;
    }

    private int account(int branch) {
        return branch * ACCOUNTS_PER_BRANCH + random.nextInt(ACCOUNTS_PER_BRANCH);
    }

    private static int neighbour(int account) {
        return account % ACCOUNTS_PER_BRANCH == 0 ? account + 1 : account - 1;
    }

    /** Returns a random UUID of version 4, from the seed. */
    private UUID id() {
        long high = (random.nextLong() & ~0xF000L) | 0x4000L;
        long low = (random.nextLong() & ~(0b11L << 62)) | (0b10L << 62);
        return new UUID(high, low);
    }
}
