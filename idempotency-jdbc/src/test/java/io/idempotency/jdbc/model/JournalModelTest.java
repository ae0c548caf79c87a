package io.idempotency.jdbc.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.jdbc.model.Search.Verdict;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The protocol holds in every world; without any one of its rules there is a world in which it does not. */
class JournalModelTest {

    @ParameterizedTest
    @EnumSource
    void neitherLosesNorDoublesNorReordersNorGetsStuck(World world) {
        assertThat(verdict(world, Set.of()).fault()).isEqualTo(Fault.NONE);
    }

    @ParameterizedTest
    @EnumSource
    void findsTheFaultOf(Variant variant) {
        assertThat(verdict(variant.world(), Set.of(variant)).fault()).isEqualTo(variant.fault());
    }

    private static Verdict verdict(World world, Set<Variant> variants) {
        Verdict verdict = new Search(world, variants).verdict();
        System.out.println(world + " " + variants + ": " + verdict);
        return verdict;
    }
}
