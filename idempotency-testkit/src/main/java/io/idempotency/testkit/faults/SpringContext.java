package io.idempotency.testkit.faults;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.context.ApplicationContext;
import org.springframework.test.context.junit.jupiter.SpringExtension;
import org.springframework.test.context.transaction.TestTransaction;

/** The application context of a test. */
final class SpringContext implements Application {

    private static final String REFUSAL = "io.idempotency.spring.ListenerRefusedException";
    /** Why contexts of test classes did not start. Spring tries it once, and tells later tests only that it failed. */
    private static final Map<Class<?>, String> REFUSED = new ConcurrentHashMap<>();

    private final ApplicationContext context;

    private SpringContext(ApplicationContext context) {
        this.context = context;
    }

    /**
     * Returns the context of a test, and starts it if it is not there.
     *
     * @throws MisuseException if the library refuses a listener at the start
     */
    static SpringContext of(ExtensionContext test) {
        String known = REFUSED.get(test.getRequiredTestClass());
        if (known != null) {
            throw new MisuseException(known);
        }
        try {
            return new SpringContext(SpringExtension.getApplicationContext(test));
        } catch (IllegalStateException e) {
            for (Throwable cause = e; cause != null; cause = cause.getCause()) {
                if (cause.getClass().getName().equals(REFUSAL)) {
                    String refused =
                            "The application does not start, so no message can be lost or doubled: the library refuses a"
                                    + " listener. " + cause.getMessage();
                    REFUSED.put(test.getRequiredTestClass(), refused);
                    throw new MisuseException(refused, e);
                }
            }
            throw e;
        }
    }

    @Override
    public Probe probe() {
        return SpringFaults.of(context).probe();
    }

    @Override
    public DataSource dataSource() {
        try {
            return context.getBean(DataSource.class);
        } catch (NoSuchBeanDefinitionException e) {
            throw new MisuseException(
                    "A query of effects needs one data source, or a primary one, and the application has "
                            + context.getBeansOfType(DataSource.class).keySet()
                            + ". Use effects(dataSource, query), or a function",
                    e);
        }
    }

    @Override
    public void requireNoTransaction() {
        if (TestTransaction.isActive()) {
            throw new MisuseException(
                    "The test runs in a transaction, which listeners do not see and nobody commits. Remove @Transactional from the test");
        }
    }

    /** {@inheritDoc} Only this needs Kafka. */
    @Override
    public Subject listener(List<Sent> messages, Optional<String> listener, Duration patience) {
        return new SpringListeners(context).listener(messages, listener, patience);
    }
}
