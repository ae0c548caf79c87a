package io.idempotency.jdbc;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.idempotency.cache.CaffeineCache;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Optional dependencies that are missed are named. */
class OptionalPartsTest {

    /** Loads the library anew, without the classes whose names begin so. */
    private static final class Without extends URLClassLoader {

        private final String hidden;

        Without(String hidden) {
            super(
                    new URL[] {location(Schema.class), location(CaffeineCache.class)},
                    OptionalPartsTest.class.getClassLoader());
            this.hidden = hidden;
        }

        private static URL location(Class<?> type) {
            return type.getProtectionDomain().getCodeSource().getLocation();
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (name.startsWith(hidden)) {
                throw new ClassNotFoundException(name);
            }
            if (!name.startsWith("io.idempotency")) {
                return super.loadClass(name, resolve);
            }
            Class<?> loaded = findLoadedClass(name);
            return loaded == null ? findClass(name) : loaded;
        }
    }

    private static @Nullable Object call(Method method, Object target) throws Throwable {
        try {
            return method.invoke(target);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    @Test
    void namesFlyway() throws Exception {
        try (Without classes = new Without("org.flywaydb");
                var pool = TestDatabase.H2.pool(1)) {
            Class<?> type = classes.loadClass(Schema.class.getName());
            Object schema = type.getMethod("on", DataSource.class).invoke(null, pool);

            assertThatThrownBy(() -> call(type.getMethod("migrate"), schema))
                    .hasMessageContaining("org.flywaydb:flyway-core")
                    .hasMessageContaining("Schema.script()");
        }
    }

    @Test
    void namesCaffeine() throws Exception {
        try (Without classes = new Without("com.github.benmanes")) {
            Class<?> type = classes.loadClass(CaffeineCache.class.getName());

            MethodHandle create = MethodHandles.publicLookup().findStatic(type, "create", MethodType.methodType(type));

            assertThatThrownBy(create::invoke).hasMessageContaining("com.github.ben-manes.caffeine:caffeine");
        }
    }
}
