package io.idempotency.jdbc;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

@AnalyzeClasses(packages = "io.idempotency", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule knowsOnlyTheStoresSpringJdbcAndFlyway = classes()
            .that()
            .resideInAPackage("io.idempotency.jdbc")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    "io.idempotency.jdbc",
                    "io.idempotency.store",
                    "java..",
                    "javax.sql",
                    "org.springframework.jdbc..",
                    "org.springframework.transaction..",
                    "org.springframework.dao..",
                    "org.springframework.core..",
                    "org.flywaydb.core..",
                    "org.slf4j",
                    "org.jspecify.annotations");

    @ArchTest
    static final ArchRule isTheOnlyOneThatKnowsJdbcAndSpring = noClasses()
            .that()
            .resideOutsideOfPackages("io.idempotency.jdbc", "io.idempotency.spring..")
            .and()
            .resideInAPackage("io.idempotency..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("java.sql..", "javax.sql..", "org.springframework..");

    @ArchTest
    static final ArchRule needsFlywayInOneClassOnly = noClasses()
            .that()
            .doNotHaveSimpleName("FlywayMigration")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.flywaydb..");
}
