package io.idempotency.testkit.faults;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.test.context.ContextConfigurationAttributes;
import org.springframework.test.context.ContextCustomizer;
import org.springframework.test.context.ContextCustomizerFactory;
import org.springframework.util.ReflectionUtils;

/** Adds faults to the application contexts of classes with an {@link IdempotencyTest}. Spring finds it by {@code META-INF/spring.factories}. */
final class SpringFaultsFactory implements ContextCustomizerFactory {

    SpringFaultsFactory() {}

    @Override
    public @Nullable ContextCustomizer createContextCustomizer(
            Class<?> testClass, List<ContextConfigurationAttributes> attributes) {
        return Arrays.stream(ReflectionUtils.getAllDeclaredMethods(testClass))
                        .anyMatch(method -> AnnotatedElementUtils.hasAnnotation(method, IdempotencyTest.class))
                ? new SpringFaults()
                : null;
    }
}
