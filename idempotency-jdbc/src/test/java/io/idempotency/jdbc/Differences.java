package io.idempotency.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** The contracts that are not kept on a database, each with the reason. None of them lets a message be processed twice or lost. */
final class Differences {

    private static final String RUN_AGAIN =
            "the plain path calls it transient: it has to be run again to see the duplicate";
    private static final String NO_TIMEOUT = "HSQLDB has no lock timeout, and its query timeout does not end a wait";

    private static final Map<String, Map<String, String>> BY_PRODUCT = Map.of(
            "Apache Derby",
            Map.of("isNotHeldUpByARunningTransaction", "in Derby, readers wait for writers: such a purge is transient"),
            "HSQL Database Engine",
            Map.of(
                    "makesALeaseWaitForARunningClaimAndThenCallsItADuplicate",
                    RUN_AGAIN,
                    "endsAClaimThatWaitsTooLongAsTransient",
                    NO_TIMEOUT,
                    "doesNotCommitAfterATransientFailureEvenIfTheWorkSwallowsIt",
                    NO_TIMEOUT),
            "Firebird",
            Map.of("makesALeaseWaitForARunningClaimAndThenCallsItADuplicate", RUN_AGAIN));

    private Differences() {}

    /** Returns why a contract is not kept on the database, or null if it is. */
    static @Nullable String reason(DataSource dataSource, String contract) throws SQLException {
        try (Connection connection = dataSource.getConnection()) {
            String product = connection.getMetaData().getDatabaseProductName();
            for (Map.Entry<String, Map<String, String>> each : BY_PRODUCT.entrySet()) {
                if (product.startsWith(each.getKey())) {
                    return each.getValue().get(contract);
                }
            }
            return null;
        }
    }
}
