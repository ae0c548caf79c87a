package io.idempotency.jdbc.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.jdbc.model.Search.Verdict;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class JournalModelTest {

    @ParameterizedTest
    @EnumSource
    void neitherLosesNorDoublesNorReordersNorGetsStuckIn(World world) {
        long start = System.nanoTime();
        Verdict verdict = new Search(world, Set.of()).verdict();
        System.out.println(world + ": " + verdict + " " + (System.nanoTime() - start) / 1000_000 + " ms");
        assertThat(verdict.fault()).as(verdict.toString()).isEqualTo(Fault.NONE);
    }

    @ParameterizedTest
    @EnumSource
    void findsTheFaultOf(Variant variant) {
        long start = System.nanoTime();
        Verdict verdict = new Search(variant.world(), Set.of(variant)).verdict();
        System.out.println(variant + ": " + verdict + " " + (System.nanoTime() - start) / 1000_000 + " ms");
        assertThat(verdict.fault()).as(verdict.toString()).isEqualTo(variant.fault());
    }
}
