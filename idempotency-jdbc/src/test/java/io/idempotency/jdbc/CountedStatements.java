package io.idempotency.jdbc;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.DelegatingDataSource;

/** A data source that notes the statements that its connections execute. */
final class CountedStatements extends DelegatingDataSource {

    private final List<String> statements = new ArrayList<>();

    CountedStatements(DataSource target) {
        super(target);
    }

    List<String> statements() {
        return statements;
    }

    void reset() {
        statements.clear();
    }

    @Override
    public Connection getConnection() throws SQLException {
        Connection target = super.getConnection();
        return proxy(Connection.class, target, (method, result, arguments) -> {
            if (result instanceof PreparedStatement statement && arguments[0] instanceof String sql) {
                return proxy(PreparedStatement.class, statement, (each, value, none) -> {
                    if (each.startsWith("execute")) {
                        statements.add(sql);
                    }
                    return value;
                });
            }
            return result;
        });
    }

    private interface After {
        Object apply(String method, Object result, Object[] arguments);
    }

    private static <T> T proxy(Class<T> type, T target, After after) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (self, method, arguments) -> {
                    try {
                        return after.apply(method.getName(), method.invoke(target, arguments), arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getTargetException();
                    }
                }));
    }
}
