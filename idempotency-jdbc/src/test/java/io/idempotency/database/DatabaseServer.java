package io.idempotency.database;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Servers of databases, each started when a test first needs it: a process of its own, on a port that only this machine reaches, in a folder of its own. It
 * ends with this process, however that ends, and leaves nothing.
 */
public enum DatabaseServer {
    DERBY {
        @Override
        Database start() {
            return JavaServer.DERBY.start();
        }
    },
    H2 {
        @Override
        Database start() {
            return JavaServer.H2.start();
        }
    },
    HSQLDB {
        @Override
        Database start() {
            return JavaServer.HSQLDB.start();
        }
    },
    /** Where Debian's package is installed. */
    FIREBIRD {
        @Override
        Database start() {
            return Firebird.start();
        }
    },
    /** The one that a user names, which runs already. */
    NAMED {
        @Override
        Database start() {
            return Database.named();
        }
    };

    private static final Map<DatabaseServer, Database> RUNNING = new ConcurrentHashMap<>();

    abstract Database start();

    /** Returns where it is; starts it if it is not running. */
    public Database database() {
        return RUNNING.computeIfAbsent(this, DatabaseServer::start);
    }

    /** Returns whether Debian's package {@code firebird3.0-server} is installed. */
    public static boolean isFirebirdInstalled() {
        return Firebird.folder().isPresent();
    }
}
