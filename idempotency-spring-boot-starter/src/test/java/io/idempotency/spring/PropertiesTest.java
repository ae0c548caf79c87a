package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.IdempotentConsumerBuilder;
import io.idempotency.cache.CaffeineCache;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.Purger;
import io.idempotency.jdbc.TableStore;
import io.idempotency.kafka.MessageIds;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;

/** The properties have the defaults that the library has without Spring, and are described for editors. */
class PropertiesTest {

    private final IdempotencyProperties defaults =
            new Binder(new MapConfigurationPropertySource()).bindOrCreate("idempotency", IdempotencyProperties.class);

    @Test
    void haveTheDefaultsOfTheLibrary() {
        assertThat(defaults.retention()).isEqualTo(Purger.DEFAULT_RETENTION);
        assertThat(defaults.purge().interval()).isEqualTo(Purger.DEFAULT_INTERVAL);
        assertThat(defaults.purge().batchSize()).isEqualTo(Purger.DEFAULT_BATCH_SIZE);
        assertThat(defaults.journal().retention()).isEqualTo(JournalStore.DEFAULT_RETENTION);
        assertThat(defaults.lease()).isEqualTo(IdempotentConsumerBuilder.DEFAULT_LEASE);
        assertThat(defaults.claimTimeout()).isEqualTo(TableStore.DEFAULT_CLAIM_TIMEOUT);
        assertThat(defaults.standStillAfter()).isEqualTo(IdempotentConsumerBuilder.DEFAULT_STAND_STILL_AFTER);
        assertThat(defaults.cache().size()).isEqualTo(CaffeineCache.DEFAULT_MAX_IDS);
        assertThat(defaults.cache().time()).isEqualTo(CaffeineCache.DEFAULT_TIME);
        assertThat(defaults.messageId().headers()).containsExactly(MessageIds.HEADER);
    }

    @Test
    void haveTheDefaultsOfTheirDocumentation() {
        assertThat(defaults.enabled()).isTrue();
        assertThat(defaults.store()).isEqualTo("table");
        assertThat(defaults.retention()).isEqualTo(Duration.ofDays(8));
        assertThat(defaults.messageId().missing()).isEqualTo(IdempotencyProperties.Missing.FAIL);
        assertThat(defaults.messageId().retryTopics()).isEmpty();
        assertThat(defaults.schema().mode()).isEqualTo(IdempotencyProperties.SchemaMode.EMBEDDED);
        assertThat(defaults.schema().tablePrefix()).isEqualTo("idempotency_");
        assertThat(defaults.producer().messageId()).isTrue();
        assertThat(defaults.producer().derivedIds()).isTrue();
        assertThat(defaults.producer().await()).isTrue();
        assertThat(defaults.journal().memory()).isNull();
        assertThat(defaults.journal().raiseHorizonIfFull()).isFalse();
        assertThat(defaults.journal().unjudged()).isEqualTo(JournalStore.Unjudged.REFUSE);
        assertThat(defaults.journal().acceptStrays()).isFalse();
        assertThat(defaults.journal().topicIds()).isFalse();
        assertThat(defaults.journal().streams()).isEmpty();
        assertThat(defaults.consumers()).isEmpty();
        assertThat(defaults.consumer("any").enabled()).isTrue();
        assertThat(defaults.consumer("any").listeners()).isEmpty();
    }

    @Test
    void areDescribedForEditors() throws IOException {
        try (InputStream file = getClass().getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
            String metadata = new String(Objects.requireNonNull(file).readAllBytes(), StandardCharsets.UTF_8);
            assertThat(metadata)
                    .contains(
                            "\"idempotency.retention\"",
                            "\"8d\"",
                            "\"idempotency.schema.mode\"",
                            "\"idempotency.journal.unjudged\"",
                            "at least as long as the topics");
        }
    }
}
