package dev.caisson.cli;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code caisson completion bash}: a script for the shell. */
@Command(
        name = "completion",
        description =
                "Prints a completion script for bash; zsh takes it too, after `autoload -U bashcompinit; bashcompinit`.",
        abbreviateSynopsis = true,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  source <(caisson completion bash)",
            "  caisson completion bash > ~/.local/share/bash-completion/completions/caisson"
        })
final class CompletionCommand implements Callable<Integer> {
    /** Shells that the script is for. */
    enum Shell {
        bash
    }

    @ParentCommand
    private @Nullable Main main;

    @Spec
    private @Nullable CommandSpec spec;

    @Parameters(paramLabel = "SHELL", description = "One of: ${COMPLETION-CANDIDATES}.")
    Shell shell = Shell.bash;

    @Mixin
    HelpOption help = new HelpOption();

    @Override
    public Integer call() {
        if (spec != null) {
            Targets.console(main)
                    .line(AutoComplete.bash("caisson", spec.root().commandLine())
                            .stripTrailing());
        }
        return 0;
    }
}
