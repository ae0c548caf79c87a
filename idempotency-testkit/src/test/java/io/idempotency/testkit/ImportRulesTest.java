package io.idempotency.testkit;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.simpleNameStartingWith;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The contracts need only JUnit and AssertJ. The fault kit needs Spring only where a test has a Spring application. */
@AnalyzeClasses(packages = "io.idempotency.testkit", importOptions = ImportOption.DoNotIncludeTests.class)
class ImportRulesTest {

    private static final String FAULTS = "io.idempotency.testkit.faults";

    /** A class of the fault kit, or one inside of it, whose name says that it is for Spring. */
    private static final DescribedPredicate<JavaClass> OF_SPRING = new DescribedPredicate<>("for Spring") {
        @Override
        public boolean test(JavaClass type) {
            return type.getPackageName().equals(FAULTS)
                    && type.getName().substring(FAULTS.length() + 1).startsWith("Spring");
        }
    };

    @ArchTest
    static final ArchRule CONTRACTS_USE_ONLY_THE_STORE_VOCABULARY_JUNIT_ASSERTJ_AND_THE_JDK = classes()
            .that()
            .resideInAPackage("io.idempotency.testkit")
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
    static final ArchRule CONTRACTS_DO_NOT_TOUCH_SQL = noClasses()
            .that()
            .resideInAPackage("io.idempotency.testkit")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("java.sql..", "javax.sql..");

    @ArchTest
    static final ArchRule FAULTS_NEED_NO_SPRING = noClasses()
            .that(resideInAPackage(FAULTS).and(not(OF_SPRING)))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.springframework..");

    @ArchTest
    static final ArchRule ONLY_COPIES_OF_RECORDS_NEED_KAFKA = noClasses()
            .that(resideInAPackage(FAULTS).and(not(OF_SPRING)).and(not(simpleNameStartingWith("RecordCopies"))))
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("org.apache.kafka..");
}
