package dev.caisson.cli;

import dev.caisson.store.FolderRepair;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code caisson store repair}: looks at a store's folder, and cuts its log at the first damage. */
@Command(
        name = "repair",
        description = "Reads the folder of a store that is not running and says whether it is whole.",
        abbreviateSynopsis = true,
        sortOptions = false,
        footerHeading = "%nExamples:%n",
        footer = {
            "  caisson store repair data           looks, changes nothing; exit code 1 if it is damaged",
            "  caisson store repair data --cut     cuts at the damage; what is cut stays beside it, as cut-..."
        })
final class StoreRepairCommand implements Callable<Integer> {
    @ParentCommand
    private @Nullable StoreCommand store;

    @Parameters(index = "0", paramLabel = "FOLDER", description = "What the store was started with as --dir.")
    private Path folder = Path.of("");

    @Option(
            names = "--cut",
            description = "Cut the log at the first damage: the store then opens, without the records from there on.")
    private boolean cut;

    @Mixin
    HelpOption help = new HelpOption();

    @Override
    public Integer call() throws Exception {
        if (!Files.isDirectory(folder)) {
            throw Failure.usage("there is no folder " + folder + "; give the one that the store was started with");
        }
        Console console = Targets.console(store == null ? null : store.main());
        try {
            FolderRepair.Report report = cut ? FolderRepair.cut(folder) : FolderRepair.inspect(folder);
            report.lines().forEach(console::line);
            if (!report.readable()) {
                console.line(
                        "To cut it there, and keep what is cut beside it: caisson store repair " + folder + " --cut");
            }
            return report.readable() ? 0 : 1;
        } catch (IOException failed) {
            console.error(String.valueOf(failed.getMessage()));
            return 1;
        }
    }
}
