package io.idempotency.spring;

import jakarta.persistence.EntityManager;
import org.springframework.orm.jpa.EntityManagerHolder;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.util.ClassUtils;

/**
 * The persistence contexts of the transaction that the records of a poll share. Each record finds them empty, as in a transaction of its own:
 * entities that an earlier record loaded would hide what statements of others have changed since, and what it has not written yet would come
 * after them.
 */
final class PersistenceContexts {

    private static final boolean IS_JPA = isPresent("org.springframework.orm.jpa.EntityManagerHolder")
            && isPresent("jakarta.persistence.EntityManager");

    private PersistenceContexts() {}

    private static boolean isPresent(String type) {
        return ClassUtils.isPresent(type, PersistenceContexts.class.getClassLoader());
    }

    /** Writes what a record has changed, so that a failure of that is its own, and forgets its entities. */
    static void end() {
        if (IS_JPA) {
            Jpa.flushAndClear();
        }
    }

    private static final class Jpa {

        static void flushAndClear() {
            for (Object resource :
                    TransactionSynchronizationManager.getResourceMap().values()) {
                if (resource instanceof EntityManagerHolder holder) {
                    EntityManager entities = holder.getEntityManager();
                    if (entities.isJoinedToTransaction()) {
                        entities.flush();
                    }
                    entities.clear();
                }
            }
        }
    }
}
