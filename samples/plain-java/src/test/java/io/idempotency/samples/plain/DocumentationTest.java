package io.idempotency.samples.plain;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the documents show is compiled, and what they promise is tested. */
class DocumentationTest {

    private static final Path ROOT = Path.of("..", "..");
    private static final Pattern JAVA_BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
    private static final Pattern REGION = Pattern.compile("// tag::(\\w+)\\[]\n(.*?)// end::\\1\\[]", Pattern.DOTALL);
    private static final Pattern RULE = Pattern.compile("^\\| (\\d\\.\\d+) \\|", Pattern.MULTILINE);
    private static final Pattern TAG = Pattern.compile("@Tag\\(\"rule-(\\d\\.\\d+)\"\\)");
    private static final Pattern LINK = Pattern.compile("]\\(([^)#:]+)\\)");
    private static final Pattern REFERENCE = Pattern.compile("^\\[([^]]+)]: ([^#:\\n]+)$", Pattern.MULTILINE);
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
        List<String> regions = find(REGION, 2, compiled);

        assertThat(find(JAVA_BLOCK, 1, List.of(ROOT.resolve("README.md"))))
                .isNotEmpty()
                .allSatisfy(block -> assertThat(regions).contains(block));
    }

    @Test
    void theFirstCodeOfTheReadmeStandsInItsFirstTwelveLines() throws IOException {
        assertThat(Files.readAllLines(ROOT.resolve("README.md")).subList(0, 12)).contains("```java");
    }

    @Test
    void everyRuleOfTheProtocolHasATestAndEveryTagARule() throws IOException {
        Set<String> rules = new TreeSet<>(find(RULE, 1, List.of(ROOT.resolve("docs/protocol.md"))));
        Set<String> tags = new TreeSet<>(find(TAG, 1, sources("src", "test")));
        tags.addAll(find(TAG, 1, sources("testkit", "main")));

        assertThat(tags).isEqualTo(rules);
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

    /** Returns what the pattern finds, without indentation. */
    private static List<String> find(Pattern pattern, int group, List<Path> in) throws IOException {
        Stream.Builder<String> found = Stream.builder();
        for (Path path : in) {
            Matcher matcher = pattern.matcher(Files.readString(path));
            while (matcher.find()) {
                found.add(matcher.group(group).stripIndent().strip().replaceAll("\n +", "\n"));
            }
        }
        return found.build().toList();
    }
}
