package io.idempotency.samples.plain;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.SQLException;
import java.util.Map;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Posts payments until it is interrupted. Arguments: {@code bootstrap-servers} and {@code jdbc-url}. */
public final class LedgerProgram {

    private LedgerProgram() {}

    public static void main(String[] args) throws SQLException {
        if (args.length != 2) {
            System.err.println("usage: LedgerProgram <bootstrap-servers> <jdbc-url>");
            System.exit(2);
        }
        try (HikariDataSource dataSource = new HikariDataSource()) {
            dataSource.setJdbcUrl(args[1]);
            new Ledger(dataSource).create();
            try (LedgerService service = new LedgerService(dataSource, kafka(args[0]), "payments")) {
                Runtime.getRuntime().addShutdownHook(new Thread(service::stop));
                service.run();
            }
        }
    }

    static Map<String, Object> kafka(String servers) {
        return Map.ofEntries(
                Map.entry("bootstrap.servers", servers),
                Map.entry("group.id", "ledger"),
                Map.entry("auto.offset.reset", "earliest"),
                Map.entry("isolation.level", "read_committed"),
                Map.entry("key.deserializer", StringDeserializer.class),
                Map.entry("value.deserializer", StringDeserializer.class));
    }
}
