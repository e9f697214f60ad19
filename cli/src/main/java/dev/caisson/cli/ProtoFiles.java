package dev.caisson.cli;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.squareup.wire.schema.Field;
import com.squareup.wire.schema.Location;
import com.squareup.wire.schema.MessageType;
import com.squareup.wire.schema.ProtoFile;
import com.squareup.wire.schema.Schema;
import com.squareup.wire.schema.SchemaException;
import com.squareup.wire.schema.SchemaLoader;
import com.squareup.wire.schema.Type;
import com.squareup.wire.schema.internal.SchemaEncoder;
import dev.caisson.gateway.generic.CatalogLimits;
import dev.caisson.gateway.generic.DescriptorCatalog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import okio.FileSystem;
import org.jspecify.annotations.Nullable;

/**
 * {@code .proto} files to descriptors, without protoc: parsed and linked by Wire (square/wire, Apache-2.0), which knows
 * proto2 and proto3 but neither groups nor editions; what it cannot, the error says, with {@code --descriptor-set} as
 * the way out. Protobuf's own imports ({@code google/protobuf/*.proto}) need not be there.
 */
final class ProtoFiles {
    private static final long MAX_FILE_BYTES = 16L << 20;

    /** Comments and strings. */
    private static final Pattern WITHOUT_CODE =
            Pattern.compile("//[^\\n]*|/\\*(?s:.*?)\\*/|\"(?:[^\"\\\\\\n]|\\\\.)*+\"|'(?:[^'\\\\\\n]|\\\\.)*+'");

    private static final Pattern UNSUPPORTED = Pattern.compile("\\A\\s*(?<edition>edition\\s*=)"
            + "|(?:\\b(?:optional|required|repeated)|[{;}])\\s*(?<group>group\\s+\\w+\\s*=\\s*\\w+)\\s*[\\[{]");

    private ProtoFiles() {}

    /**
     * Reads files.
     *
     * @param files {@code .proto} files, as paths or as named relative to an import path
     * @param importPaths where they and their imports are; the folder of each file if empty
     */
    static DescriptorCatalog read(List<Path> files, List<Path> importPaths, CatalogLimits limits) throws IOException {
        Set<Path> roots = new LinkedHashSet<>(importPaths);
        List<Location> sources = new ArrayList<>();
        Set<String> names = new LinkedHashSet<>();
        for (Path file : files) {
            Location location = locate(file, importPaths);
            roots.add(Path.of(location.getBase()));
            sources.add(location);
            names.add(location.getPath());
        }
        for (Path root : roots) {
            if (!Files.isDirectory(root)) {
                throw Failure.usage("--import-path names " + root + ", which is no folder");
            }
        }
        SchemaLoader loader = new SchemaLoader(FileSystem.SYSTEM);
        try {
            for (Location source : sources) {
                refuse(Path.of(source.getBase(), source.getPath()), source.getPath());
            }
            loader.setPermitPackageCycles(true);
            loader.initRoots(
                    sources,
                    roots.stream().map(root -> Location.get(root.toString())).toList());
            return DescriptorCatalog.of(encode(loader.loadSchema()), String.join(", ", names), limits);
        } catch (SchemaException | IllegalStateException | IllegalArgumentException | StackOverflowError e) {
            throw Failure.usage("the .proto files cannot be used: " + firstLines(e.getMessage())
                    + " (groups and editions need protoc: --descriptor-set)");
        }
    }

    /** What Wire takes for something else, or calls a syntax error, by its name. */
    private static void refuse(Path file, String name) throws IOException {
        String source = WITHOUT_CODE.matcher(Files.readString(file)).replaceAll(ProtoFiles::blank);
        Matcher unsupported = UNSUPPORTED.matcher(source);
        if (unsupported.find()) {
            boolean edition = unsupported.group("edition") != null;
            long line = source.substring(0, unsupported.start(edition ? "edition" : "group"))
                            .chars()
                            .filter(c -> c == '\n')
                            .count()
                    + 1;
            throw Failure.usage(name + ":" + line + " uses "
                    + (edition
                            ? "editions (\"edition = ...\")"
                            : "a proto2 group (\"" + unsupported.group("group") + "\")")
                    + ", which .proto files given by --proto cannot; compile them with"
                    + " `protoc --include_imports --descriptor_set_out=set.pb " + name
                    + "` and give --descriptor-set set.pb");
        }
    }

    /** Keeps the lines, and quotes, of what is no code. */
    private static String blank(MatchResult found) {
        return found.group().startsWith("/") ? found.group().replaceAll("[^\n]", " ") : "\"\"";
    }

    private static String firstLines(@Nullable String message) {
        return message == null
                ? "nested too deep"
                : message.lines().limit(8).reduce((a, b) -> a + "\n" + b).orElse("");
    }

    private static Location locate(Path file, List<Path> importPaths) throws IOException {
        for (Path root : importPaths) {
            if (file.toAbsolutePath()
                            .normalize()
                            .startsWith(root.toAbsolutePath().normalize())
                    && Files.exists(file)) {
                Path name = root.toAbsolutePath()
                        .normalize()
                        .relativize(file.toAbsolutePath().normalize());
                return checked(root, name);
            }
            if (Files.exists(root.resolve(file))) {
                return checked(root, file);
            }
        }
        if (!Files.exists(file)) {
            throw Failure.usage("there is no file " + file
                    + (importPaths.isEmpty() ? "" : ", neither here nor under " + importPaths));
        }
        Path folder = file.toAbsolutePath().normalize().getParent();
        Path name = file.getFileName();
        if (folder == null || name == null) {
            throw Failure.usage(file + " is no .proto file");
        }
        return checked(folder, name);
    }

    private static Location checked(Path root, Path name) throws IOException {
        if (Files.isDirectory(root.resolve(name))) {
            throw Failure.usage(root.resolve(name) + " is a folder; name its .proto files one by one");
        }
        if (Files.size(root.resolve(name)) > MAX_FILE_BYTES) {
            throw Failure.usage(root.resolve(name) + " is larger than " + MAX_FILE_BYTES + " bytes");
        }
        return Location.get(root.toString(), name.toString());
    }

    private static List<FileDescriptorProto> encode(Schema schema) throws IOException {
        SchemaEncoder encoder = new SchemaEncoder(schema);
        List<FileDescriptorProto> files = new ArrayList<>();
        for (ProtoFile file : schema.getProtoFiles()) {
            String name = file.getLocation().getPath();
            if (name.startsWith("google/protobuf/") || name.startsWith("wire/")) {
                continue; // protobuf's own are taken from protobuf, Wire's own are nobody's
            }
            FileDescriptorProto.Builder proto =
                    FileDescriptorProto.parseFrom(encoder.encode(file).toByteArray()).toBuilder();
            for (int i = 0; i < proto.getMessageTypeCount(); i++) {
                addJsonNames(proto.getMessageTypeBuilder(i), file.getTypes());
            }
            files.add(proto.build());
        }
        return files;
    }

    /** Wire's encoder drops {@code json_name}; puts it back. */
    private static void addJsonNames(DescriptorProto.Builder proto, List<Type> types) {
        for (Type type : types) {
            if (!type.getName().equals(proto.getName())) {
                continue;
            }
            if (type instanceof MessageType message) {
                for (FieldDescriptorProto.Builder field : proto.getFieldBuilderList()) {
                    Field declared = message.field(field.getName());
                    if (declared != null && declared.getDeclaredJsonName() != null) {
                        field.setJsonName(declared.getDeclaredJsonName());
                    }
                }
            }
            if (!type.getNestedTypes().isEmpty()) {
                proto.getNestedTypeBuilderList().forEach(nested -> addJsonNames(nested, type.getNestedTypes()));
            }
        }
    }
}
