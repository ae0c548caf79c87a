package io.idempotency.faultkit;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import io.idempotency.testkit.faults.FaultKit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.TestExecutionResult.Status;
import org.junit.platform.engine.discovery.MethodSelector;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** Runs a test that may fail, as JUnit runs it for a user, and keeps the result of each of its runs. */
final class TestRun implements TestExecutionListener {

    private final Map<String, TestExecutionResult> results = new LinkedHashMap<>();
    private final List<String> notes = new ArrayList<>();

    private TestRun() {}

    /** Runs a method, with or without a kit. */
    static TestRun of(Class<?> type, String method) {
        boolean hasKit = Stream.<Class<?>>iterate(type, each -> each != Object.class, Class::getSuperclass)
                .flatMap(each -> Stream.of(each.getDeclaredMethods()))
                .anyMatch(each -> each.getName().equals(method) && each.getParameterCount() == 1);
        MethodSelector selector =
                hasKit ? selectMethod(type, method, FaultKit.class.getName()) : selectMethod(type, method);
        TestRun run = new TestRun();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selector)
                                .build(),
                        run);
        return run;
    }

    @Override
    public void executionFinished(TestIdentifier test, TestExecutionResult result) {
        if (test.isTest() || result.getStatus() != Status.SUCCESSFUL) {
            results.put(test.getDisplayName(), result);
        }
    }

    @Override
    public void reportingEntryPublished(TestIdentifier test, ReportEntry entry) {
        notes.addAll(entry.getKeyValuePairs().values());
    }

    /** Returns the names of all runs. */
    List<String> names() {
        return List.copyOf(results.keySet());
    }

    /** Returns what runs told beside their results. */
    List<String> notes() {
        return notes;
    }

    /** Returns the messages of the runs that did not succeed, by their names. */
    Map<String, String> failures() {
        Map<String, String> failures = new LinkedHashMap<>();
        results.forEach((name, result) -> {
            if (result.getStatus() != Status.SUCCESSFUL) {
                failures.put(
                        name, result.getThrowable().map(Throwable::getMessage).orElse("nothing said"));
            }
        });
        return failures;
    }

    /** Returns the message of the only run that did not succeed. */
    String failure() {
        if (failures().size() != 1) {
            throw new AssertionError("There is not one failure, but " + failures());
        }
        return failures().values().iterator().next();
    }

    /** Runs a method of a class in a process of its own, and prints the names of its runs, and what failed. */
    public static void main(String[] arguments) throws ClassNotFoundException {
        TestRun run = of(Class.forName(arguments[0]), arguments[1]);
        run.names().forEach(System.out::println);
        System.out.println(run.failures());
        System.exit(0);
    }
}
