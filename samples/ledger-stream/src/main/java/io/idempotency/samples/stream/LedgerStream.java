package io.idempotency.samples.stream;

import static java.time.Duration.ofDays;

import io.idempotency.streams.Deduplication;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.kafka.annotation.EnableKafkaStreams;

/** Payments have an account as key and cents as value, and an id in the header {@code message-id}. Balances go to a topic of their own. */
@Configuration(proxyBeanMethods = false)
@EnableKafkaStreams
class LedgerStream {

    private static final Logger LOG = LoggerFactory.getLogger(LedgerStream.class);

    @Bean
    KStream<String, Long> balances(StreamsBuilder builder) {
        KStream<String, Long> balances = builder.<String, Long>stream("payments")
                .processValues(Deduplication.<String, Long>named("ledger")
                        .retention(ofDays(1))
                        .listener((payment, duplicate) -> LOG.info(
                                "{} is a {} of {}, {} later",
                                payment,
                                duplicate.kind(),
                                duplicate.first(),
                                duplicate.age()))
                        .supplier())
                .groupByKey(Grouped.with(Serdes.String(), Serdes.Long()))
                .reduce(Long::sum, Materialized.as("balances"))
                .toStream();
        balances.to("balances", Produced.with(Serdes.String(), Serdes.Long()));
        return balances;
    }
}
