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
                    "io.idempotency.replay",
                    "io.idempotency.outbox",
                    "io.idempotency.ranges",
                    "java..",
                    "javax.sql",
                    "org.springframework.jdbc..",
                    "org.springframework.transaction..",
                    "org.springframework.dao..",
                    "org.springframework.core..",
                    "org.flywaydb.core..",
                    "org.slf4j",
                    "org.jspecify.annotations");

    /** Beside the fault kit, which breaks the connections of others and has rules of its own. */
    @ArchTest
    static final ArchRule isTheOnlyOneThatKnowsJdbcAndSpring = noClasses()
            .that()
            .resideOutsideOfPackages("io.idempotency.jdbc", "io.idempotency.spring..", "io.idempotency.testkit.faults")
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

    /** The rooms of the package, by the names of types. All other types are shared. {@code dev/figures.sh} has the same patterns. */
    private static final String JOURNAL_ROOM =
            "io\\.idempotency\\.jdbc\\.(Journal.*|[^.]+Journals|Partition.+|(Hashed)?Ids|IdTable|Archive.*|BinaryFuseFilter|SoughtKeys)(\\$.*)?";

    private static final String TABLE_ROOM =
            "io\\.idempotency\\.jdbc\\.(Message(Row|State|Lookup|Table|Dialect|Purge|Insert|Update|Arrival)"
                    + "|Table[A-Z].*|Lease.+|LockedLease|ClaimedRows)(\\$.*)?";

    @ArchTest
    static final ArchRule keepsTheJournalOutOfTheTableRoom = noClasses()
            .that()
            .haveNameMatching(TABLE_ROOM)
            .should()
            .dependOnClassesThat()
            .haveNameMatching(JOURNAL_ROOM);

    @ArchTest
    static final ArchRule keepsTheTableOutOfTheJournalRoom = noClasses()
            .that()
            .haveNameMatching(JOURNAL_ROOM)
            .should()
            .dependOnClassesThat()
            .haveNameMatching(TABLE_ROOM);

    /** But for the choice of a database's statements and the purge of all stores, nothing that is shared knows of journals. */
    @ArchTest
    static final ArchRule keepsTheJournalOutOfWhatIsShared = noClasses()
            .that()
            .resideInAPackage("io.idempotency.jdbc")
            .and()
            .haveNameNotMatching(JOURNAL_ROOM)
            .and()
            .haveNameNotMatching("io\\.idempotency\\.jdbc\\.(Dialects|StoreDatabase|Purger)(\\$.*)?")
            .should()
            .dependOnClassesThat()
            .haveNameMatching(JOURNAL_ROOM);
}
