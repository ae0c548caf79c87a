package io.idempotency.samples.plain;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.streams.StreamsConfig;
import org.junit.jupiter.api.Test;

/** The commands and settings that the documents name are there: profiles, modules, properties, tests, jars, addresses, properties of Kafka. */
class DocumentedCommandsTest {

    private static final Path ROOT = Path.of("..", "..");
    private static final List<String> PAGES = List.of("README.md", "CONTRIBUTING.md", "samples/README.md");

    /** A block with its language, or a text between backticks. */
    private static final Pattern CODE = Pattern.compile("```(\\w*)\n(.*?)```|`([^`]+)`", Pattern.DOTALL);

    private static final Pattern PROFILE = Pattern.compile("<id>([\\w-]+)</id>");
    private static final Pattern DEFINED = Pattern.compile("-D([\\w.]+)(?==|$)");
    private static final Pattern KAFKA = Pattern.compile("[a-z]+(\\.[a-z]+)+(=[\\w.-]*)?");

    /** Of Maven and its plugins themselves. */
    private static final Set<String> OF_MAVEN = Set.of("test", "skipTests", "surefire.failIfNoSpecifiedTests");

    private static final Set<String> SHELL = Set.of("", "bash", "sh");
    private static final Set<String> GOALS = Set.of("verify", "test", "package", "install", "spotless:apply");

    private final String poms = all(path -> path.getFileName().toString().equals("pom.xml"));
    private final String sources =
            all(path -> path.toString().endsWith(".java") && path.toString().contains("src"));

    @Test
    void everyCallOfMavenNamesWhatIsThere() throws IOException {
        List<String> commands = commands("mvn ");
        Set<String> profiles = found(PROFILE, poms);
        assertThat(commands).hasSizeGreaterThan(15).allSatisfy(command -> {
            List<String> modules = List.of();
            String[] words = command.split(" ", -1);
            for (int i = 1; i < words.length; i++) {
                String word = words[i];
                if (word.equals("-pl")) {
                    modules = List.of(words[++i].split(",", -1));
                    assertThat(modules)
                            .allSatisfy(module -> assertThat(ROOT.resolve(module + "/pom.xml"))
                                    .exists());
                } else if (word.startsWith("-P")) {
                    assertThat(profiles).contains(word.substring(2));
                } else if (word.startsWith("-Dtest=")) {
                    assertThat(modules)
                            .anySatisfy(module ->
                                    assertThat(testsOf(module)).contains(word.substring("-Dtest=".length()) + ".java"));
                } else if (!word.startsWith("-D")) {
                    assertThat(GOALS.contains(word) || word.equals("-am"))
                            .as(word)
                            .isTrue();
                }
            }
        });
    }

    /** In a command or alone: Maven knows it, a pom passes it on, or a program reads it. */
    @Test
    void everyPropertyOfACommandIsRead() throws IOException {
        Set<String> properties = new TreeSet<>();
        for (String code : codes()) {
            if (code.startsWith("mvn ") || code.startsWith("-D")) {
                for (String word : code.split(" ", -1)) {
                    properties.addAll(found(DEFINED, word));
                }
            }
        }
        properties.removeAll(OF_MAVEN);
        assertThat(properties)
                .hasSizeGreaterThan(10)
                .allMatch(name -> poms.contains("${" + name + "}") || sources.contains("\"" + name + "\""));
    }

    @Test
    void everyJarIsTheOneThatItsModuleBuilds() throws IOException {
        assertThat(commands("java -jar ")).isNotEmpty().allSatisfy(command -> {
            String[] jar = command.split(" ", -1)[2].split("/target/", -1);
            String pom = Files.readString(ROOT.resolve(jar[0] + "/pom.xml"));
            String artifact = jar[1].replaceAll("-0.1.0-SNAPSHOT\\.jar$", "");
            assertThat(pom).contains("<artifactId>" + artifact + "</artifactId>", "spring-boot-maven-plugin");
        });
    }

    @Test
    void everyRequestGoesToAnAddressOfTheOrdersServiceWithFieldsOfAnOrder() throws IOException {
        Path orders = ROOT.resolve("samples/orders-service/src/main/java/io/idempotency/samples/orders");
        assertThat(commands("curl ")).isNotEmpty().allSatisfy(command -> {
            List<String> address = List.of(
                    command.replaceAll(".* localhost:(\\d+)(/\\w+) .*", "$1 $2").split(" ", -1));
            assertThat(address.get(0)).isEqualTo("8080");
            assertThat(Files.readString(orders.resolve("OrderController.java")))
                    .contains("@RequestMapping(\"" + address.get(1) + "\")", "@PostMapping");
            String order = Files.readString(orders.resolve("Order.java"));
            assertThat(found(Pattern.compile("\"(\\w+)\":"), command))
                    .isNotEmpty()
                    .allMatch(field -> order.matches("(?s).*record Order\\([^)]*\\b" + field + "\\b.*"));
        });
    }

    /** The options are from the tool's manual, because no artifact contains the tool. */
    @Test
    void everyOptionOfTheToolForConsumerGroupsIsOneOfIts() throws IOException {
        Set<String> options = Set.of(
                "--bootstrap-server",
                "--group",
                "--topic",
                "--all-topics",
                "--reset-offsets",
                "--to-datetime",
                "--dry-run",
                "--execute");
        assertThat(commands("kafka-consumer-groups"))
                .isNotEmpty()
                .allSatisfy(command -> assertThat(
                                Arrays.stream(command.split(" ", -1)).filter(word -> word.startsWith("--")))
                        .isSubsetOf(options));
    }

    @Test
    void everyPropertyOfKafkaIsOneOfAConsumerAProducerOrATopic() throws IOException, IllegalAccessException {
        Set<String> known = new HashSet<>(ConsumerConfig.configNames());
        known.addAll(StreamsConfig.configDef().names());
        // Of groups, and of brokers.
        known.addAll(Set.of("share.auto.offset.reset", "share.isolation.level", "group.share.delivery.count.limit"));
        known.addAll(ProducerConfig.configNames());
        for (var constant : TopicConfig.class.getFields()) {
            known.add(String.valueOf(constant.get(null)));
        }
        Pattern others = Pattern.compile(
                "(idempotency|io|spring|org|com|derby|hsqldb|server|management|logging|jdbc|value|key)\\..*|.*\\.(md|jar|js)");
        Set<String> named = new TreeSet<>();
        for (String code : codes()) {
            if (KAFKA.matcher(code).matches() && !others.matcher(code).matches()) {
                named.add(code.replaceAll("=.*|^(producer|topic)\\.", ""));
            }
        }
        assertThat(named).hasSizeGreaterThan(8).isSubsetOf(known);
    }

    private static List<String> commands(String program) throws IOException {
        return codes().stream().filter(code -> code.startsWith(program)).toList();
    }

    /** Returns all that stands between backticks, each on one line, and the commands of blocks. */
    private static List<String> codes() throws IOException {
        Stream.Builder<String> codes = Stream.builder();
        for (Path page : pages()) {
            for (MatchResult found :
                    CODE.matcher(Files.readString(page)).results().toList()) {
                String language = found.group(1);
                if (language == null) {
                    codes.add(found.group(3).replaceAll("\\s+", " "));
                } else if (SHELL.contains(language)) {
                    found.group(2).replaceAll("\\\\\n\\s*", "").lines().forEach(codes::add);
                }
            }
        }
        return codes.build().toList();
    }

    private static List<Path> pages() throws IOException {
        try (Stream<Path> docs = Files.list(ROOT.resolve("docs"))) {
            return Stream.concat(
                            PAGES.stream().map(ROOT::resolve),
                            docs.filter(path -> path.toString().endsWith(".md")))
                    .toList();
        }
    }

    private static Set<String> found(Pattern pattern, String text) {
        return pattern.matcher(text)
                .results()
                .map(result -> result.group(1))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static List<String> testsOf(String module) throws IOException {
        try (Stream<Path> files = Files.walk(ROOT.resolve(module).resolve("src/test"))) {
            return files.map(path -> path.getFileName().toString()).toList();
        }
    }

    private static String all(Predicate<Path> which) {
        try (Stream<Path> files = Files.walk(ROOT)) {
            StringBuilder text = new StringBuilder();
            for (Path file : files.filter(which)
                    .filter(path -> !path.toString().contains("/target/"))
                    .toList()) {
                text.append(Files.readString(file)).append('\n');
            }
            return text.toString();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
