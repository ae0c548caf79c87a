package io.idempotency.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** A listener in a Spring Boot application, with Boot's own pool, transaction manager and container. Each round runs an application of its own. */
final class Application implements Rounds {

    private static final int CHECK_EVERY_MILLIS = 5;

    private final String broker;
    private final String database;
    private final List<Class<?>> sources;
    private final List<String> properties;

    /**
     * @param sources the class of the listener, and further configuration
     * @param properties those in which contestants differ
     */
    Application(String broker, String database, List<Class<?>> sources, List<String> properties) {
        this.broker = broker;
        this.database = database;
        this.sources = sources;
        this.properties = properties;
    }

    @Override
    public Outcome run(Round round) throws Exception {
        try (ConfigurableApplicationContext application = builder(round).run()) {
            Clock clock = application.getBean(Clock.class);
            while (!clock.isOver(round)) {
                TimeUnit.MILLISECONDS.sleep(CHECK_EVERY_MILLIS);
            }
            application.stop();
            return clock.outcome();
        }
    }

    private SpringApplicationBuilder builder(Round round) {
        String bytes = ByteArrayDeserializer.class.getName();
        List<String> all = new ArrayList<>(List.of(
                "spring.main.banner-mode=off",
                "spring.datasource.url=" + database,
                "spring.kafka.bootstrap-servers=" + broker,
                "spring.kafka.consumer.auto-offset-reset=earliest",
                "spring.kafka.consumer.key-deserializer=" + bytes,
                "spring.kafka.consumer.value-deserializer=" + bytes,
                "spring.kafka.consumer.max-poll-records=" + round.poll(),
                "topic=" + round.topic(),
                "group=" + UUID.randomUUID()));
        all.addAll(properties);
        return new SpringApplicationBuilder(Listening.class)
                .sources(sources.toArray(Class<?>[]::new))
                .web(WebApplicationType.NONE)
                .properties(all.toArray(String[]::new));
    }

    /** Counts messages as listeners handle them. A message that is rolled back and handled again would count twice, and fail the comparison with the effects. */
    static final class Clock {

        private volatile long began;
        private volatile long last;
        private volatile long messages;

        /** Starts with the first call of the listener. */
        void start() {
            if (began == 0) {
                began = System.nanoTime();
            }
        }

        /** Counts messages whose effect is written. */
        @SuppressWarnings("NonAtomicVolatileUpdate") // one thread consumes
        void count(int handled) {
            messages += handled;
            last = System.nanoTime();
        }

        boolean isOver(Round round) {
            return messages >= round.messages() || (began != 0 && System.nanoTime() - began > round.seconds() * 1e9);
        }

        Outcome outcome() {
            return Outcome.of(messages, (last - began) / 1e9, 0);
        }
    }

    /** The configuration of the application besides its listener. */
    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Listening {

        @Bean
        static Clock clock() {
            return new Clock();
        }

        @Bean
        Effects effects(DataSource dataSource) {
            return new Effects(dataSource);
        }
    }
}
