package io.idempotency.crash;

import io.idempotency.store.Claim;
import io.idempotency.store.ClaimStore;
import io.idempotency.store.Delivery;
import io.idempotency.store.LeaseStore;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.List;

/** A store that halts the process before a claim, a lease or a completion. It has leases if the wrapped store has them. */
record HaltingStore(ClaimStore store, Halt halt) implements InvocationHandler {

    static ClaimStore of(ClaimStore store, Halt halt) {
        Class<? extends ClaimStore> type = store instanceof LeaseStore ? LeaseStore.class : ClaimStore.class;
        return type.cast(Proxy.newProxyInstance(
                HaltingStore.class.getClassLoader(), new Class<?>[] {type}, new HaltingStore(store, halt)));
    }

    @Override
    @SuppressWarnings("unchecked")
    public Object invoke(Object proxy, Method method, Object[] arguments) throws Throwable {
        switch (method.getName()) {
            case "claim", "lease" -> halt.atAny(CrashPoint.BEFORE_CLAIM, (List<Delivery>) arguments[0]);
            case "complete" -> halt.atClaims(CrashPoint.BEFORE_RECORDED, (List<Claim>) arguments[0]);
            default -> {}
        }
        try {
            return method.invoke(store, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
