package io.idempotency.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The contract and the fuzz are worth something only if they find a store that checks and then inserts. */
class CheckThenInsertStoreTest {

    @Test
    void breaksTheContractWhereTwoClaimAtTheSameTimeAndNowhereElse() throws Exception {
        Set<String> broken = new TreeSet<>();
        for (Method test : Subject.class.getMethods()) {
            if (test.isAnnotationPresent(Test.class) && fails(test)) {
                broken.add(test.getName());
            }
        }

        assertThat(broken)
                .containsExactly(
                        "doesNotCommitAfterATransientFailureEvenIfTheWorkSwallowsIt",
                        "endsAClaimThatWaitsTooLongAsTransient",
                        "endsTheWaitOfTwoTransactionsForEachOther",
                        "letsALiveClaimOfTheMessageFinishFirst",
                        "makesASecondClaimWaitAndThenCallsItADuplicate",
                        "makesASecondClaimWaitAndThenGrantsItIfTheFirstIsRolledBack");
    }

    @Test
    void isFoundByTheFuzz() {
        assertThatThrownBy(() -> ConcurrencyFuzz.run(new CheckThenInsertStore(MovableClock.create())))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("Two committed transactions were granted")
                .hasMessageContaining("-D" + ConcurrencyFuzz.SEED_PROPERTY + "=");
    }

    private static boolean fails(Method test) throws IllegalAccessException {
        try {
            test.invoke(new Subject());
            return false;
        } catch (InvocationTargetException e) {
            return true;
        }
    }

    /** Not a test of its own: its methods are called above. */
    private static final class Subject implements ClaimContract {

        private final MovableClock clock = MovableClock.create();
        private final CheckThenInsertStore store = new CheckThenInsertStore(clock);

        @Override
        public CheckThenInsertStore store() {
            return store;
        }

        @Override
        public void passTime(Duration duration) {
            clock.pass(duration);
        }
    }
}
