package io.idempotency.faultkit;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import java.lang.reflect.Method;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.launcher.Launcher;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs a test that may fail, and keeps the result of each of its runs, by their names. */
final class TestRun implements TestExecutionListener {

    private final Map<String, TestExecutionResult> results = new LinkedHashMap<>();

    private TestRun() {}

    static TestRun of(Class<?> type, String method) {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(selectMethod(type, named(type, method)))
                .build();
        TestRun run = new TestRun();
        Launcher launcher = LauncherFactory.create();
        launcher.execute(request, run);
        return run;
    }

    private static Method named(Class<?> type, String method) {
        for (Method each : type.getDeclaredMethods()) {
            if (each.getName().equals(method)) {
                return each;
            }
        }
        throw new IllegalArgumentException(type + " has no method " + method);
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        if (test.isTest() || result.getStatus() != TestExecutionResult.Status.SUCCESSFUL) {
            results.put(test.getDisplayName(), result);
        }
    }

    /** Returns the results of all runs. */
    Map<String, TestExecutionResult> results() {
        return results;
    }

    /** Returns the messages of the runs that failed. */
    Map<String, String> failures() {
        Map<String, String> failures = new LinkedHashMap<>();
        results.forEach((name, result) -> {
            if (result.getStatus() != TestExecutionResult.Status.SUCCESSFUL) {
                failures.put(
                        name,
                        result.getThrowable()
                                .flatMap(thrown -> Optional.ofNullable(thrown.getMessage()))
                                .orElse(result.getStatus().name()));
            }
        });
        return failures;
    }

    /** Returns the only failure. */
    String failure() {
        Map<String, String> all = failures();
        if (all.size() != 1) {
            throw new AssertionError("There is not one failure, but " + all);
        }
        return Objects.requireNonNull(all.values().iterator().next());
    }
}
