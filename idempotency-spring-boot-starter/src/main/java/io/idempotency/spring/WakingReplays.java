package io.idempotency.spring;

import io.idempotency.replay.ReplayStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Set;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/** A store of replays that lets the listeners of this application look at once for a replay that is asked for here, or resumed. */
final class WakingReplays {

    private static final Set<String> NEWS = Set.of("request", "resume");

    private WakingReplays() {}

    static ReplayStore of(ReplayStore store, ObjectProvider<ListenerReplays> listeners) {
        return (ReplayStore) Proxy.newProxyInstance(
                ReplayStore.class.getClassLoader(), new Class<?>[] {ReplayStore.class}, (proxy, method, arguments) -> {
                    try {
                        Object result = method.invoke(store, arguments);
                        if (NEWS.contains(method.getName())) {
                            afterCommit(() -> listeners.ifAvailable(ListenerReplays::wake));
                        }
                        return result;
                    } catch (InvocationTargetException e) {
                        throw e.getTargetException();
                    }
                });
    }

    private static void afterCommit(Runnable wake) {
        if (!TransactionSynchronizationManager.isSynchronizationActive()) {
            wake.run();
            return;
        }
        TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
            @Override
            public void afterCommit() {
                wake.run();
            }
        });
    }
}
