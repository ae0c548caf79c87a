package io.idempotency.spring.console;

import io.idempotency.spring.Idempotent;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.autoconfigure.endpoint.web.WebEndpointProperties;
import org.springframework.boot.actuate.autoconfigure.web.ManagementContextConfiguration;
import org.springframework.boot.actuate.autoconfigure.web.ManagementContextType;
import org.springframework.boot.actuate.autoconfigure.web.server.ManagementPortType;
import org.springframework.boot.actuate.endpoint.web.PathMappedEndpoints;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.core.Ordered;
import org.springframework.core.env.Environment;
import org.springframework.security.web.SecurityFilterChain;

/** Serves the console where Actuator serves its endpoints: in the context of the application, or in that of a management port of its own. */
@ManagementContextConfiguration(value = ManagementContextType.ANY, proxyBeanMethods = false)
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
@ConditionalOnClass(SecurityFilterChain.class)
@ConditionalOnBooleanProperty(name = ConsoleAutoConfiguration.ENABLED)
class ConsoleManagementConfiguration {

    private static final Logger log = LoggerFactory.getLogger(Idempotent.class);
    private static final String NAME = "idempotency-console";

    @Bean
    ServletRegistrationBean<ConsoleServlet> idempotencyConsole(
            ConsoleSwitch console,
            WebEndpointProperties endpoints,
            ObjectProvider<PathMappedEndpoints> exposed,
            Environment environment) {
        String path = base(endpoints, environment) + "/" + NAME;
        var registration = new ServletRegistrationBean<>(new ConsoleServlet(exposed), false, path + "/*");
        registration.setName(NAME);
        registration.setEnabled(console.isOn());
        if (console.isOn()) {
            log.info(
                    "The console is at {}{}/ of the {} port.",
                    outer(environment),
                    path,
                    isOwnPort(environment) ? "management" : "application's");
        }
        return registration;
    }

    /** Also for what the endpoint answers, since the page shows it. Before Spring Security, so that its refusals have them, too. */
    @Bean
    FilterRegistrationBean<ConsoleHeaders> idempotencyConsoleHeaders(
            ConsoleSwitch console, WebEndpointProperties endpoints, Environment environment) {
        String base = base(endpoints, environment) + "/";
        String endpoint = endpoints.getPathMapping().getOrDefault(ConsoleServlet.ENDPOINT, ConsoleServlet.ENDPOINT);
        var registration = new FilterRegistrationBean<>(new ConsoleHeaders());
        registration.addUrlPatterns(base + NAME + "/*", base + endpoint + "/*");
        registration.setOrder(Ordered.HIGHEST_PRECEDENCE);
        registration.setEnabled(console.isOn());
        return registration;
    }

    /** Returns the path below which the endpoints are. A management port of its own has a dispatcher at the root. */
    private static String base(WebEndpointProperties endpoints, Environment environment) {
        String dispatcher = isOwnPort(environment) ? "" : environment.getProperty("spring.mvc.servlet.path", "");
        return (dispatcher + endpoints.getBasePath()).replaceAll("/+", "/").replaceAll("/$", "");
    }

    /** Returns what is before every path of a management port of its own. */
    private static String outer(Environment environment) {
        return isOwnPort(environment) ? environment.getProperty("management.server.base-path", "") : "";
    }

    private static boolean isOwnPort(Environment environment) {
        return ManagementPortType.get(environment) == ManagementPortType.DIFFERENT;
    }
}
