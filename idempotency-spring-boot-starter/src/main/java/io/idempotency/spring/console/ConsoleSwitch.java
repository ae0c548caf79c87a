package io.idempotency.spring.console;

import io.idempotency.spring.Idempotent;
import java.util.Arrays;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.actuate.autoconfigure.web.server.ManagementPortType;
import org.springframework.boot.actuate.endpoint.web.PathMappedEndpoints;
import org.springframework.core.env.Environment;
import org.springframework.security.web.SecurityFilterChain;
import org.springframework.util.ClassUtils;

/**
 * Says whether the console is on. Without Spring Security it stays off, because then nobody decides who may see it. The log says why it is off, and what to
 * do. It works without the classes that the console needs: its methods have none in their signatures. Thread-safe.
 */
final class ConsoleSwitch implements SmartInitializingSingleton {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);

    private final ConfigurableListableBeanFactory beans;
    private final Environment environment;

    ConsoleSwitch(ConfigurableListableBeanFactory beans, Environment environment) {
        this.beans = beans;
        this.environment = environment;
    }

    boolean isOn() {
        return whyOff().isEmpty();
    }

    @Override
    public void afterSingletonsInstantiated() {
        whyOff().ifPresentOrElse(why -> log.warn("The console is off. {}", why), this::requireEndpoint);
    }

    private void requireEndpoint() {
        if (ConsoleServlet.endpoint(beans.getBean(PathMappedEndpoints.class)) == null) {
            log.warn(
                    "The console has nothing to show, because there is no endpoint idempotency here:"
                            + " add idempotency to management.endpoints.web.exposure.include; it needs the tables in a database.");
        }
    }

    private Optional<String> whyOff() {
        // As Spring Boot itself recognises a servlet application: only such a context has this scope.
        if (!Arrays.asList(beans.getRegisteredScopeNames()).contains("session")) {
            return Optional.of("It needs a web server for servlets: add spring-boot-starter-webmvc.");
        }
        if (!isPresent("org.springframework.boot.actuate.autoconfigure.web.server.ManagementPortType")) {
            return Optional.of("It is a page on an endpoint of Actuator: add spring-boot-starter-actuator.");
        }
        if (isPortDisabled()) {
            return Optional.of(
                    "It is served on the management port: give management.server.port another value than -1.");
        }
        if (!isPresent("org.springframework.security.web.SecurityFilterChain") || !hasSecurity()) {
            return Optional.of("Spring Security has to decide who may see it: add spring-boot-starter-security.");
        }
        return Optional.empty();
    }

    private static boolean isPresent(String name) {
        return ClassUtils.isPresent(name, ConsoleSwitch.class.getClassLoader());
    }

    private boolean isPortDisabled() {
        return ManagementPortType.get(environment) == ManagementPortType.DISABLED;
    }

    private boolean hasSecurity() {
        return beans.getBeanNamesForType(SecurityFilterChain.class, true, false).length > 0;
    }
}
