package dev.caisson.rpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import dev.caisson.rpc.reflection.v1.ErrorResponse;
import dev.caisson.rpc.reflection.v1.ExtensionNumberResponse;
import dev.caisson.rpc.reflection.v1.ExtensionRequest;
import dev.caisson.rpc.reflection.v1.FileDescriptorResponse;
import dev.caisson.rpc.reflection.v1.ListServiceResponse;
import dev.caisson.rpc.reflection.v1.ServerReflectionGrpc;
import dev.caisson.rpc.reflection.v1.ServerReflectionRequest;
import dev.caisson.rpc.reflection.v1.ServerReflectionResponse;
import dev.caisson.rpc.reflection.v1.ServiceResponse;
import io.grpc.BindableService;
import io.grpc.InternalServer;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoFileDescriptorSupplier;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * gRPC's server reflection: tells a client which services a server has and how their messages are made, so that tools call
 * them without generated code.
 *
 * <pre>{@code
 * serverBuilder.addServices(ReflectionService.ofServer())   // v1 and v1alpha, for whatever the server serves
 * }</pre>
 *
 * <ul>
 *   <li>Knows services whose schema descriptor is a {@link ProtoFileDescriptorSupplier}, which generated ones are; others
 *       are listed but not described.
 *   <li>A file is answered with all that it imports.
 *   <li>What cannot be answered is an error response with a gRPC status code; the stream goes on.
 *   <li>Reads the next request when the answer before has left: a client that does not read costs one answer.
 * </ul>
 *
 * <p>Safe for use by any thread. Source: gRPC's server-reflection.md.
 */
public final class ReflectionService implements BindableService {
    /* Implementation note. v1 and v1alpha are the same on the wire (same numbers and types), so one implementation over the
     * messages of v1 serves both under two names. The index of a list of services is made on the first request and again
     * when the list is another one (a server with a mutable registry). */

    private static final int DESCRIPTOR_CACHE_FILES = 10_000; // more files are serialized each time

    private final Supplier<? extends List<ServerServiceDefinition>> services;
    private final boolean alpha;
    private volatile @Nullable Index index;

    private ReflectionService(Supplier<? extends List<ServerServiceDefinition>> services, boolean alpha) {
        this.services = services;
        this.alpha = alpha;
    }

    /**
     * Both versions, over whatever services the server has that takes the call: ours, or any other that names itself in
     * the call's context as grpc-java's does.
     */
    public static List<ServerServiceDefinition> ofServer() {
        return of(ReflectionService::servicesOfCurrentServer);
    }

    /** Both versions, over the services supplied; asked for on each stream. */
    public static List<ServerServiceDefinition> of(Supplier<? extends List<ServerServiceDefinition>> services) {
        return List.of(v1(services).bindService(), v1alpha(services).bindService());
    }

    /** {@code grpc.reflection.v1.ServerReflection} alone. */
    public static ReflectionService v1(Supplier<? extends List<ServerServiceDefinition>> services) {
        return new ReflectionService(services, false);
    }

    /** {@code grpc.reflection.v1alpha.ServerReflection} alone, which older tools ask for. */
    public static ReflectionService v1alpha(Supplier<? extends List<ServerServiceDefinition>> services) {
        return new ReflectionService(services, true);
    }

    static List<ServerServiceDefinition> servicesOfCurrentServer() {
        Server server = InternalServer.SERVER_CONTEXT_KEY.get();
        if (server == null) {
            throw Status.FAILED_PRECONDITION
                    .withDescription("reflection: this server does not name itself in the call's context;"
                            + " use ReflectionService.of(services) instead of ofServer()")
                    .asRuntimeException();
        }
        return server.getServices();
    }

    @Override
    public ServerServiceDefinition bindService() {
        io.grpc.MethodDescriptor<ServerReflectionRequest, ServerReflectionResponse> v1 =
                ServerReflectionGrpc.getServerReflectionInfoMethod();
        io.grpc.ServiceDescriptor service = ServerReflectionGrpc.getServiceDescriptor();
        io.grpc.MethodDescriptor<ServerReflectionRequest, ServerReflectionResponse> method = v1;
        if (alpha) {
            io.grpc.ServiceDescriptor alphaService =
                    dev.caisson.rpc.reflection.v1alpha.ServerReflectionGrpc.getServiceDescriptor();
            io.grpc.MethodDescriptor<?, ?> alphaMethod =
                    dev.caisson.rpc.reflection.v1alpha.ServerReflectionGrpc.getServerReflectionInfoMethod();
            method = v1.toBuilder()
                    .setFullMethodName(alphaMethod.getFullMethodName())
                    .setSchemaDescriptor(alphaMethod.getSchemaDescriptor())
                    .build();
            service = io.grpc.ServiceDescriptor.newBuilder(alphaService.getName())
                    .setSchemaDescriptor(alphaService.getSchemaDescriptor())
                    .addMethod(method)
                    .build();
        }
        return ServerServiceDefinition.builder(service)
                .addMethod(method, ServerCalls.asyncBidiStreamingCall(this::converse))
                .build();
    }

    private StreamObserver<ServerReflectionRequest> converse(StreamObserver<ServerReflectionResponse> responses) {
        ServerCallStreamObserver<ServerReflectionResponse> call =
                (ServerCallStreamObserver<ServerReflectionResponse>) responses;
        Index now;
        try {
            now = index(services.get());
        } catch (StatusRuntimeException e) {
            call.onError(e);
            return new Ignoring();
        }
        Conversation conversation = new Conversation(now, call);
        conversation.begin();
        return conversation;
    }

    private Index index(List<ServerServiceDefinition> now) {
        Index known = index;
        if (known == null || !known.services.equals(now)) {
            known = new Index(now);
            index = known;
        }
        return known;
    }

    /** For the rest of a stream that was refused. */
    private static final class Ignoring implements StreamObserver<ServerReflectionRequest> {
        @Override
        public void onNext(ServerReflectionRequest request) {}

        @Override
        public void onError(Throwable cancelled) {}

        @Override
        public void onCompleted() {}
    }

    /** One stream. Its callbacks come one at a time, as gRPC promises. */
    private static final class Conversation implements StreamObserver<ServerReflectionRequest> {
        private final Index index;
        private final ServerCallStreamObserver<ServerReflectionResponse> call;
        private boolean nextWanted;

        Conversation(Index index, ServerCallStreamObserver<ServerReflectionResponse> call) {
            this.index = index;
            this.call = call;
        }

        void begin() {
            call.disableAutoRequest();
            call.setOnCancelHandler(() -> {}); // so that an answer after a cancel throws nothing
            call.setOnReadyHandler(this::requestIfWanted);
            call.request(1);
        }

        private void requestIfWanted() {
            if (nextWanted && call.isReady()) {
                nextWanted = false;
                call.request(1);
            }
        }

        @Override
        public void onNext(ServerReflectionRequest request) {
            ServerReflectionResponse.Builder response = ServerReflectionResponse.newBuilder()
                    .setValidHost(request.getHost())
                    .setOriginalRequest(request);
            index.answer(request, response);
            call.onNext(response.build());
            nextWanted = true;
            requestIfWanted();
        }

        @Override
        public void onError(Throwable cancelled) {}

        @Override
        public void onCompleted() {
            call.onCompleted();
        }
    }

    /** What can be asked about one list of services. */
    private static final class Index {
        final List<ServerServiceDefinition> services;
        private final Set<String> serviceNames = new TreeSet<>();
        private final Map<String, FileDescriptor> byFileName = new HashMap<>();
        private final Map<String, FileDescriptor> bySymbol = new HashMap<>();
        private final Map<String, SortedMap<Integer, FileDescriptor>> byExtension = new HashMap<>();
        private final Map<FileDescriptor, ByteString> serialized = new ConcurrentHashMap<>();

        Index(List<ServerServiceDefinition> services) {
            this.services = List.copyOf(services);
            for (ServerServiceDefinition service : services) {
                serviceNames.add(service.getServiceDescriptor().getName());
                if (service.getServiceDescriptor().getSchemaDescriptor() instanceof ProtoFileDescriptorSupplier proto) {
                    withImports(proto.getFileDescriptor()).forEach(this::add);
                }
            }
        }

        /* A file whose name is taken (by another version of it, say) is left out: the first one counts. */
        private void add(FileDescriptor file) {
            if (byFileName.putIfAbsent(file.getName(), file) != null) {
                return;
            }
            for (ServiceDescriptor service : file.getServices()) {
                bySymbol.putIfAbsent(service.getFullName(), file);
                for (MethodDescriptor method : service.getMethods()) {
                    bySymbol.putIfAbsent(method.getFullName(), file);
                }
            }
            file.getEnumTypes().forEach(this::add);
            file.getExtensions().forEach(this::add);
            Deque<Descriptor> types = new ArrayDeque<>(file.getMessageTypes());
            while (!types.isEmpty()) {
                Descriptor type = types.remove();
                bySymbol.putIfAbsent(type.getFullName(), file);
                type.getEnumTypes().forEach(this::add);
                type.getExtensions().forEach(this::add);
                types.addAll(type.getNestedTypes());
            }
        }

        private void add(EnumDescriptor type) {
            bySymbol.putIfAbsent(type.getFullName(), type.getFile());
        }

        private void add(FieldDescriptor extension) {
            bySymbol.putIfAbsent(extension.getFullName(), extension.getFile());
            byExtension
                    .computeIfAbsent(extension.getContainingType().getFullName(), type -> new TreeMap<>())
                    .putIfAbsent(extension.getNumber(), extension.getFile());
        }

        private static Set<FileDescriptor> withImports(FileDescriptor file) {
            Set<FileDescriptor> all = new LinkedHashSet<>();
            Deque<FileDescriptor> open = new ArrayDeque<>(List.of(file));
            while (!open.isEmpty()) {
                FileDescriptor next = open.remove();
                if (all.add(next)) {
                    open.addAll(next.getDependencies());
                }
            }
            return all;
        }

        void answer(ServerReflectionRequest request, ServerReflectionResponse.Builder response) {
            switch (request.getMessageRequestCase()) {
                case LIST_SERVICES -> response.setListServicesResponse(listServices());
                case FILE_BY_FILENAME -> {
                    String name = request.getFileByFilename();
                    describe(byFileName.get(name), "file \"" + name + "\"", response);
                }
                case FILE_CONTAINING_SYMBOL -> {
                    String symbol = request.getFileContainingSymbol();
                    describe(bySymbol.get(symbol), "symbol \"" + symbol + "\"", response);
                }
                case FILE_CONTAINING_EXTENSION -> {
                    ExtensionRequest wanted = request.getFileContainingExtension();
                    SortedMap<Integer, FileDescriptor> ofType = byExtension.get(wanted.getContainingType());
                    describe(
                            ofType == null ? null : ofType.get(wanted.getExtensionNumber()),
                            "extension " + wanted.getExtensionNumber() + " of \"" + wanted.getContainingType() + "\"",
                            response);
                }
                case ALL_EXTENSION_NUMBERS_OF_TYPE -> extensions(request.getAllExtensionNumbersOfType(), response);
                case MESSAGEREQUEST_NOT_SET ->
                    fail(
                            Status.Code.INVALID_ARGUMENT,
                            "reflection: a request that asks for nothing this server knows; ask for list_services",
                            response);
            }
        }

        private ListServiceResponse listServices() {
            ListServiceResponse.Builder all = ListServiceResponse.newBuilder();
            for (String name : serviceNames) {
                all.addService(ServiceResponse.newBuilder().setName(name));
            }
            return all.build();
        }

        private void describe(@Nullable FileDescriptor file, String what, ServerReflectionResponse.Builder response) {
            if (file == null) {
                fail(Status.Code.NOT_FOUND, "reflection: no " + what + " in the services of this server", response);
                return;
            }
            List<ByteString> files = new ArrayList<>();
            for (FileDescriptor each : withImports(file)) {
                files.add(bytes(each));
            }
            response.setFileDescriptorResponse(
                    FileDescriptorResponse.newBuilder().addAllFileDescriptorProto(files));
        }

        private ByteString bytes(FileDescriptor file) {
            ByteString known = serialized.get(file);
            if (known == null) {
                known = file.toProto().toByteString();
                if (serialized.size() < DESCRIPTOR_CACHE_FILES) {
                    serialized.put(file, known);
                }
            }
            return known;
        }

        private void extensions(String type, ServerReflectionResponse.Builder response) {
            SortedMap<Integer, FileDescriptor> ofType = byExtension.get(type);
            if (ofType == null && !isMessage(type)) {
                fail(Status.Code.NOT_FOUND, "reflection: no message \"" + type + "\" in this server", response);
                return;
            }
            response.setAllExtensionNumbersResponse(ExtensionNumberResponse.newBuilder()
                    .setBaseTypeName(type)
                    .addAllExtensionNumber(ofType == null ? List.of() : ofType.keySet()));
        }

        private boolean isMessage(String name) {
            FileDescriptor file = bySymbol.get(name);
            if (file == null) {
                return false;
            }
            Deque<Descriptor> types = new ArrayDeque<>(file.getMessageTypes());
            while (!types.isEmpty()) {
                Descriptor type = types.remove();
                if (type.getFullName().equals(name)) {
                    return true;
                }
                types.addAll(type.getNestedTypes());
            }
            return false;
        }

        private static void fail(Status.Code code, String message, ServerReflectionResponse.Builder response) {
            response.setErrorResponse(
                    ErrorResponse.newBuilder().setErrorCode(code.value()).setErrorMessage(message));
        }
    }
}
