package io.idempotency.testkit.faults;

import io.idempotency.store.ClaimStore;
import io.idempotency.store.LeaseStore;
import io.idempotency.store.Transactions;
import io.idempotency.store.TransientStoreException;

/** A store whose transactions break where a scenario wants it: for stores whose data source is not wrapped. It has leases if the wrapped store has them. */
final class FaultyStore {

    private FaultyStore() {}

    static ClaimStore of(ClaimStore store, Probe probe) {
        Class<? extends ClaimStore> type = store instanceof LeaseStore ? LeaseStore.class : ClaimStore.class;
        Transactions transactions = new FaultyTransactions(store.transactions(), probe);
        return FaultyConnection.proxy(
                type,
                (proxy, method, arguments) -> method.getName().equals("transactions")
                        ? transactions
                        : FaultyConnection.call(store, method, arguments));
    }

    private record FaultyTransactions(Transactions delegate, Probe probe) implements Transactions {

        @Override
        public void inTransaction(Runnable work) {
            if (delegate.isActive()) {
                delegate.inTransaction(work);
                return;
            }
            Probe.AtCommit[] at = {Probe.AtCommit.COMMITS};
            delegate.inTransaction(() -> {
                work.run();
                at[0] = probe.commit();
                if (at[0] == Probe.AtCommit.DIES) {
                    throw probe.death();
                }
                if (at[0] == Probe.AtCommit.BREAKS_BEFORE) {
                    throw new TransientStoreException("The fault kit broke the connection before the commit");
                }
            });
            if (at[0] == Probe.AtCommit.BREAKS_AFTER) {
                throw new TransientStoreException("The fault kit broke the connection after the commit");
            }
        }

        @Override
        public boolean isActive() {
            return delegate.isActive();
        }

        @Override
        public void afterCommit(Runnable action) {
            delegate.afterCommit(action);
        }

        @Override
        public void ifCommittedEarly(Runnable action) {
            delegate.ifCommittedEarly(action);
        }

        @Override
        public boolean isTransient(Throwable failure) {
            return delegate.isTransient(failure);
        }
    }
}
