package io.idempotency.samples.streams;

import static java.time.Duration.ofDays;

import io.idempotency.streams.Deduplication;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;

/** The topology of the demo: payments in, each payment out once. Traps stand around the deduplication. */
final class LedgerTopology {

    static final String LIBRARY = "library";
    static final String HANDWRITTEN = "handwritten";

    private LedgerTopology() {}

    static Topology of(String variant, String in, String out, Trap trap) {
        StreamsBuilder builder = new StreamsBuilder();
        KStream<String, String> payments = builder.<String, String>stream(in).processValues(() -> new Around(trap));
        KStream<String, String> once = payments.processValues(
                variant.equals(HANDWRITTEN)
                        ? new Handwritten()
                        : Deduplication.<String, String>named("ledger")
                                .retention(ofDays(1))
                                .supplier());
        once.peek((key, payment) -> trap.reach(Accident.BEFORE_IT_FORWARDS)).to(out);
        return builder.build();
    }

    /** Reaches a point before and behind everything that comes of a record. */
    private static final class Around extends ContextualFixedKeyProcessor<String, String, String> {

        private final Trap trap;

        Around(Trap trap) {
            this.trap = trap;
        }

        @Override
        public void process(FixedKeyRecord<String, String> record) {
            trap.reach(Accident.BEFORE_IT_REMEMBERS);
            context().forward(record);
            trap.reach(Accident.BEHIND_THE_OUTPUT);
        }
    }
}
