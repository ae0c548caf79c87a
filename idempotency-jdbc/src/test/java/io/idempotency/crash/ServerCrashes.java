package io.idempotency.crash;

import io.idempotency.database.DatabaseServer;
import io.idempotency.database.UnlessOneIsNamed;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** The promises on the databases that have no test of their own in the build, and on the one that a user names: {@code mvn -Pcontracts}. */
class ServerCrashes {

    @Nested
    @EnabledIfSystemProperty(named = "jdbc.url", matches = ".+", disabledReason = "no -Djdbc.url names a database")
    class OnTheNamedDatabase extends On {
        OnTheNamedDatabase() {
            super(DatabaseServer.NAMED);
        }
    }

    @Nested
    @UnlessOneIsNamed
    class OnDerby extends On {
        OnDerby() {
            super(DatabaseServer.DERBY);
        }
    }

    @Nested
    @UnlessOneIsNamed
    class OnH2 extends On {
        OnH2() {
            super(DatabaseServer.H2);
        }
    }

    @Nested
    @UnlessOneIsNamed
    class OnHsqldb extends On {
        OnHsqldb() {
            super(DatabaseServer.HSQLDB);
        }
    }

    @Nested
    @UnlessOneIsNamed
    @EnabledIf(
            value = "io.idempotency.database.DatabaseServer#isFirebirdInstalled",
            disabledReason = "needs the Debian package firebird3.0-server")
    class OnFirebird extends On {
        OnFirebird() {
            super(DatabaseServer.FIREBIRD);
        }
    }

    abstract static class On extends CrashTable {
        On(DatabaseServer server) {
            super(() -> Servers.beside(server.database()));
        }
    }
}
