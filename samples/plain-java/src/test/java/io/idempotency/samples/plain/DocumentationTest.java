package io.idempotency.samples.plain;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Compiles the code of the documents and tests their statements. */
class DocumentationTest {

    private static final Path ROOT = Path.of("..", "..");
    private static final Pattern JAVA_BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
    private static final Pattern REGION = Pattern.compile("// tag::(\\w+)\\[]\n(.*?)// end::\\1\\[]", Pattern.DOTALL);
    private static final Pattern LISTED_TYPES =
            Pattern.compile("^\\| ((?:`[A-Z]\\w+`(?:, (?:then )?)?)+) \\|", Pattern.MULTILINE);
    private static final Pattern TYPE = Pattern.compile("`(\\w+)`");
    private static final Pattern RULE = Pattern.compile("^\\| (\\d+\\.\\d+) \\|", Pattern.MULTILINE);
    private static final Pattern TAG = Pattern.compile("@Tag\\(\"rule-(\\d+\\.\\d+)\"\\)");
    private static final Pattern LINK = Pattern.compile("]\\(([^)#:]+)\\)");
    private static final Pattern REFERENCE = Pattern.compile("^\\[([^]]+)]: ([^#:\\n]+)$", Pattern.MULTILINE);
    private static final Pattern JAR = Pattern.compile("^\\| (`[^|]+`) \\| (\\d[^ |]*) \\|", Pattern.MULTILINE);
    private static final Pattern REFERRING = Pattern.compile("\\[(\\w+Test)](?!\\(|: \\.)");
    private static final Pattern NAMED_PROPERTY = Pattern.compile("(?<=[ `])-D([\\w.-]+)");
    private static final Pattern NAMED_PROFILE = Pattern.compile("(?<=[ `])-P([\\w-]+)");
    private static final Pattern NAMED_MODULES = Pattern.compile("mvn[^`\n]* -pl ([\\w,/-]+)");
    private static final Pattern PROFILE =
            Pattern.compile("<profile>\\s*(?:<!--.*?-->\\s*)?<id>([^<]+)</id>", Pattern.DOTALL);
    private static final Pattern POM_PROPERTY = Pattern.compile("\\$\\{([\\w.-]+)}");
    private static final Pattern LITERAL = Pattern.compile("\"([a-z][\\w.-]*)\"");
    private static final Pattern TESTS = Pattern.compile("<test>([^<]+)</test>");
    private static final Set<String> OF_MAVEN = Set.of("skipTests", "test", "surefire.failIfNoSpecifiedTests");

    @Test
    void everyJavaBlockOfTheReadmeIsARegionOfCompiledCode() throws IOException {
        List<Path> compiled = new ArrayList<>(sources("src", "main"));
        compiled.addAll(sources("src", "test"));
        List<String> regions = new ArrayList<>();
        for (Path file : compiled) {
            regions.addAll(regions(Files.readString(file)));
        }

        assertThat(find(
                        JAVA_BLOCK,
                        1,
                        Stream.of("README.md", "docs/plain-java.md", "docs/adoption.md")
                                .map(ROOT::resolve)
                                .toList()))
                .hasSizeGreaterThanOrEqualTo(5)
                .allSatisfy(block -> assertThat(regions).contains(block));
    }

    /** Returns the regions of a file. Several regions of one name, such as imports and a method, are joined. */
    private static Collection<String> regions(String file) {
        Map<String, String> regions = new LinkedHashMap<>();
        Matcher matcher = REGION.matcher(file);
        while (matcher.find()) {
            regions.merge(matcher.group(1), plain(matcher.group(2)), (first, second) -> first + "\n\n" + second);
        }
        return regions.values();
    }

    @Test
    void theFirstCodeOfTheReadmeStandsInItsFirstTwelveLines() throws IOException {
        assertThat(Files.readAllLines(ROOT.resolve("README.md")).subList(0, 12)).contains("```java");
    }

    /** After a change run {@code java dev/TransactionPicture.java > docs/transaction.svg}. */
    @Test
    void thePictureIsWhatItsProgramDraws() throws IOException, InterruptedException {
        Process program = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        ROOT.resolve("dev/TransactionPicture.java").toString())
                .redirectErrorStream(true)
                .start();
        String drawn = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(program.waitFor()).as(drawn).isZero();
        assertThat(ROOT.resolve("docs/transaction.svg")).hasContent(drawn);
    }

    /** The jars of docs/plain-java.md are on this class path, by name and version. */
    @Test
    void theListedJarsAreTheOnesThatTheTestsRun() throws IOException {
        Map<String, String> jars = jars("## Jars");

        assertThat(jars).containsKeys("idempotency-jdbc", "kafka-clients", "flyway-database-postgresql");
        jars.forEach((name, version) -> assertThat(onClassPath(name))
                .as(name)
                .allMatch(path -> version.endsWith("-SNAPSHOT")
                        || path.matches(".*[/\\\\]" + name + "-" + version + "(-test)?\\.jar")));
    }

    /** A program that reads no Kafka runs with the jars of the first table, a database and this sample. */
    @Test
    void aProgramRunsWithTheJarsThatAreListedAsNeeded() throws IOException, InterruptedException {
        Set<String> path = new TreeSet<>(onClassPath("h2"));
        path.addAll(List.of(
                Path.of("target", "classes").toString(),
                Path.of("target", "test-classes").toString()));
        jars("## Jars", "Add what you use").keySet().forEach(name -> path.addAll(onClassPath(name)));

        Process program = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        String.join(File.pathSeparator, path),
                        MinimalProgram.class.getName())
                .redirectErrorStream(true)
                .start();
        String said = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

        assertThat(said.lines().filter(line -> line.matches("[A-Z]+")))
                .as(said)
                .containsExactly("PROCESSED", "DUPLICATE");
        assertThat(program.waitFor()).isZero();
    }

    private static Map<String, String> jars(String from, String... to) throws IOException {
        String page = Files.readString(ROOT.resolve("docs/plain-java.md"));
        page = page.substring(page.indexOf(from) + from.length());
        page = page.substring(0, page.indexOf(to.length == 0 ? "\n## " : to[0]));
        Map<String, String> jars = new TreeMap<>();
        Matcher row = JAR.matcher(page);
        while (row.find()) {
            for (String name : row.group(1).split(", ", -1)) {
                jars.put(name.replaceAll(".*:|`", ""), row.group(2));
            }
        }
        return jars;
    }

    private static List<String> onClassPath(String artifact) {
        List<String> found = Pattern.compile(File.pathSeparator)
                .splitAsStream(System.getProperty("java.class.path"))
                .filter(path -> path.matches(".*[/\\\\]" + artifact + "(-\\d[^/\\\\]*\\.jar|[/\\\\]target[/\\\\].*)"))
                .toList();
        assertThat(found).as(artifact + " on the class path").isNotEmpty();
        return found;
    }

    @Test
    void everyRuleOfTheProtocolHasATestAndEveryTagARule() throws IOException {
        Set<String> rules = new TreeSet<>(find(RULE, 1, List.of(ROOT.resolve("docs/protocol.md"))));
        Set<String> tags = new TreeSet<>(find(TAG, 1, sources("src", "test")));
        tags.addAll(find(TAG, 1, sources("testkit", "main")));

        assertThat(tags).isEqualTo(rules);
    }

    @Test
    void everyTypeThatTheMapOfTheModulesNamesIsThere() throws IOException {
        List<String> types = new ArrayList<>();
        for (String row : find(LISTED_TYPES, 1, List.of(ROOT.resolve("CONTRIBUTING.md")))) {
            TYPE.matcher(row).results().forEach(type -> types.add(type.group(1) + ".java"));
        }

        assertThat(types).hasSizeGreaterThan(50);
        assertThat(sources("src", "main"))
                .extracting(path -> path.getFileName().toString())
                .containsAll(types);
    }

    @Test
    void everyLinkBetweenTheDocumentsLeadsSomewhere() throws IOException {
        for (Path document : files(".md").toList()) {
            List<String> targets = new ArrayList<>(find(LINK, 1, List.of(document)));
            targets.addAll(find(REFERENCE, 2, List.of(document)));
            for (String target : targets) {
                assertThat(document.resolveSibling(target))
                        .as("%s links to %s", document, target)
                        .exists();
            }
        }
    }

    @Test
    void everyReferenceToATestHasItsLink() throws IOException {
        for (Path document : files(".md").toList()) {
            assertThat(find(REFERENCE, 1, List.of(document)))
                    .as("%s", document)
                    .containsAll(find(REFERRING, 1, List.of(document)));
        }
    }

    @Test
    void everyCommandNamesProfilesModulesAndPropertiesThatThereAre() throws IOException {
        List<Path> documents =
                files(".md").filter(path -> !path.endsWith("CHANGELOG.md")).toList();
        List<Path> poms = files("pom.xml").toList();
        Set<String> properties = new TreeSet<>(find(POM_PROPERTY, 1, poms));
        properties.addAll(find(
                LITERAL,
                1,
                files(".java")
                        .filter(path -> !path.endsWith("DocumentationTest.java"))
                        .toList()));
        properties.addAll(OF_MAVEN);

        assertThat(find(NAMED_PROPERTY, 1, documents)).contains("jdbc.url").isSubsetOf(properties);
        assertThat(find(NAMED_PROFILE, 1, documents)).contains("contracts").isSubsetOf(find(PROFILE, 1, poms));
        for (String modules : find(NAMED_MODULES, 1, documents)) {
            assertThat(modules.split(",", -1))
                    .allSatisfy(module -> assertThat(ROOT.resolve(module)).isDirectory());
        }
    }

    /** Maven passes over a test that it does not find. */
    @Test
    void everyTestThatAProfileRunsIsThere() throws IOException {
        List<String> sources =
                files(".java").map(path -> path.getFileName().toString()).toList();
        List<String> tests = find(TESTS, 1, files("pom.xml").toList());

        assertThat(tests).isNotEmpty();
        for (String names : tests) {
            assertThat(names.split(",", -1))
                    .allSatisfy(name -> assertThat(sources).contains(name + ".java"));
        }
    }

    private static List<Path> sources(String under, String tree) throws IOException {
        String part = under.equals("src") ? "src/" + tree : under + "/src/" + tree;
        return files(".java").filter(path -> path.toString().contains(part)).toList();
    }

    private static Stream<Path> files(String ending) throws IOException {
        try (Stream<Path> all = Files.walk(ROOT)) {
            return all
                    .filter(path ->
                            path.toString().endsWith(ending) && !path.toString().contains("/target/"))
                    .toList()
                    .stream();
        }
    }

    /** Returns the matches of the pattern, without indentation. */
    private static List<String> find(Pattern pattern, int group, List<Path> in) throws IOException {
        Stream.Builder<String> found = Stream.builder();
        for (Path path : in) {
            Matcher matcher = pattern.matcher(Files.readString(path));
            while (matcher.find()) {
                found.add(plain(matcher.group(group)));
            }
        }
        return found.build().toList();
    }

    private static String plain(String code) {
        return code.stripIndent().strip().replaceAll("\n +", "\n");
    }
}
