package io.idempotency.spring;

import jakarta.persistence.EntityManager;
import org.springframework.orm.jpa.EntityManagerHolder;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.util.ClassUtils;

/**
 * Empties the JPA persistence contexts between records that share a transaction, as if each had a transaction of its own. Entities of an earlier
 * record would hide later changes by SQL statements, and its pending writes would come after them.
 */
final class PersistenceContexts {

    private static final boolean IS_JPA = isPresent("org.springframework.orm.jpa.EntityManagerHolder")
            && isPresent("jakarta.persistence.EntityManager");

    private PersistenceContexts() {}

    private static boolean isPresent(String type) {
        return ClassUtils.isPresent(type, PersistenceContexts.class.getClassLoader());
    }

    /** Flushes the changes of a record, so that their failure counts as its own, and detaches its entities. */
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
