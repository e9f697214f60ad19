package dev.caisson.gateway.generic;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.GenericDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.ExtensionRegistry;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Linked descriptors by name. What goes in is hostile until it has passed: counted, ordered without recursion, checked
 * by protobuf's own linker. A file that fails leaves the pool as it was.
 */
final class DescriptorPool {
    /*
     * Locks: every field below is guarded by this. Nothing under the lock blocks or calls out, except protobuf's linker.
     */
    private final CatalogLimits limits;
    private final Map<String, FileDescriptor> files = new HashMap<>();
    private final Map<String, GenericDescriptor> symbols = new TreeMap<>();
    private long bytes;

    DescriptorPool(CatalogLimits limits) {
        this.limits = limits;
    }

    synchronized boolean hasFile(String name) {
        return files.containsKey(name);
    }

    synchronized @Nullable GenericDescriptor symbol(String fullName) {
        return symbols.get(fullName);
    }

    /** A registry for parsing; a copy, because protobuf's is not thread-safe and this pool may still grow. */
    synchronized ExtensionRegistry extensions() {
        ExtensionRegistry copy = ExtensionRegistry.newInstance();
        for (GenericDescriptor symbol : symbols.values()) {
            if (symbol instanceof FieldDescriptor extension) {
                register(copy, extension);
            }
        }
        return copy;
    }

    synchronized List<String> services() {
        return symbols.values().stream()
                .filter(ServiceDescriptor.class::isInstance)
                .map(GenericDescriptor::getFullName)
                .toList();
    }

    /** Names of everything there is, sorted. */
    synchronized List<String> names() {
        return List.copyOf(symbols.keySet());
    }

    /**
     * Links files that may import each other, files already in the pool, and protobuf's own.
     *
     * @param protos by file name, in any order
     * @param source who gave them, for messages: "the server", a path
     * @throws CatalogException if one is missing, circular, contradictory or too much; the pool is then unchanged
     */
    synchronized void link(Map<String, FileDescriptorProto> protos, String source) {
        Map<String, FileDescriptor> linked = new HashMap<>();
        long size = bytes;
        for (FileDescriptorProto proto : protos.values()) {
            size += proto.getSerializedSize();
        }
        if (size > limits.maxBytes()) {
            throw tooLarge(source, "bytes of descriptors", limits.maxBytes());
        }
        if (files.size() + protos.size() > limits.maxFiles()) {
            throw tooLarge(source, "files", limits.maxFiles());
        }
        for (FileDescriptorProto proto : importOrder(protos, source)) {
            if (!files.containsKey(proto.getName())) {
                linked.put(proto.getName(), linkOne(proto, linked, source));
            }
        }
        Map<String, GenericDescriptor> found = new HashMap<>();
        for (FileDescriptor file : linked.values()) {
            index(file, found);
            if (symbols.size() + found.size() > limits.maxSymbols()) {
                throw tooLarge(source, "symbols", limits.maxSymbols());
            }
        }
        bytes = size;
        files.putAll(linked);
        symbols.putAll(found);
    }

    private CatalogException tooLarge(String source, String what, long limit) {
        return new CatalogException(
                CatalogException.Code.TOO_LARGE, source + " describes more than " + limit + " " + what);
    }

    /** What is imported before what imports it; depth-first with a stack of its own, so that no input can overflow ours. */
    private List<FileDescriptorProto> importOrder(Map<String, FileDescriptorProto> protos, String source) {
        List<FileDescriptorProto> order = new ArrayList<>();
        Set<String> done = new LinkedHashSet<>();
        for (String root : protos.keySet()) {
            Deque<String> path = new ArrayDeque<>();
            Deque<Integer> nextImport = new ArrayDeque<>();
            Set<String> onPath = new LinkedHashSet<>();
            if (!done.contains(root)) {
                path.push(root);
                nextImport.push(0);
                onPath.add(root);
            }
            while (!path.isEmpty()) {
                String name = path.element();
                FileDescriptorProto proto = protos.get(name);
                int at = nextImport.pop();
                if (proto == null || at == proto.getDependencyCount()) {
                    path.pop();
                    onPath.remove(name);
                    if (done.add(name) && proto != null) {
                        order.add(proto);
                    }
                    continue;
                }
                nextImport.push(at + 1);
                String dependency = proto.getDependency(at);
                if (onPath.contains(dependency)) {
                    throw bad(source, "file " + name + " imports " + dependency + ", which imports it again", null);
                }
                if (!done.contains(dependency)) {
                    if (path.size() >= limits.maxImportDepth()) {
                        throw tooLarge(source, "imports one inside the other", limits.maxImportDepth());
                    }
                    path.push(dependency);
                    nextImport.push(0);
                    onPath.add(dependency);
                }
            }
        }
        return order;
    }

    private FileDescriptor linkOne(FileDescriptorProto proto, Map<String, FileDescriptor> linked, String source) {
        String name = proto.getName();
        List<FileDescriptor> imports = new ArrayList<>();
        for (String dependency : proto.getDependencyList()) {
            FileDescriptor file = linked.get(dependency);
            file = file != null ? file : files.get(dependency);
            file = file != null ? file : WellKnownTypes.FILES.get(dependency);
            if (file == null) {
                throw bad(source, "file " + name + " imports " + dependency + ", which is not there", null);
            }
            imports.add(file);
        }
        try {
            return FileDescriptor.buildFrom(proto, imports.toArray(FileDescriptor[]::new));
        } catch (DescriptorValidationException e) {
            throw bad(source, "file " + name + " does not link: " + e.getMessage(), e);
        } catch (RuntimeException | StackOverflowError e) {
            // protobuf's linker trusts its input: what it trips over is still only a bad descriptor
            throw bad(source, "file " + name + " does not link: " + e, e);
        }
    }

    private static CatalogException bad(String source, String problem, @Nullable Throwable cause) {
        return new CatalogException(
                CatalogException.Code.BAD_DESCRIPTORS,
                source + " gives descriptors that cannot be used: " + CatalogException.shorten(problem),
                cause);
    }

    private void index(FileDescriptor file, Map<String, GenericDescriptor> into) {
        file.getMessageTypes().forEach(type -> index(type, into));
        file.getEnumTypes().forEach(type -> into.put(type.getFullName(), type));
        file.getExtensions().forEach(extension -> index(extension, into));
        for (ServiceDescriptor service : file.getServices()) {
            into.put(service.getFullName(), service);
            for (MethodDescriptor method : service.getMethods()) {
                into.put(method.getFullName(), method);
            }
        }
    }

    /* Recursion is bounded: protobuf parses at most 100 messages one inside the other. */
    private void index(Descriptor type, Map<String, GenericDescriptor> into) {
        into.put(type.getFullName(), type);
        type.getNestedTypes().forEach(nested -> index(nested, into));
        for (EnumDescriptor nested : type.getEnumTypes()) {
            into.put(nested.getFullName(), nested);
        }
        type.getExtensions().forEach(extension -> index(extension, into));
    }

    private static void index(FieldDescriptor extension, Map<String, GenericDescriptor> into) {
        into.put(extension.getFullName(), extension);
    }

    private static void register(ExtensionRegistry registry, FieldDescriptor extension) {
        if (extension.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
            registry.add(extension, DynamicMessage.getDefaultInstance(extension.getMessageType()));
        } else {
            registry.add(extension);
        }
    }
}
