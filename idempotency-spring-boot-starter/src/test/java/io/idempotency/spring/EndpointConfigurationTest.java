package io.idempotency.spring;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import io.idempotency.spring.endpoint.IdempotencyEndpointAutoConfiguration;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

/** When there is an endpoint. What it does is tested over HTTP, in a module of its own. */
class EndpointConfigurationTest {

    private static final String ENDPOINT = "idempotencyEndpoint";

    private final ApplicationContextRunner runner =
            Runners.h2().withConfiguration(AutoConfigurations.of(IdempotencyEndpointAutoConfiguration.class));
    private final ApplicationContextRunner exposed =
            runner.withPropertyValues("management.endpoints.web.exposure.include=idempotency");

    @Test
    void thereIsOneIfItIsExposed() {
        exposed.run(context -> assertThat(context).hasBean(ENDPOINT));
        runner.run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(ENDPOINT));
    }

    @Test
    void thereIsNoneWithoutActuator() {
        exposed.withClassLoader(new FilteredClassLoader("org.springframework.boot.actuate"))
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(ENDPOINT));
    }

    @Test
    void thereIsNoneWithoutAccess() {
        exposed.withPropertyValues("management.endpoint.idempotency.access=NONE")
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(ENDPOINT));
    }

    @Test
    void thereIsNoneWithoutTablesOrSwitchedOff() {
        exposed.withPropertyValues("idempotency.store=memory")
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(ENDPOINT));
        exposed.withConfiguration(AutoConfigurations.of(SwitchedOffAutoConfiguration.class))
                .withPropertyValues("idempotency.enabled=false")
                .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(ENDPOINT));
    }

    /** So it works with Spring MVC and WebFlux alike. */
    @Test
    void itNeedsNoServletsAndNoReactor() {
        noClasses()
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(
                        "jakarta.servlet..", "org.springframework.web..", "org.springframework.security..", "reactor..")
                .check(new ClassFileImporter().importPackages("io.idempotency.spring.endpoint"));
    }
}
