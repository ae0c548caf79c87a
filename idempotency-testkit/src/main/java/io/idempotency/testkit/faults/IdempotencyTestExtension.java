package io.idempotency.testkit.faults;

import java.lang.reflect.Method;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.Extension;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContext;
import org.junit.jupiter.api.extension.TestTemplateInvocationContextProvider;
import org.junit.platform.commons.support.AnnotationSupport;
import org.opentest4j.TestAbortedException;

/** Runs an {@link IdempotencyTest} once without a fault, and then once for each fault that its code can meet. */
final class IdempotencyTestExtension implements TestTemplateInvocationContextProvider {

    private static final String SPRING = "org.springframework.test.context.junit.jupiter.SpringExtension";

    IdempotencyTestExtension() {}

    @Override
    public boolean supportsTestTemplate(ExtensionContext context) {
        return true;
    }

    /** {@inheritDoc} The faults are known after the first run, so the later ones are made lazily. */
    @Override
    public Stream<TestTemplateInvocationContext> provideTestTemplateInvocationContexts(ExtensionContext context) {
        Optional<Application> application =
                isSpring(context) ? Optional.of(SpringContext.of(context)) : Optional.empty();
        Runs runs = new Runs(application);
        return Stream.concat(
                Stream.of(Scenario.UNDISTURBED, Scenario.UNDISTURBED_AGAIN)
                        .filter(runs::isWanted)
                        .map(runs::of),
                Stream.of(runs).flatMap(Runs::disturbed));
    }

    private static boolean isSpring(ExtensionContext context) {
        Optional<Class<?>> type = context.getTestClass();
        while (type.isPresent()) {
            if (AnnotationSupport.findRepeatableAnnotations(type, ExtendWith.class).stream()
                    .flatMap(each -> Stream.of(each.value()))
                    .anyMatch(extension -> extension.getName().equals(SPRING))) {
                return true;
            }
            type = type.map(Class::getEnclosingClass);
        }
        return false;
    }

    /** The runs of one method. */
    private static final class Runs {

        private final Optional<Application> application;
        private ScenarioRun.@Nullable Undisturbed undisturbed;
        private ScenarioRun.@Nullable Undisturbed again;
        private boolean isStuck;

        Runs(Optional<Application> application) {
            this.application = application;
        }

        boolean isWanted(Scenario scenario) {
            return scenario.equals(Scenario.UNDISTURBED) || undisturbed != null;
        }

        /** Returns the runs with faults; none if one without failed. */
        Stream<TestTemplateInvocationContext> disturbed() {
            return again == null
                    ? Stream.empty()
                    : Scenario.of(again.seen()).stream().map(this::of);
        }

        TestTemplateInvocationContext of(Scenario scenario) {
            return new TestTemplateInvocationContext() {
                @Override
                public String getDisplayName(int index) {
                    return scenario.title();
                }

                @Override
                public List<Extension> getAdditionalExtensions() {
                    return List.of(new Invocation(Runs.this, scenario));
                }
            };
        }

        void run(ScenarioRun run) {
            if (isStuck) {
                throw new TestAbortedException(
                        "An earlier message of this test is not settled, and this one would wait behind it");
            }
            try {
                next(run);
            } catch (Verdict.NotSettledError e) {
                isStuck = true;
                throw e;
            }
        }

        private void next(ScenarioRun run) {
            if (undisturbed == null) {
                undisturbed = run.undisturbed();
            } else if (again == null) {
                ScenarioRun.Undisturbed second = run.undisturbed();
                second.requireAlike(undisturbed);
                again = second;
            } else {
                run.disturbed(undisturbed.effects());
            }
        }
    }

    /** One run of the method. */
    private static final class Invocation implements ParameterResolver, InvocationInterceptor {

        private final Runs runs;
        private final Scenario scenario;
        private @Nullable FaultKit kit;

        Invocation(Runs runs, Scenario scenario) {
            this.runs = runs;
            this.scenario = scenario;
        }

        @Override
        public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
            return parameter.getParameter().getType() == FaultKit.class;
        }

        @Override
        public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
            int seconds = AnnotationSupport.findAnnotation(context.getRequiredTestMethod(), IdempotencyTest.class)
                    .orElseThrow()
                    .patienceSeconds();
            kit = new FaultKit(runs.application, Duration.ofSeconds(seconds));
            return kit;
        }

        @Override
        public void interceptTestTemplateMethod(
                InvocationInterceptor.Invocation<Void> invocation,
                ReflectiveInvocationContext<Method> method,
                ExtensionContext context)
                throws Throwable {
            invocation.proceed();
            if (kit == null) {
                throw new MisuseException("An @IdempotencyTest needs a parameter of the type FaultKit");
            }
            ScenarioRun run = kit.run(scenario);
            runs.run(run);
            run.note().ifPresent(context::publishReportEntry);
        }
    }
}
