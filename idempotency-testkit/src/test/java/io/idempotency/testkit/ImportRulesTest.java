package io.idempotency.testkit;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The testkit needs only JUnit and AssertJ. */
@AnalyzeClasses(packages = "io.idempotency.testkit", importOptions = ImportOption.DoNotIncludeTests.class)
class ImportRulesTest {

    @ArchTest
    static final ArchRule USES_ONLY_THE_STORE_VOCABULARY_JUNIT_ASSERTJ_AND_THE_JDK = classes()
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    "io.idempotency.testkit",
                    "io.idempotency.store",
                    "io.idempotency.memory",
                    "io.idempotency.replay",
                    "org.junit.jupiter.api..",
                    "org.assertj.core..",
                    "org.jspecify.annotations",
                    "java..");

    @ArchTest
    static final ArchRule DOES_NOT_TOUCH_SQL =
            noClasses().should().dependOnClassesThat().resideInAnyPackage("java.sql..", "javax.sql..");
}
