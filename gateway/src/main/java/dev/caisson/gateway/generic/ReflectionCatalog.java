package dev.caisson.gateway.generic;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.GenericDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.ExtensionRegistry;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.caisson.rpc.reflection.v1.ErrorResponse;
import dev.caisson.rpc.reflection.v1.ExtensionRequest;
import dev.caisson.rpc.reflection.v1.ServerReflectionRequest;
import dev.caisson.rpc.reflection.v1.ServerReflectionResponse;
import dev.caisson.rpc.reflection.v1.ServiceResponse;
import io.grpc.Channel;
import io.grpc.Deadline;
import io.grpc.Status;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The services of a running server, asked by its reflection service: {@code grpc.reflection.v1}, or {@code v1alpha}
 * where the server does not know that. Each look-up that is not answered from memory opens one stream and ends it; none
 * stays open. Look-ups block; call them from a virtual thread, never from an event loop.
 *
 * <p>The server is not trusted: {@link CatalogLimits} bound what it may send and how long it may take.
 */
public final class ReflectionCatalog implements ServiceCatalog {
    /*
     * Threads: any. The pool has its own lock; questions to the server are asked under none, so that two threads may ask
     * the same at once: both answers are the same files, and the pool keeps the first. Whoever must not ask twice puts a
     * single flight in front (the gateway does).
     */
    private static final int MAX_MISSES = 1_000;
    private static final int MAX_EXTENSIONS = 1_000;

    private final Channel channel;
    private final CatalogLimits limits;
    private final DescriptorPool pool;
    private final Set<String> misses = ConcurrentHashMap.newKeySet();
    private final Set<String> failed = ConcurrentHashMap.newKeySet();
    private final Set<String> extended = ConcurrentHashMap.newKeySet();
    private volatile ReflectionStream.@Nullable Version version;
    private volatile @Nullable List<String> services;

    private ReflectionCatalog(Channel channel, CatalogLimits limits) {
        this.channel = channel;
        this.limits = limits;
        this.pool = new DescriptorPool(limits);
    }

    /** A catalog of the server behind the channel, which stays the caller's. Asks nothing yet. */
    public static ReflectionCatalog of(Channel channel) {
        return of(channel, CatalogLimits.DEFAULT);
    }

    /** As {@link #of(Channel)}, with other limits. */
    public static ReflectionCatalog of(Channel channel, CatalogLimits limits) {
        return new ReflectionCatalog(channel, limits);
    }

    @Override
    public List<String> services() {
        List<String> known = services;
        if (known == null) {
            known = ask(this::listServices);
            services = known;
        }
        return known;
    }

    @Override
    public ServiceDescriptor service(String fullName) {
        if (load(fullName) instanceof ServiceDescriptor service) {
            return service;
        }
        throw CatalogException.unknown("service", fullName, "on the server", services());
    }

    @Override
    public GenericDescriptor symbol(String fullName) {
        String name = Symbols.plain(fullName);
        GenericDescriptor found = load(name);
        if (found != null) {
            return found;
        }
        services().forEach(this::load); // so that their methods and types can be suggested
        throw CatalogException.unknown("service, method or type", name, "on the server", names());
    }

    private List<String> names() {
        Set<String> names = new HashSet<>(pool.names());
        names.addAll(services());
        return names.stream().sorted().toList();
    }

    @Override
    public @Nullable Descriptor messageType(String fullName) {
        Descriptor wellKnown = WELL_KNOWN.messageType(fullName);
        return wellKnown != null ? wellKnown : loadQuietly(fullName) instanceof Descriptor type ? type : null;
    }

    @Override
    public @Nullable FieldDescriptor extension(String fullName) {
        return loadQuietly(fullName) instanceof FieldDescriptor extension ? extension : null;
    }

    @Override
    public ExtensionRegistry extensions() {
        return pool.extensions();
    }

    /**
     * Asks for the extensions of a type, so that {@link #extensions()} has them. Does nothing for a type that has no
     * extension range, or that was asked for before; a server that cannot tell is taken as having none.
     */
    public void loadExtensionsOf(Descriptor type) {
        String name = type.getFullName();
        if (!type.isExtendable() || !extended.add(name)) {
            return;
        }
        try {
            ask(stream -> {
                loadExtensions(stream, name);
                return name;
            });
        } catch (CatalogException e) {
            if (e.code() != CatalogException.Code.UNKNOWN_NAME && e.code() != CatalogException.Code.CALL_FAILED) {
                throw e;
            }
        }
    }

    private @Nullable GenericDescriptor loadQuietly(String fullName) {
        if (failed.contains(fullName)) {
            return null;
        }
        try {
            return load(fullName);
        } catch (CatalogException e) {
            remember(failed, fullName); // or each of a thousand replies would wait for it again
            return null;
        }
    }

    private static void remember(Set<String> misses, String name) {
        if (misses.size() < MAX_MISSES) {
            misses.add(name);
        }
    }

    /** From the pool, or from the server with all it imports; null if the server does not know it. */
    private @Nullable GenericDescriptor load(String name) {
        GenericDescriptor known = pool.symbol(name);
        if (known != null || misses.contains(name)) {
            return known;
        }
        ServerReflectionRequest question = ServerReflectionRequest.newBuilder()
                .setFileContainingSymbol(name)
                .build();
        boolean found = ask(stream -> {
            ServerReflectionResponse answer = stream.ask(question);
            if (answer.hasErrorResponse() && isNotFound(answer.getErrorResponse())) {
                return false;
            }
            link(stream, filesOf(answer, "symbol " + name));
            return true;
        });
        GenericDescriptor loaded = pool.symbol(name);
        if (loaded == null) {
            if (found && services().contains(name)) {
                throw new CatalogException(
                        CatalogException.Code.BAD_DESCRIPTORS,
                        "the server lists service " + CatalogException.shorten(name)
                                + ", and sends a file for it that does not define it");
            }
            remember(misses, name);
        }
        return loaded;
    }

    private static boolean isNotFound(ErrorResponse error) {
        // grpc-java before 1.50 and some Go servers answer an unknown symbol with UNKNOWN or INVALID_ARGUMENT
        int code = error.getErrorCode();
        return code == Status.Code.NOT_FOUND.value()
                || code == Status.Code.UNKNOWN.value()
                || code == Status.Code.INVALID_ARGUMENT.value();
    }

    private List<String> listServices(ReflectionStream stream) {
        ServerReflectionResponse answer = stream.ask(
                ServerReflectionRequest.newBuilder().setListServices("*").build());
        if (!answer.hasListServicesResponse()) {
            throw unexpected("the list of services", answer);
        }
        if (answer.getListServicesResponse().getServiceCount() > limits.maxSymbols()) {
            throw new CatalogException(
                    CatalogException.Code.TOO_LARGE, "the server lists more than " + limits.maxSymbols() + " services");
        }
        return answer.getListServicesResponse().getServiceList().stream()
                .map(ServiceResponse::getName)
                .distinct()
                .sorted()
                .toList();
    }

    /** Links the files together with what they import; asks for what the server did not send along. */
    private void link(ReflectionStream stream, Map<String, FileDescriptorProto> files) {
        Deque<String> missing = new ArrayDeque<>();
        Set<String> asked = new HashSet<>(files.keySet());
        files.values().forEach(file -> missing.addAll(file.getDependencyList()));
        long bytes = 0;
        while (!missing.isEmpty()) {
            String name = missing.pop();
            if (!asked.add(name) || pool.hasFile(name)) {
                continue;
            }
            for (FileDescriptorProto file : fileByName(stream, name).values()) {
                bytes += file.getSerializedSize();
                if (files.size() >= limits.maxFiles() || bytes > limits.maxBytes()) {
                    throw new CatalogException(
                            CatalogException.Code.TOO_LARGE,
                            "the server describes more than " + limits.maxFiles() + " files or " + limits.maxBytes()
                                    + " bytes of descriptors");
                }
                if (files.putIfAbsent(file.getName(), file) == null) {
                    missing.addAll(file.getDependencyList());
                }
            }
        }
        files.keySet().removeIf(pool::hasFile);
        pool.link(files, "the server");
    }

    private Map<String, FileDescriptorProto> fileByName(ReflectionStream stream, String name) {
        ServerReflectionResponse answer = stream.ask(
                ServerReflectionRequest.newBuilder().setFileByFilename(name).build());
        if (answer.hasErrorResponse()) {
            if (WellKnownTypes.FILES.containsKey(name)) {
                return Map.of(); // the linker takes ours
            }
            throw new CatalogException(
                    CatalogException.Code.BAD_DESCRIPTORS,
                    "the server's descriptors import " + CatalogException.shorten(name)
                            + ", which its reflection does not have ("
                            + CatalogException.shorten(answer.getErrorResponse().getErrorMessage())
                            + "); describe it from files instead: --proto or --descriptor-set");
        }
        Map<String, FileDescriptorProto> files = filesOf(answer, "file " + name);
        if (!files.containsKey(name) && files.size() == 1) {
            // Go servers may register a file under another path than it is imported by
            FileDescriptorProto only = files.values().iterator().next();
            return Map.of(name, only.toBuilder().setName(name).build());
        }
        return files;
    }

    private static Map<String, FileDescriptorProto> filesOf(ServerReflectionResponse answer, String what) {
        if (!answer.hasFileDescriptorResponse()
                || answer.getFileDescriptorResponse().getFileDescriptorProtoCount() == 0) {
            throw unexpected(what, answer);
        }
        Map<String, FileDescriptorProto> files = new LinkedHashMap<>();
        for (ByteString bytes : answer.getFileDescriptorResponse().getFileDescriptorProtoList()) {
            try {
                FileDescriptorProto file = FileDescriptorProto.parseFrom(bytes);
                files.putIfAbsent(file.getName(), file);
            } catch (InvalidProtocolBufferException e) {
                throw new CatalogException(
                        CatalogException.Code.BAD_DESCRIPTORS,
                        "the server answers " + CatalogException.shorten(what)
                                + " with bytes that are no file descriptor: " + e.getMessage(),
                        e);
            }
        }
        return files;
    }

    private void loadExtensions(ReflectionStream stream, String type) {
        ServerReflectionResponse numbers = stream.ask(ServerReflectionRequest.newBuilder()
                .setAllExtensionNumbersOfType(type)
                .build());
        if (!numbers.hasAllExtensionNumbersResponse()) {
            return;
        }
        List<Integer> all = numbers.getAllExtensionNumbersResponse().getExtensionNumberList();
        for (int number : all.subList(0, Math.min(all.size(), MAX_EXTENSIONS))) {
            ServerReflectionResponse answer = stream.ask(ServerReflectionRequest.newBuilder()
                    .setFileContainingExtension(ExtensionRequest.newBuilder()
                            .setContainingType(type)
                            .setExtensionNumber(number))
                    .build());
            if (answer.hasFileDescriptorResponse()) {
                link(stream, filesOf(answer, "extension " + number + " of " + type));
            }
        }
    }

    private static CatalogException unexpected(String what, ServerReflectionResponse answer) {
        String got = answer.hasErrorResponse()
                ? "error " + answer.getErrorResponse().getErrorCode() + ": "
                        + CatalogException.shorten(answer.getErrorResponse().getErrorMessage())
                : answer.getMessageResponseCase().toString();
        return new CatalogException(
                CatalogException.Code.BAD_DESCRIPTORS,
                "the server's reflection, asked for " + CatalogException.shorten(what) + ", answers " + got);
    }

    /** One stream for a few questions; v1 first, then v1alpha, then the one that worked. */
    private <T> T ask(Function<ReflectionStream, T> questions) {
        Deadline deadline = Deadline.after(limits.deadline().toNanos(), TimeUnit.NANOSECONDS);
        ReflectionStream.Version known = version;
        if (known != null) {
            return ask(known, deadline, questions);
        }
        for (ReflectionStream.Version candidate : ReflectionStream.Version.values()) {
            try {
                T answer = ask(candidate, deadline, questions);
                version = candidate;
                return answer;
            } catch (ReflectionStream.Failure e) {
                if (e.status().getCode() != Status.Code.UNIMPLEMENTED) {
                    throw e.toCatalogException();
                }
            } catch (CatalogException e) {
                version = candidate; // it answered, if badly
                throw e;
            }
        }
        throw new CatalogException(
                CatalogException.Code.NO_REFLECTION,
                "the server offers no reflection, neither grpc.reflection.v1 nor v1alpha; turn it on there, or describe "
                        + "the services from files");
    }

    private <T> T ask(ReflectionStream.Version with, Deadline deadline, Function<ReflectionStream, T> questions) {
        try (ReflectionStream stream = ReflectionStream.open(channel, with, deadline)) {
            return questions.apply(stream);
        } catch (ReflectionStream.Failure e) {
            if (version != null) {
                throw e.toCatalogException();
            }
            throw e;
        }
    }
}
