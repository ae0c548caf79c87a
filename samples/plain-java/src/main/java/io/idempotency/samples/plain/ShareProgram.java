package io.idempotency.samples.plain;

// tag::share[]
import io.idempotency.kafka.ShareLoop;

// end::share[]

/** Consumes a topic in a share group. */
final class ShareProgram {

    private ShareProgram() {}

    static ShareLoop<String, String> loop(
            io.idempotency.IdempotentConsumer<org.apache.kafka.clients.consumer.ConsumerRecord<String, String>> billing,
            Ledger ledger,
            java.util.Map<String, Object> kafka,
            String topic) {
        // tag::share[]
        ShareLoop<String, String> loop = ShareLoop.<String, String>of(
                        billing, (record, claim) -> ledger.post(record.value()))
                .properties(kafka)
                .topics(topic)
                .members(4)
                .build();
        // end::share[]
        return loop;
    }
}
