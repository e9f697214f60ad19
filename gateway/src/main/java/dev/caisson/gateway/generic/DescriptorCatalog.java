package dev.caisson.gateway.generic;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.GenericDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.ExtensionRegistry;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The services of descriptor sets, as {@code protoc --include_imports --descriptor_set_out} writes them. Files of
 * protobuf itself ({@code google/protobuf/*.proto}) need not be in the set. Immutable.
 */
public final class DescriptorCatalog implements ServiceCatalog {
    private final DescriptorPool pool;
    private final ExtensionRegistry extensions;
    private final String source;

    private DescriptorCatalog(DescriptorPool pool, String source) {
        this.pool = pool;
        this.extensions = pool.extensions();
        this.source = source;
    }

    /**
     * Links files.
     *
     * @param source who gave them, for messages: a path, "--proto"
     * @throws CatalogException if an import is missing or circular, a type undefined, or a limit exceeded
     */
    public static DescriptorCatalog of(Collection<FileDescriptorProto> files, String source, CatalogLimits limits) {
        Map<String, FileDescriptorProto> byName = new LinkedHashMap<>();
        files.forEach(file -> byName.putIfAbsent(file.getName(), file));
        DescriptorPool pool = new DescriptorPool(limits);
        pool.link(byName, source);
        return new DescriptorCatalog(pool, source);
    }

    /**
     * Reads descriptor sets; a file that several contain is taken from the first.
     *
     * @throws CatalogException as {@link #of}, and if a file is not a descriptor set
     * @throws IOException if one cannot be read
     */
    public static DescriptorCatalog read(List<Path> descriptorSets, CatalogLimits limits) throws IOException {
        Map<String, FileDescriptorProto> byName = new LinkedHashMap<>();
        for (Path path : descriptorSets) {
            for (FileDescriptorProto file : readSet(path, limits).getFileList()) {
                byName.putIfAbsent(file.getName(), file);
            }
        }
        String source =
                String.join(", ", descriptorSets.stream().map(Path::toString).toList());
        return of(byName.values(), source, limits);
    }

    private static FileDescriptorSet readSet(Path path, CatalogLimits limits) throws IOException {
        try (InputStream in = Files.newInputStream(path)) {
            byte[] bytes = in.readNBytes((int) Math.min(Integer.MAX_VALUE - 8, limits.maxBytes() + 1));
            if (bytes.length > limits.maxBytes()) {
                throw new CatalogException(
                        CatalogException.Code.TOO_LARGE, path + " is larger than " + limits.maxBytes() + " bytes");
            }
            return FileDescriptorSet.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new CatalogException(
                    CatalogException.Code.BAD_DESCRIPTORS,
                    path + " is not a descriptor set (" + e.getMessage()
                            + "); write one with: protoc --include_imports --descriptor_set_out=FILE x.proto",
                    e);
        } catch (NoSuchFileException e) {
            throw new IOException("there is no file " + path, e);
        }
    }

    @Override
    public List<String> services() {
        return pool.services();
    }

    @Override
    public ServiceDescriptor service(String fullName) {
        if (pool.symbol(fullName) instanceof ServiceDescriptor service) {
            return service;
        }
        throw CatalogException.unknown("service", fullName, "in " + source, services());
    }

    @Override
    public GenericDescriptor symbol(String fullName) {
        String name = Symbols.plain(fullName);
        GenericDescriptor found = pool.symbol(name);
        if (found == null) {
            throw CatalogException.unknown("service, method or type", name, "in " + source, pool.names());
        }
        return found;
    }

    @Override
    public @Nullable Descriptor messageType(String fullName) {
        return pool.symbol(fullName) instanceof Descriptor type ? type : WELL_KNOWN.messageType(fullName);
    }

    @Override
    public @Nullable FieldDescriptor extension(String fullName) {
        return pool.symbol(fullName) instanceof FieldDescriptor extension ? extension : null;
    }

    @Override
    public ExtensionRegistry extensions() {
        return extensions;
    }
}
