package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Colours, and what a shell completes. */
class TerminalTest {
    private static final String ESCAPE = "\u001b[";

    @TempDir
    private Path folder;

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "true,  -,  xterm, true",
                "true,  '', xterm, true", // no-color.org: an empty value says nothing
                "true,  1,  xterm, false",
                "true,  -,  dumb,  false",
                "true,  -,  -,     true",
                "false, -,  xterm, false",
            })
    void coloursOnlyATerminalThatWantsThem(boolean terminal, String noColor, String term, boolean coloured) {
        Map<String, String> environment = new java.util.HashMap<>();
        if (noColor != null) {
            environment.put("NO_COLOR", noColor);
        }
        if (term != null) {
            environment.put("TERM", term);
        }
        boolean colours = Console.wantsColours(terminal, environment::get);
        assertThat(colours).isEqualTo(coloured);
        ByteArrayOutputStream told = new ByteArrayOutputStream();
        Console console = new Console(
                InputStream.nullInputStream(), new ByteArrayOutputStream(), told, colours, onInterrupt -> () -> {});
        assertThat(Main.commandLine(console).execute("list", "--nonsense")).isEqualTo(2);
        assertThat(told.toString(StandardCharsets.UTF_8).startsWith(ESCAPE)).isEqualTo(coloured);
    }

    /** On a pseudo-terminal of `script`, from the environment to the bytes. */
    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {"-, xterm, true", "1, xterm, false", "-, dumb, false"})
    void coloursARealTerminal(String noColor, String term, boolean coloured) throws Exception {
        assumeTrue(
                Files.isExecutable(Path.of("/usr/bin/script"))
                        && System.getProperty("os.name").equals("Linux"),
                "no util-linux `script` to make a terminal");
        String command = String.join(
                " ",
                "'" + Path.of(System.getProperty("java.home"), "bin", "java") + "'",
                "-Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp \"$CLASS_PATH\" dev.caisson.cli.Main list --nonsense");
        ProcessBuilder script = new ProcessBuilder(
                "/usr/bin/script",
                "-q",
                "-e",
                "-c",
                command,
                folder.resolve("typescript").toString());
        Map<String, String> environment = script.environment();
        environment.put("CLASS_PATH", System.getProperty("java.class.path"));
        environment.put("TERM", term);
        environment.remove("NO_COLOR");
        if (noColor != null) {
            environment.put("NO_COLOR", noColor);
        }
        String told = output(script, 2);
        assertThat(told).contains("--nonsense");
        assertThat(told.contains(ESCAPE)).isEqualTo(coloured);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "caisson ''                            | list describe call up completion",
                "caisson de                            | describe",
                "caisson call --t                      | --timeout --tls",
                "caisson list --pro                    | --proto",
                "caisson up --http                     | --http-port",
                "caisson completion ba                 | bash",
            })
    void bashCompletesCommandsAndOptions(String typed, String offered) throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "no bash");
        Path script = Files.writeString(
                folder.resolve("completion"), Cli.run("completion", "bash").out());
        ProcessBuilder bash = new ProcessBuilder(
                "/bin/bash",
                "-c",
                "source '" + script + "'; spec=$(complete -p caisson); COMP_WORDS=(" + typed.strip()
                        + "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_LINE=\"${COMP_WORDS[*]}\";"
                        + " COMP_POINT=${#COMP_LINE}; function_name=${spec#*-F }; ${function_name%% *};"
                        + " printf '%s\\n' \"${COMPREPLY[@]}\"");
        List<String> completions = output(bash, 0).lines().map(String::strip).toList();
        assertThat(completions)
                .containsAll(Stream.of(offered.strip().split(" ")).toList());
    }

    @Test
    void theCompletionScriptIsBash() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "no bash");
        Path script = Files.writeString(
                folder.resolve("completion"), Cli.run("completion", "bash").out());
        assertThat(output(new ProcessBuilder("/bin/bash", "-n", script.toString()), 0))
                .isEmpty();
    }

    private static String output(ProcessBuilder builder, int exitCode) throws Exception {
        Process process = builder.redirectErrorStream(true)
                .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
                .start();
        try {
            String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(out).isEqualTo(exitCode);
            return out;
        } finally {
            process.destroyForcibly().waitFor();
        }
    }
}
