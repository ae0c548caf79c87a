package io.idempotency;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Who may import what. */
@AnalyzeClasses(packages = "io.idempotency", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {

    private static final String JDK = "java.(lang|util|time|io|nio|security|math)..";
    private static final String ANNOTATIONS = "org.jspecify..";

    @ArchTest
    static final ArchRule theStoreNeedsOnlyTheJdk = only("io.idempotency.store", "io.idempotency.store");

    @ArchTest
    static final ArchRule theMemoryStoreNeedsOnlyTheContractsOfStores =
            only("io.idempotency.memory", "io.idempotency.memory", "io.idempotency.store", "io.idempotency.replay");

    @ArchTest
    static final ArchRule theFlowNeedsOnlyStoresAndALog = only(
            "io.idempotency",
            "io.idempotency",
            "io.idempotency.store",
            "io.idempotency.replay",
            "io.idempotency.memory",
            "org.slf4j..");

    @ArchTest
    static final ArchRule theCacheNeedsOnlyTheFlowAndCaffeine = only(
            "io.idempotency.cache",
            "io.idempotency.cache",
            "io.idempotency",
            "io.idempotency.store",
            "com.github.benmanes.caffeine..");

    @ArchTest
    static final ArchRule theMetersNeedOnlyTheFlowAndMicrometer = only(
            "io.idempotency.micrometer",
            "io.idempotency.micrometer",
            "io.idempotency",
            "io.idempotency.store",
            "io.idempotency.replay",
            "io.idempotency.outbox",
            "io.micrometer.core..",
            "org.slf4j..");

    @ArchTest
    static final ArchRule onlyTheKafkaPackageKnowsKafka = only(
            "io.idempotency.kafka",
            "io.idempotency.kafka",
            "io.idempotency",
            "io.idempotency.store",
            "io.idempotency.replay",
            "io.idempotency.ranges",
            "org.apache.kafka..",
            "com.fasterxml.uuid..",
            "org.slf4j..");

    @ArchTest
    static final ArchRule theOutboxStandsOnTheKafkaPackage = only(
            "io.idempotency.outbox",
            "io.idempotency.outbox",
            "io.idempotency",
            "io.idempotency.store",
            "io.idempotency.kafka",
            "org.apache.kafka..",
            "com.fasterxml.uuid..",
            "org.slf4j..");

    @ArchTest
    static final ArchRule rangesNeedOnlyTheContractsOfStores =
            only("io.idempotency.ranges", "io.idempotency.ranges", "io.idempotency.store");

    @ArchTest
    static final ArchRule resultsNeedOnlyTheFlow = only(
            "io.idempotency.results", "io.idempotency.results", "io.idempotency", "io.idempotency.store", "org.slf4j");

    @ArchTest
    static final ArchRule thereAreNoCycles =
            slices().matching("io.(idempotency..)").should().beFreeOfCycles();

    private static ArchRule only(String of, String... packages) {
        String[] allowed = new String[packages.length + 2];
        System.arraycopy(packages, 0, allowed, 0, packages.length);
        allowed[packages.length] = JDK;
        allowed[packages.length + 1] = ANNOTATIONS;
        return classes()
                .that()
                .resideInAPackage(of)
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(allowed)
                .allowEmptyShould(true);
    }
}
