package io.idempotency.cli;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import java.util.ServiceLoader;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.AbstractDataSource;

/** Opens connections as the options say. */
final class Access {

    private static final Pattern PASSWORD =
            Pattern.compile("(?i)[?&;](password|pwd)=|^jdbc:oracle:[^:]*:[^/@]+/[^@]+@");

    private final Options options;
    private final Environment environment;

    Access(Options options, Environment environment) {
        this.options = options;
        this.environment = environment;
    }

    /**
     * Returns a data source with a new connection for each call. Asks for the password if it is needed.
     *
     * @throws UsageException if there is no URL or no driver for it, or if the URL has a password
     */
    DataSource dataSource() {
        String url = options.url()
                .or(() -> environment.variable("IDEMPOTENCY_URL"))
                .orElseThrow(() -> new UsageException("Say where the database is: --url or IDEMPOTENCY_URL"));
        if (PASSWORD.matcher(url).find()) {
            throw new UsageException("The URL has a password, which others can see. Give it as IDEMPOTENCY_PASSWORD");
        }
        Driver driver = driver(url);
        DriverManager.setLoginTimeout((int) Math.max(1, options.timeout().toSeconds()));
        Optional<String> user = options.user().or(() -> environment.variable("IDEMPOTENCY_USER"));
        Optional<String> password = password(url, user);
        return new AbstractDataSource() {
            @Override
            public Connection getConnection() throws SQLException {
                return connect(driver, url, user, password);
            }

            @Override
            public Connection getConnection(String name, String secret) throws SQLException {
                return connect(driver, url, Optional.of(name), Optional.of(secret));
            }
        };
    }

    private Connection connect(Driver driver, String url, Optional<String> user, Optional<String> password)
            throws SQLException {
        Properties properties = new Properties();
        user.ifPresent(name -> properties.setProperty("user", name));
        password.ifPresent(secret -> properties.setProperty("password", secret));
        Connection connection = driver.connect(url, properties);
        if (connection == null) {
            throw new SQLException("The driver does not accept " + url);
        }
        connection.setNetworkTimeout(Runnable::run, (int)
                Math.min(Integer.MAX_VALUE, options.timeout().toMillis()));
        return connection;
    }

    private Optional<String> password(String url, Optional<String> user) {
        Optional<String> given = environment.variable("IDEMPOTENCY_PASSWORD");
        if (given.isEmpty() && url.startsWith("jdbc:postgresql:")) {
            given = environment.variable("PGPASSWORD");
        }
        return given.isPresent() || user.isEmpty()
                ? given
                : environment.terminal().askSecretly("Password of " + Failures.oneLine(user.get()) + ": ");
    }

    private Driver driver(String url) {
        List<String> seen = new ArrayList<>();
        for (Driver driver : ServiceLoader.load(Driver.class, loader())) {
            if (accepts(driver, url)) {
                return driver;
            }
            seen.add(driver.getClass().getName());
        }
        throw new UsageException(
                "No driver accepts this URL: give the jar of one by --driver. There are " + String.join(", ", seen));
    }

    private static boolean accepts(Driver driver, String url) {
        try {
            return driver.acceptsURL(url);
        } catch (SQLException e) {
            return false;
        }
    }

    /** The classes of the jars stay loaded until the process ends. */
    private ClassLoader loader() {
        ClassLoader own = Access.class.getClassLoader();
        return options.drivers().isEmpty()
                ? own
                : new URLClassLoader(
                        options.drivers().stream().map(Access::location).toArray(URL[]::new), own);
    }

    private static URL location(File jar) {
        if (!jar.isFile()) {
            throw new UsageException("There is no file " + jar);
        }
        try {
            return jar.toURI().toURL();
        } catch (MalformedURLException e) {
            throw new UsageException(jar + " is no file: " + e.getMessage());
        }
    }
}
