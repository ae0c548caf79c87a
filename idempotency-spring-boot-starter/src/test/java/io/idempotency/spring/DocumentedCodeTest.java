package io.idempotency.spring;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every Java block of the documents compiles as it stands there, with its own imports and with the objects that its page says the reader has. That of
 * docs/console.md needs Spring Security: ConsoleTest compares it with the configuration of its own application.
 */
class DocumentedCodeTest {

    private static final Path ROOT =
            Path.of(System.getProperty("basedir", "")).toAbsolutePath().resolveSibling("");
    private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
    private static final Pattern IMPORT = Pattern.compile("^import .*;\n", Pattern.MULTILINE);
    private static final Pattern METHOD = Pattern.compile("@\\w+\\b[^{;]*\\{.*", Pattern.DOTALL);
    private static final Pattern TYPE = Pattern.compile("(?s).*^(final )?class \\w+ .*", Pattern.MULTILINE);

    /** What the pages say that the reader has. */
    private static final String GIVEN = """
            package documented;

            class Ledger {
                Ledger(javax.sql.DataSource dataSource) {}
                void post(String payment) {}
                Receipt pay(Request request) { return new Receipt("1"); }
            }

            record Request(String key, byte[] body) {}

            record Receipt(String id) {}

            class Stripe {
                Receipt charge(Order order, String key) { return new Receipt(key); }
            }

            class Mails {
                void send(Order order, Receipt receipt, String key) {}
            }

            class Sink {
                void insert(String token, java.util.List<?> records) {}
            }

            record Order(String id, String payment) {}

            final class TenantContext {
                static void set(String tenant) {}
                static void clear() {}
            }

            abstract class Given {
                javax.sql.DataSource dataSource;
                java.util.Map<String, Object> kafka;
                String topic;
                Ledger ledger;
                java.util.function.Consumer<io.idempotency.jdbc.Adopted> progress;
                Order order;
                io.idempotency.jdbc.TableStore store;
                io.micrometer.core.instrument.MeterRegistry registry;
                io.idempotency.IdempotentConsumer<org.apache.kafka.clients.consumer.ConsumerRecord<String, String>> billing;
                org.apache.kafka.clients.consumer.Consumer<String, String> consumer;
                io.idempotency.spring.IdempotentContainers idempotentContainers;
                io.idempotency.IdempotentConsumer<Order> charges;
                io.idempotency.results.ResultCodec json;
                Stripe stripe;
                Mails mails;
                Sink sink;
                Request request;
                org.springframework.kafka.core.ConsumerFactory<String, String> consumers;
                org.springframework.kafka.listener.ContainerProperties containerProperties;
            }
            """;

    /** What step 2 of the quick start names. */
    private static final String QUICK_START = """
            import io.idempotency.spring.Idempotent;
            import org.springframework.kafka.annotation.KafkaListener;
            """;

    /** What the README says above the test of a listener, and Spring's own. */
    private static final String FAULT_KIT = """
            import io.idempotency.testkit.faults.FaultKit;
            import io.idempotency.testkit.faults.IdempotencyTest;
            import org.springframework.boot.test.context.SpringBootTest;
            import org.springframework.kafka.test.context.EmbeddedKafka;
            """;

    @Test
    void compilesAsItStandsThere(@TempDir Path classes) throws IOException {
        List<JavaFileObject> sources = new ArrayList<>(List.of(source("Given", GIVEN)));
        for (Path page : pages()) {
            Matcher block = BLOCK.matcher(Files.readString(page));
            for (int number = 1; block.find(); number++) {
                String name = page.getFileName().toString().replaceAll("\\W", "_") + "_block_" + number;
                sources.add(source(name, unit(name, block.group(1).stripIndent())));
            }
        }
        assertThat(sources).hasSizeGreaterThan(7);

        JavaCompiler compiler = Objects.requireNonNull(ToolProvider.getSystemJavaCompiler());
        DiagnosticCollector<JavaFileObject> said = new DiagnosticCollector<>();
        compiler.getTask(
                        null,
                        null,
                        said,
                        List.of(
                                "-proc:none",
                                "-d",
                                classes.toString(),
                                "-classpath",
                                System.getProperty("java.class.path")),
                        null,
                        sources)
                .call();
        assertThat(said.getDiagnostics())
                .filteredOn(one -> one.getKind() == Diagnostic.Kind.ERROR)
                .extracting(one ->
                        one.getSource().getName() + ":" + one.getLineNumber() + ": " + one.getMessage(Locale.ENGLISH))
                .isEmpty();
    }

    private static List<Path> pages() throws IOException {
        try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
            return Stream.concat(
                            Stream.of("README.md", "CONTRIBUTING.md", "samples/README.md")
                                    .map(ROOT::resolve),
                            docs.filter(path -> path.toString().endsWith(".md") && !path.endsWith("console.md"))
                                    .sorted())
                    .toList();
        }
    }

    /** A type stands for itself, methods are those of a class, statements are those of a method. */
    private static String unit(String name, String block) {
        String imports = IMPORT.matcher(block).results().map(MatchResult::group).collect(joining());
        String code = IMPORT.matcher(block).replaceAll("").strip();
        if (name.equals("README_md_block_1")) {
            imports = QUICK_START;
        } else if (imports.isEmpty() && code.contains("@IdempotencyTest")) {
            imports = FAULT_KIT;
        }
        String head = "package documented;\n" + imports;
        if (TYPE.matcher(code).matches()) {
            return head + code;
        }
        head += "abstract class " + name + " extends Given {\n";
        if (METHOD.matcher(code).matches()) {
            return head + code + "\n}";
        }
        String end = code.startsWith("return ") ? "" : "return null;\n";
        return head + "Object run() throws Exception {\n" + code + "\n" + end + "}\n}";
    }

    private static JavaFileObject source(String name, String text) {
        return new SimpleJavaFileObject(
                URI.create("string:///documented/" + name + ".java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return text;
            }
        };
    }
}
