package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.spring.console.ConsoleAutoConfiguration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.util.ClassUtils;

/** An application without the classes of a web server. What the console does is tested in a browser, in a module of its own. */
@ExtendWith(OutputCaptureExtension.class)
class ConsoleConfigurationTest {

    @Test
    void startsWithoutServletsAndSaysWhatTheConsoleNeeds(CapturedOutput output) {
        assertThat(ClassUtils.isPresent("jakarta.servlet.Servlet", null)).isFalse();
        Runners.h2()
                .withConfiguration(AutoConfigurations.of(ConsoleAutoConfiguration.class))
                .withPropertyValues("idempotency.console.enabled=true")
                .run(context -> assertThat(context).hasNotFailed());
        assertThat(output).containsOnlyOnce("The console is off. It needs a web server for servlets");
    }
}
