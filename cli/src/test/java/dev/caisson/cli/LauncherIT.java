package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The launcher script {@code caisson} with a Maven and JDKs that only write down that they ran. */
class LauncherIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final String JAVA_25 = "#!/bin/sh\necho \"ran $0 $*\"\n";

    @TempDir
    Path tmp;

    private Path root;
    private Path bin;
    private Path log;

    @BeforeEach
    void makeProject() throws IOException {
        root = Files.createDirectories(tmp.resolve("project with blank"));
        bin = Files.createDirectories(tmp.resolve("bin"));
        log = tmp.resolve("maven.log");
        Files.copy(Path.of("../caisson"), root.resolve("caisson"));
        executable(root.resolve("caisson"), Files.readString(root.resolve("caisson")));
        write(root.resolve("pom.xml"), "<project/>");
        write(root.resolve(".mvn/jvm.config"), "");
        write(root.resolve("cli/pom.xml"), """
        <dependency><groupId>dev.caisson</groupId><artifactId>caisson-scope</artifactId></dependency>
        <dependency><groupId>dev.caisson</groupId><artifactId>caisson-leaks</artifactId><scope>test</scope></dependency>
        """);
        write(root.resolve("cli/src/main/java/Main.java"), "class Main {}");
        write(root.resolve("scope/pom.xml"), "<project/>");
        write(root.resolve("scope/src/main/java/Scope.java"), "class Scope {}");
        write(root.resolve("leaks/pom.xml"), "<project/>");
        write(root.resolve("leaks/src/main/java/Leaks.java"), "class Leaks {}");
        executable(bin.resolve("mvn"), """
        #!/bin/sh
        echo "start $*" >> "%1$s"
        while [ -e "%2$s" ]; do sleep 0.05; done
        [ ! -e "%3$s" ] || { echo "[ERROR] /x/Main.java:[1,1] not a statement"; exit 1; }
        mkdir -p cli/target/launcher/next
        touch cli/target/launcher/next/dependency.jar cli/target/caisson-cli-0.jar
        echo end >> "%1$s"
        """.formatted(log, tmp.resolve("hold"), tmp.resolve("break")));
    }

    @Test
    void goesOnLookingWhereJavaOnThePathIsTooOld() throws Exception {
        jdk("old", "17.0.15", true);
        jdk("jre-only", "25.0.3", false);
        jdk("good", "25.0.3", true);
        Files.createSymbolicLink(bin.resolve("java"), tmp.resolve("jdks/old/bin/java"));
        Run run = caisson("list");
        assertThat(run.status()).as(run.toString()).isZero();
        assertThat(run.out()).contains("jdks/good/bin/java").contains("dev.caisson.cli.Main list");
    }

    @Test
    void asksAJavaWithoutReleaseFileForItsVersion() throws Exception {
        Path home = jdk("plain", "25", true);
        Files.delete(home.resolve("release"));
        executable(
                home.resolve("bin/java"),
                "#!/bin/sh\n[ \"$1\" = -version ] && { echo 'openjdk version \"26-ea\" 2026-03-17' >&2; exit; }\necho ran\n");
        assertThat(caisson("list").status()).isZero();
    }

    @Test
    void prefersJavaHome() throws Exception {
        jdk("good", "25.0.3", true);
        Path mine = tmp.resolve("elsewhere/my jdk");
        jdkAt(mine, "27", true);
        Run run = start(List.of("list"), "JAVA_HOME=" + mine).end();
        assertThat(run.out()).contains("my jdk/bin/java");
    }

    @Test
    void saysWhatToInstallWhereThereIsNoJdk() throws Exception {
        jdk("old", "21.0.1", true);
        jdk("ancient", "1.8.0_402", true);
        jdk("jre-only", "25.0.3", false);
        Run run = caisson("up");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err())
                .contains("needs a JDK 25 or newer")
                .contains("old is Java 21")
                .contains("ancient is Java 8")
                .contains("jre-only is Java 25 without a compiler")
                .contains("install one: ")
                .contains("JAVA_HOME=/path/to/jdk-25 ./caisson");
        assertThat(log).doesNotExist();
    }

    @Test
    void runsMavenOnlyWhenSourcesChanged() throws Exception {
        jdk("good", "25.0.3", true);
        assertThat(caisson("list").status()).isZero();
        assertThat(builds()).isEqualTo(1);
        assertThat(log).content().contains("-pl cli -am").contains("-Dfast");

        assertThat(caisson("list", "x").err())
                .as("nothing to build, nothing to say")
                .isEmpty();
        assertThat(builds()).as("nothing changed").isEqualTo(1);

        Path source = root.resolve("scope/src/main/java/Scope.java");
        write(source, Files.readString(source));
        write(root.resolve("leaks/src/main/java/Leaks.java"), "class Leaks { int tests; }");
        caisson("list");
        assertThat(builds())
                .as("same content, newer time; and a module only tests need")
                .isEqualTo(1);

        write(source, "class Scope { int changed; }");
        caisson("list");
        assertThat(builds()).as("a source changed").isEqualTo(2);

        write(root.resolve("scope/src/main/java/New.java"), "class New {}");
        caisson("list");
        assertThat(builds()).as("a source is new").isEqualTo(3);
        try (var kept = Files.list(root.resolve("cli/target/launcher"))) {
            assertThat(kept).as("jars of older sources are removed").hasSize(1);
        }
    }

    @Test
    void aFailedBuildShowsTheCompilersErrorAndIsNotTakenForBuilt() throws Exception {
        jdk("good", "25.0.3", true);
        Files.createFile(tmp.resolve("break"));
        Run run = caisson("up");
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.err())
                .contains("not a statement")
                .contains("the build failed")
                .contains(".caisson/build.log");
        assertThat(run.out()).isEmpty();
        Files.delete(tmp.resolve("break"));
        assertThat(caisson("up").status()).isZero();
        assertThat(builds()).isEqualTo(2);
    }

    @Test
    void twoStartsAtOnceBuildOnce() throws Exception {
        buildOnceFromTwoStarts("PATH=" + bin + ":/usr/bin:/bin");
    }

    @Test
    void twoStartsAtOnceBuildOnceWithoutFlock() throws Exception {
        buildOnceFromTwoStarts("PATH=" + bin + ":" + toolsWithoutFlock());
        assertThat(root.resolve(".caisson/build.lock.d")).doesNotExist();
    }

    @Test
    void takesOverTheLockOfADeadProcess() throws Exception {
        jdk("good", "25.0.3", true);
        Process gone = new ProcessBuilder("true").start();
        gone.waitFor();
        write(root.resolve(".caisson/build.lock.d/pid"), gone.pid() + "\n");
        Run run = start(List.of("list"), "PATH=" + bin + ":" + toolsWithoutFlock())
                .end();
        assertThat(run.status()).as(run.toString()).isZero();
        assertThat(builds()).isEqualTo(1);
    }

    @Test
    void helpNeedsNoJdkAndNoBuild() throws Exception {
        Run run = caisson("help");
        assertThat(run.status()).isZero();
        assertThat(run.out())
                .contains("./caisson up", "./caisson store", "./caisson call", "./caisson test", "./caisson bench");
        assertThat(log).doesNotExist();
    }

    private void buildOnceFromTwoStarts(String path) throws Exception {
        jdk("good", "25.0.3", true);
        Path hold = Files.createFile(tmp.resolve("hold"));
        Started first = start(List.of("list", "first"), path);
        await().atMost(PATIENCE).until(() -> Files.exists(log));
        Started second = start(List.of("list", "second"), path);
        await().atMost(PATIENCE).until(() -> Files.readString(second.err()).contains("waiting"));
        Files.delete(hold);
        assertThat(first.end().out()).contains("Main list first");
        assertThat(second.end().out()).contains("Main list second");
        assertThat(log).content().containsPattern("(?s)^start [^\n]*\nend\n$");
    }

    private long builds() throws IOException {
        try (var lines = Files.lines(log)) {
            return lines.filter(line -> line.startsWith("start")).count();
        }
    }

    private Run caisson(String... arguments) throws Exception {
        return start(List.of(arguments), "PATH=" + bin + ":/usr/bin:/bin").end();
    }

    private Started start(List<String> arguments, String setting) throws IOException {
        Path out = Files.createTempFile(tmp, "out", "");
        Path err = Files.createTempFile(tmp, "err", "");
        var command = new ArrayList<>(List.of("bash", root.resolve("caisson").toString()));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(root.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        var environment = builder.environment();
        environment
                .keySet()
                .removeIf(name -> name.startsWith("CAISSON") || name.startsWith("MAVEN") || name.startsWith("JAVA"));
        environment.put("HOME", tmp.toString());
        environment.put("PATH", bin + ":/usr/bin:/bin");
        environment.put("CAISSON_JDK_PLACES", tmp + "/jdks/*");
        environment.put(setting.substring(0, setting.indexOf('=')), setting.substring(setting.indexOf('=') + 1));
        return new Started(builder.start(), out, err);
    }

    private Path jdk(String name, String version, boolean compiler) throws IOException {
        Path home = tmp.resolve("jdks").resolve(name);
        jdkAt(home, version, compiler);
        return home;
    }

    private static void jdkAt(Path home, String version, boolean compiler) throws IOException {
        write(home.resolve("release"), "IMPLEMENTOR=\"Test\"\nJAVA_VERSION=\"" + version + "\"\n");
        executable(home.resolve("bin/java"), JAVA_25);
        if (compiler) {
            executable(home.resolve("bin/javac"), JAVA_25);
        }
    }

    private String toolsWithoutFlock() throws IOException {
        Path tools = Files.createDirectories(tmp.resolve("tools"));
        for (String tool : List.of(
                "bash",
                "sh",
                "sed",
                "head",
                "dirname",
                "readlink",
                "uname",
                "awk",
                "tr",
                "grep",
                "cut",
                "find",
                "sort",
                "xargs",
                "sha256sum",
                "mkdir",
                "rm",
                "mv",
                "cp",
                "cat",
                "sleep",
                "touch",
                "tail")) {
            Path usr = Path.of("/usr/bin", tool);
            Path real = Files.exists(usr) ? usr : Path.of("/bin", tool);
            executable(tools.resolve(tool), "#!/bin/sh\nexec " + real + " \"$@\"\n");
        }
        return tools.toString();
    }

    private static void write(Path file, String text) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private static void executable(Path file, String text) throws IOException {
        write(file, text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private record Run(int status, String out, String err) {}

    private record Started(Process process, Path out, Path err) {
        Run end() throws Exception {
            assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .as(Files.readString(err))
                    .isTrue();
            return new Run(process.exitValue(), Files.readString(out), Files.readString(err));
        }
    }
}
