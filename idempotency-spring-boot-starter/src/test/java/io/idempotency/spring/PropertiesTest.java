package io.idempotency.spring;

import static org.assertj.core.api.Assertions.assertThat;

import io.idempotency.IdempotentConsumerBuilder;
import io.idempotency.TransactionPer;
import io.idempotency.cache.CaffeineCache;
import io.idempotency.jdbc.JournalStore;
import io.idempotency.jdbc.Purger;
import io.idempotency.jdbc.TableStore;
import io.idempotency.jdbc.Unjudged;
import io.idempotency.kafka.MessageIdInterceptor;
import io.idempotency.kafka.MessageIds;
import io.idempotency.kafka.PayloadCheck;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.bind.DataObjectPropertyName;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** The properties have the defaults that the library has without Spring, and are described for editors. */
class PropertiesTest {

    private final IdempotencyProperties defaults =
            new Binder(new MapConfigurationPropertySource()).bindOrCreate("idempotency", IdempotencyProperties.class);

    @Test
    void haveTheDefaultsOfTheLibrary() {
        assertThat(defaults.retention()).isEqualTo(Purger.DEFAULT_RETENTION);
        assertThat(defaults.purge().interval()).isEqualTo(Purger.DEFAULT_INTERVAL);
        assertThat(defaults.purge().batchSize()).isEqualTo(Purger.DEFAULT_BATCH_SIZE);
        assertThat(defaults.audit().retention()).isEqualTo(Purger.DEFAULT_AUDIT_RETENTION);
        assertThat(defaults.journal().retention()).isEqualTo(JournalStore.DEFAULT_RETENTION);
        assertThat(defaults.journal().archiveAfter()).isEqualTo(JournalStore.DEFAULT_ARCHIVE_AFTER);
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
        assertThat(defaults.transactionPer()).isEqualTo(TransactionPer.RECORD);
        assertThat(defaults.retention()).isEqualTo(Duration.ofDays(8));
        assertThat(defaults.messageId().missing()).isEqualTo(IdempotencyProperties.Missing.FAIL);
        assertThat(defaults.messageId().retryTopics()).isEmpty();
        assertThat(defaults.payloadCheck().policy()).isEqualTo(IdempotencyProperties.PayloadPolicy.OFF);
        assertThat(defaults.payloadCheck().perSecond()).isEqualTo(PayloadCheck.DEFAULT_PER_SECOND);
        assertThat(defaults.schema().mode()).isEqualTo(IdempotencyProperties.SchemaMode.EMBEDDED);
        assertThat(defaults.schema().tablePrefix()).isEqualTo("idempotency_");
        assertThat(defaults.producer().messageId()).isTrue();
        assertThat(defaults.producer().derivedIds()).isTrue();
        assertThat(defaults.producer().await()).isTrue();
        assertThat(defaults.observation().messageId()).isTrue();
        assertThat(defaults.outbox().listen()).isTrue();
        assertThat(defaults.quarantine().retention()).isNull();
        assertThat(defaults.quarantine().warnAfter()).isNull();
        assertThat(defaults.journal().memory()).isNull();
        assertThat(defaults.journal().forgetOldestIfFull()).isFalse();
        assertThat(defaults.unjudged()).isEqualTo(Unjudged.REFUSE);
        assertThat(defaults.journal().acceptMissedDuplicates()).isFalse();
        assertThat(defaults.journal().topicIds()).isFalse();
        assertThat(defaults.journal().streams()).isEmpty();
        assertThat(defaults.consumers()).isEmpty();
        assertThat(defaults.consumer("any").enabled()).isTrue();
        assertThat(defaults.consumer("any").listeners()).isEmpty();
        assertThat(defaults.consumer("any").shadow()).isNull();
        assertThat(defaults.consumer("any").expiryHeader()).isNull();
        assertThat(defaults.consumer("any").startFrom()).isEqualTo(IdempotencyProperties.StartFrom.COMMITTED);
        assertThat(defaults.expiry().header()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            retention=0s                    | at least 1m
            retention=-1d                   | at least 1m
            retention=30                    | at least 1m, with its unit: a number alone is one of milliseconds
            journal.retention=59s           | at least 1m
            lease=0s                        | at least 100ms
            claim-timeout=-5s               | at least 1ms
            cache.size=-1                   | at least 0; 0 is no cache
            stand-still-after=-1            | at least 0; 0 is never
            cache.time=0s                   | at least 1ms
            purge.interval=0s               | at least 1ms
            purge.batch-size=0              | at least 1
            payload-check.per-second=0      | at least 1
            journal.memory=0B               | at least 1 byte
            message-id.headers=             | at least one name
            message-id.headers=id,          | not blank
            schema.table-prefix=my-app_     | up to 40 letters A-Z, digits and underscores
            schema.name=my app              | up to 40 letters A-Z, digits and underscores
            store=                          | not blank
            transaction-manager=            | not blank
            schema.mode=sometimes           | ALWAYS
            message-id.missing=drop         | COORDINATES
            consumers.billing.level=weak    | AT_LEAST_ONCE
            consumers.billing.start-from=0  | COMMITTED
            """)
    void areRefusedByTheirNameWithWhatIsAllowed(String setting, String allowed) {
        Runners.h2().withPropertyValues("idempotency." + setting).run(context -> {
            assertThat(context).hasFailed();
            assertThat(Runners.printed(Objects.requireNonNull(context.getStartupFailure())))
                    .contains("idempotency." + setting.substring(0, setting.indexOf('=')))
                    .contains(allowed);
        });
    }

    @Test
    void areTakenAtTheirLimits() {
        Runners.h2()
                .withPropertyValues(
                        "idempotency.retention=1m",
                        "idempotency.journal.retention=1m",
                        "idempotency.lease=100ms",
                        "idempotency.claim-timeout=1ms",
                        "idempotency.cache.size=0",
                        "idempotency.purge.batch-size=1",
                        "idempotency.schema.table-prefix=_Once9")
                .run(context -> assertThat(context).hasNotFailed());
    }

    private static final Pattern WITH_A_VALUE = Pattern.compile("(?<![\\w.])(idempotency\\.[a-z][a-z.<>-]*[a-z>])=");
    private static final Pattern IN_THE_TABLE = Pattern.compile("\\| `(idempotency\\.[a-z][a-z.<>-]*)`");

    /** With a value on any page, or in the table of the properties. */
    @Test
    void areThereIfTheDocumentsNameThem() throws IOException {
        Set<String> known = new TreeSet<>();
        metadata().get("properties").forEach(property -> known.add(text(property, "name")));
        String starter = page("docs/spring-boot.md");
        int table = starter.indexOf("## Properties");
        Set<String> named =
                new TreeSet<>(names(IN_THE_TABLE, starter.substring(table, starter.indexOf("\n## ", table + 1))));
        for (String page : pages()) {
            named.addAll(names(WITH_A_VALUE, page));
        }
        // Of a producer that is configured without the starter.
        named.remove(MessageIdInterceptor.DERIVED_CONFIG);
        assertThat(named).hasSizeGreaterThan(20).isSubsetOf(known);
    }

    private static final Pattern OF_BOOT =
            Pattern.compile("(?<![\\w.])((?:spring|management)\\.[a-z][a-z.-]*[a-z])(?==|`)");

    @Test
    void areBootsIfTheDocumentsNameThemSo() throws IOException {
        Set<String> known = new TreeSet<>();
        Set<String> maps = new TreeSet<>();
        for (URL file : Collections.list(
                getClass().getClassLoader().getResources("META-INF/spring-configuration-metadata.json"))) {
            try (InputStream metadata = file.openStream()) {
                new ObjectMapper().readTree(metadata).get("properties").forEach(one -> {
                    known.add(text(one, "name"));
                    if (text(one, "type").startsWith("java.util.Map")) {
                        maps.add(text(one, "name") + ".");
                    }
                });
            }
        }
        Set<String> named = new TreeSet<>();
        for (String page : pages()) {
            named.addAll(names(OF_BOOT, page));
        }
        assertThat(named)
                .hasSizeGreaterThan(4)
                .allMatch(name -> known.contains(name) || maps.stream().anyMatch(name::startsWith));
    }

    private static List<String> pages() throws IOException {
        List<String> pages = new ArrayList<>(List.of(page("README.md"), page("samples/README.md")));
        try (Stream<Path> files = Files.list(root().resolve("docs"))) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".md")).toList()) {
                pages.add(Files.readString(file));
            }
        }
        return pages;
    }

    private static String page(String name) throws IOException {
        return Files.readString(root().resolve(name));
    }

    private static Path root() {
        return Path.of(System.getProperty("basedir", "")).toAbsolutePath().resolveSibling("");
    }

    private static List<String> names(Pattern pattern, String page) {
        return pattern.matcher(page)
                .results()
                .map(found -> found.group(1)
                        .replaceAll("consumers\\.(<name>|[a-z]+)\\.", "consumers.*.")
                        .replace("streams.<topic>", "streams"))
                .toList();
    }

    private JsonNode metadata() throws IOException {
        try (InputStream file = getClass().getResourceAsStream("/META-INF/spring-configuration-metadata.json")) {
            return new ObjectMapper().readTree(file);
        }
    }

    @Test
    void areDescribedForEditors() throws IOException {
        JsonNode metadata = metadata();
        assertThat(metadata.get("properties"))
                .allSatisfy(property -> assertThat(text(property, "description"))
                        .as(text(property, "name"))
                        .matches("[A-Z].*\\.")
                        .doesNotContain("{@")
                        .matches(description -> description.startsWith("Whether ")
                                == text(property, "type").equals("java.lang.Boolean")));
        assertThat(metadata.get("groups"))
                .allSatisfy(group -> assertThat(text(group, "description"))
                        .as(text(group, "name"))
                        .matches("[A-Z].*\\."))
                .extracting(group -> text(group, "name"))
                .doesNotHaveDuplicates();
        assertThat(metadata.get("properties"))
                .extracting(property -> text(property, "name"))
                .contains("idempotency.retention", "idempotency.schema.mode", "idempotency.unjudged")
                .containsAll(Stream.of(IdempotencyProperties.Consumer.class.getRecordComponents())
                        .map(part -> "idempotency.consumers.*." + DataObjectPropertyName.toDashedForm(part.getName()))
                        .toList());
        assertThat(metadata.get("hints"))
                .extracting(hint -> text(hint, "name"))
                .contains("idempotency.store", "idempotency.consumers.*.store", "idempotency.consumers.*.level");
    }

    private static String text(JsonNode node, String name) {
        return node.path(name).asString();
    }
}
