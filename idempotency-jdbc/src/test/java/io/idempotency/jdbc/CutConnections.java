package io.idempotency.jdbc;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DelegatingDataSource;

/** A data source whose connections can break while the answer to a COMMIT is in flight; the exception then tells no reason. */
final class CutConnections extends DelegatingDataSource {

    private final AtomicBoolean cut = new AtomicBoolean();

    CutConnections(DataSource target) {
        super(target);
    }

    /** Lets the next commit come through without its answer. */
    void cutAtCommit() {
        cut.set(true);
    }

    @Override
    public Connection getConnection() throws SQLException {
        Connection target = super.getConnection();
        AtomicBoolean lost = new AtomicBoolean();
        return (Connection) Proxy.newProxyInstance(
                Connection.class.getClassLoader(), new Class<?>[] {Connection.class}, (self, method, arguments) -> {
                    if (lost.get() && method.getName().equals("isClosed")) {
                        return true;
                    }
                    if (lost.get() && method.getName().equals("rollback")) {
                        throw new SQLException("Gone");
                    }
                    try {
                        Object result = method.invoke(target, arguments);
                        if (method.getName().equals("commit") && cut.getAndSet(false)) {
                            lost.set(true);
                            throw new SQLException("An I/O error occurred while sending to the backend", "08006");
                        }
                        return result;
                    } catch (InvocationTargetException e) {
                        throw e.getTargetException();
                    }
                });
    }
}
