package dev.caisson.cli;

import dev.caisson.gateway.generic.CatalogLimits;
import dev.caisson.gateway.generic.DescriptorCatalog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Where descriptors come from if not from the server. */
final class SchemaOptions {
    @Option(
            names = "--proto",
            order = 30,
            paramLabel = "FILE",
            description = "Read services from this .proto file instead of asking the server. As often as you like.")
    List<Path> protos = new ArrayList<>();

    @Option(
            names = {"-I", "--import-path"},
            order = 31,
            paramLabel = "DIR",
            description = "Where --proto files and their imports are looked for. Default: the folder of each file.")
    List<Path> importPaths = new ArrayList<>();

    @Option(
            names = "--descriptor-set",
            order = 32,
            paramLabel = "FILE",
            description = "Read services from what protoc --include_imports --descriptor_set_out wrote.")
    List<Path> descriptorSets = new ArrayList<>();

    /** Whether the server need not be asked. */
    boolean fromFiles() {
        return !protos.isEmpty() || !descriptorSets.isEmpty();
    }

    /** The catalog of the files; only if {@link #fromFiles()}. */
    DescriptorCatalog read() throws IOException {
        if (!protos.isEmpty() && !descriptorSets.isEmpty()) {
            throw Failure.usage("--proto and --descriptor-set are two ways to say the same: give one of them");
        }
        return protos.isEmpty()
                ? DescriptorCatalog.read(descriptorSets, CatalogLimits.DEFAULT)
                : ProtoFiles.read(protos, importPaths, CatalogLimits.DEFAULT);
    }
}
