package io.idempotency.database;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DriverManagerDataSource;

/**
 * Where a database is, and who may enter. Other processes are told by their environment, which nobody but their user can read, unlike a command line.
 *
 * @param user empty if the URL says all
 */
public record Database(String url, String user, String password) {

    /** Returns the one whose URL says all. */
    public static Database at(String url) {
        return new Database(url, "", "");
    }

    /** Returns the one that {@code -Djdbc.url}, {@code jdbc.user} and {@code jdbc.password} name, or the environment by {@code JDBC_URL} and so on. */
    public static Database named() {
        return new Database(
                setting("jdbc.url").orElseThrow(),
                setting("jdbc.user").orElse(""),
                setting("jdbc.password").orElse(""));
    }

    private static Optional<String> setting(String name) {
        String inEnvironment = System.getenv(variable(name));
        return Optional.ofNullable(System.getProperty(name, inEnvironment)).filter(value -> !value.isEmpty());
    }

    private static String variable(String property) {
        return property.toUpperCase(Locale.ROOT).replace('.', '_');
    }

    /** Returns the arguments by which another process finds the database, by {@link #named}. */
    public Map<String, String> environment() {
        return Map.of(variable("jdbc.url"), url, variable("jdbc.user"), user, variable("jdbc.password"), password);
    }

    /** Returns connections that are opened when they are asked for. */
    public DataSource dataSource() {
        DriverManagerDataSource dataSource = new DriverManagerDataSource(url);
        if (!user.isEmpty()) {
            dataSource.setUsername(user);
            dataSource.setPassword(password);
        }
        return dataSource;
    }

    /** Returns a new pool with up to so many connections. */
    public HikariDataSource pool(int connections) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        if (!user.isEmpty()) {
            config.setUsername(user);
            config.setPassword(password);
        }
        config.setMaximumPoolSize(connections);
        config.setMinimumIdle(0);
        return new HikariDataSource(config);
    }

    /** Without the password. */
    @Override
    public String toString() {
        return url;
    }
}
