package dev.caisson.tests.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What of the house style can be counted in the text of the tree. */
class TidyTest {
    private static final Tree TREE = Tree.here();
    private static final Exceptions EXCEPTIONS = Exceptions.read();

    private static final Set<String> PATTERN_WORDS = Set.of(
            "Manager", "Helper", "Util", "Utils", "Impl", "Abstract", "Base", "Default", "Info", "Data", "Wrapper");

    private static final Pattern TYPE = Pattern.compile("\\b(?:class|interface|enum|record)\\s+([A-Z]\\w*)");
    private static final Pattern WORD = Pattern.compile("[A-Z][a-z0-9]*|[A-Z]+(?![a-z])");
    private static final Pattern DECISION = Pattern.compile("docs/decisions/(\\d{4})-[a-z0-9-]+\\.md");
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:\\s]+)(?:#[^)]*)?\\)");

    /** Spelled in pieces, so that this file does not find itself. */
    private static final Pattern UNFINISHED = Pattern.compile("\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b");

    private static final Pattern MACHINE = Pattern.compile("(?<![\\w.$}])/(?:work|root|home)/(?!linuxbrew\\b)\\w"
            + "|/tmp/" + "bash_jobs"
            + "|repo1?\\.maven\\.(?:apache\\.)?" + "org|registry\\.npmjs" + "\\.org|proxy\\.golang" + "\\.org");

    private static final int LOOK_AGAIN_LINES = 400;
    private static final int MAX_FILES_TO_LOOK_AT = 48;
    private static final int LONG_FILE_LINES = 800;
    private static final int ARCHITECTURE_LINES = 150;

    @Test
    void typesAreNamedForTheThingNotThePattern() {
        Set<String> violations = new TreeSet<>();
        TREE.javaFiles().forEach(file -> {
            for (String line : TREE.lines(file)) {
                Matcher type = TYPE.matcher(line.replaceFirst("^\\s*(?:\\*|//|/\\*).*", ""));
                while (type.find()) {
                    if (words(type.group(1)).stream().anyMatch(PATTERN_WORDS::contains)) {
                        violations.add(type.group(1));
                    }
                }
            }
        });
        EXCEPTIONS.holds("type-name", violations, "no " + new TreeSet<>(PATTERN_WORDS) + " in a type's name");
    }

    @Test
    void longFilesAreFewAndKnown() {
        List<String> worthALook = TREE.javaFiles()
                .filter(file -> TREE.lines(file).size() > LOOK_AGAIN_LINES)
                .map(Path::toString)
                .toList();
        assertThat(worthALook)
                .as("files past %d lines; look at them again before one more is added", LOOK_AGAIN_LINES)
                .hasSizeLessThanOrEqualTo(MAX_FILES_TO_LOOK_AT);
        Set<String> violations = new TreeSet<>();
        TREE.javaFiles()
                .filter(file -> TREE.lines(file).size() > LONG_FILE_LINES)
                .forEach(file -> violations.add(file.toString()));
        EXCEPTIONS.holds("long-file", violations, "no file past " + LONG_FILE_LINES + " lines");
    }

    @Test
    void everyPackageSaysWhatItIs() {
        List<String> violations = new ArrayList<>();
        TREE.javaFiles()
                .map(Path::getParent)
                .distinct()
                .filter(directory ->
                        directory.toString().contains("src/main/java") && !directory.startsWith("examples"))
                .filter(directory ->
                        !TREE.has(directory.resolve("package-info.java").toString()))
                .forEach(directory -> violations.add(directory.toString()));
        assertThat(violations).as("packages without package-info.java").isEmpty();
    }

    @Test
    void everyModuleHasAReadme() {
        assertThat(TREE.modules())
                .isNotEmpty()
                .allSatisfy(module -> assertThat(TREE.has(module + "/README.md"))
                        .as(module + "/README.md")
                        .isTrue());
    }

    @Test
    void linksInPagesLeadSomewhere() {
        List<String> violations = new ArrayList<>();
        TREE.files().filter(f -> f.toString().endsWith(".md")).forEach(page -> {
            Matcher link = LINK.matcher(TREE.text(page));
            Path directory = page.getParent() == null ? Path.of("") : page.getParent();
            while (link.find()) {
                if (!TREE.has(directory.resolve(link.group(1)).normalize().toString())) {
                    violations.add(page + " -> " + link.group(1));
                }
            }
        });
        assertThat(violations).as("links to files that are not there").isEmpty();
    }

    @Test
    void nothingIsLeftUnfinished() {
        assertThat(found(UNFINISHED, ""))
                .as("an open end belongs into the issue tracker")
                .isEmpty();
    }

    @Test
    void noMachineOrRegistryIsNamed() {
        EXCEPTIONS.holds(
                "machine-path", found(MACHINE, ""), "nothing in the tree names a machine's paths or a registry");
    }

    @Test
    void testsDoNotSleep() {
        Set<String> sleepers = new TreeSet<>();
        for (String place :
                found(Pattern.compile("\\bThread\\.sleep\\(|TimeUnit\\.\\w+\\.sleep\\("), "src/test/java")) {
            sleepers.add(place.substring(0, place.lastIndexOf(':')));
        }
        EXCEPTIONS.holds("sleep-in-test", sleepers, "wait for a condition");
    }

    @Test
    void leaksImportsNothingOfOursEvenInTests() {
        Set<String> found =
                new TreeSet<>(found(Pattern.compile("^import (?:static )?dev\\.caisson\\.(?!leaks\\b)"), "leaks/"));
        assertThat(found).isEmpty();
    }

    @Test
    void decisionsAreNumberedInARow() {
        List<Integer> numbers = TREE.files()
                .filter(f -> f.startsWith(Path.of("docs", "decisions"))
                        && !f.getFileName().toString().equals("README.md"))
                .map(f -> {
                    Matcher name = DECISION.matcher(f.toString());
                    assertThat(name.matches()).as(f + " is named NNNN-title.md").isTrue();
                    return Integer.parseInt(name.group(1));
                })
                .sorted()
                .toList();
        assertThat(numbers)
                .isEqualTo(IntStream.rangeClosed(1, numbers.size()).boxed().toList());
    }

    @Test
    void architectureFitsOnItsPages() {
        assertThat(TREE.lines(Path.of("ARCHITECTURE.md"))).hasSizeLessThanOrEqualTo(ARCHITECTURE_LINES);
    }

    private static List<String> words(String name) {
        return WORD.matcher(name).results().map(r -> r.group()).toList();
    }

    /** Places, {@code file:line}, where a text file of the tree whose path contains {@code where} matches. */
    private static Set<String> found(Pattern pattern, String where) {
        Set<String> places = new TreeSet<>();
        TREE.files().filter(f -> f.toString().contains(where) && isText(f)).forEach(file -> {
            List<String> lines = TREE.lines(file);
            for (int i = 0; i < lines.size(); i++) {
                if (pattern.matcher(lines.get(i)).find()) {
                    places.add(file + ":" + (i + 1));
                }
            }
        });
        return places;
    }

    private static boolean isText(Path file) {
        return !file.toString().matches(".*\\.(png|jpg|gif|ico|woff2?|jar|gz|bin|pb|desc)");
    }
}
