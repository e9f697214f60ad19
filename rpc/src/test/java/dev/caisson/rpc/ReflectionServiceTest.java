package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumDescriptorProto;
import com.google.protobuf.DescriptorProtos.EnumValueDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.MethodDescriptorProto;
import com.google.protobuf.DescriptorProtos.ServiceDescriptorProto;
import com.google.protobuf.Descriptors.FileDescriptor;
import dev.caisson.rpc.reflection.v1.ExtensionRequest;
import dev.caisson.rpc.reflection.v1.ServerReflectionGrpc;
import dev.caisson.rpc.reflection.v1.ServerReflectionRequest;
import dev.caisson.rpc.reflection.v1.ServerReflectionResponse;
import dev.caisson.rpc.reflection.v1.ServiceResponse;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoFileDescriptorSupplier;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;

@ParameterizedClass
@EnumSource
class ReflectionServiceTest {
    private final Peer peer;
    private Server server;
    private ManagedChannel channel;

    ReflectionServiceTest(Peer peer) {
        this.peer = peer;
    }

    @BeforeEach
    void start() throws Exception {
        server = peer.server()
                .addServices(ReflectionService.ofServer())
                .addService(new HealthService())
                .addService(shop())
                .addService(ServerServiceDefinition.builder("plain.Undescribed").build())
                .build()
                .start();
        channel = peer.channelTo(server);
    }

    @AfterEach
    void stop() throws Exception {
        channel.shutdownNow();
        server.shutdownNow();
        assertThat(channel.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        assertThat(server.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void listsWhatTheServerServes() throws Exception {
        ServerReflectionResponse response = ask(request().setListServices("*"));
        assertThat(response.getListServicesResponse().getServiceList())
                .extracting(ServiceResponse::getName)
                .containsExactly(
                        "grpc.health.v1.Health",
                        "grpc.reflection.v1.ServerReflection",
                        "grpc.reflection.v1alpha.ServerReflection",
                        "plain.Undescribed",
                        "shop.Orders");
    }

    @Test
    void answersSayWhatWasAskedAndOfWhom() throws Exception {
        ServerReflectionRequest asked =
                request().setHost("example.com").setListServices("").build();
        ServerReflectionResponse response = ask(asked.toBuilder());
        assertThat(response.getValidHost()).isEqualTo("example.com");
        assertThat(response.getOriginalRequest()).isEqualTo(asked);
    }

    @Test
    void findsAFileByNameWithAllItImports() throws Exception {
        assertThat(files(ask(request().setFileByFilename("shop/orders.proto"))))
                .containsExactly("shop/orders.proto", "shop/base.proto");
        assertThat(files(ask(request().setFileByFilename("shop/base.proto")))).containsExactly("shop/base.proto");
    }

    @Test
    void findsTheFileOfAServiceMethodMessageEnumAndExtension() throws Exception {
        for (String symbol :
                List.of("shop.Orders", "shop.Orders.Place", "shop.Order", "shop.Order.Line", "shop.note")) {
            assertThat(files(ask(request().setFileContainingSymbol(symbol))))
                    .as(symbol)
                    .first()
                    .isEqualTo("shop/orders.proto");
        }
        for (String symbol : List.of("shop.Base", "shop.Colour", "shop.Base.Kind")) {
            assertThat(files(ask(request().setFileContainingSymbol(symbol))))
                    .as(symbol)
                    .containsExactly("shop/base.proto");
        }
    }

    @Test
    void findsExtensions() throws Exception {
        assertThat(files(ask(request()
                        .setFileContainingExtension(ExtensionRequest.newBuilder()
                                .setContainingType("shop.Base")
                                .setExtensionNumber(100)))))
                .first()
                .isEqualTo("shop/orders.proto");
        ServerReflectionResponse all = ask(request().setAllExtensionNumbersOfType("shop.Base"));
        assertThat(all.getAllExtensionNumbersResponse().getBaseTypeName()).isEqualTo("shop.Base");
        assertThat(all.getAllExtensionNumbersResponse().getExtensionNumberList())
                .containsExactly(100, 101);
        assertThat(ask(request().setAllExtensionNumbersOfType("shop.Order.Line"))
                        .getAllExtensionNumbersResponse()
                        .getExtensionNumberCount())
                .isZero();
    }

    @Test
    void whatIsNotThereIsAnErrorAndTheStreamGoesOn() throws Exception {
        Talk talk = new Talk();
        StreamObserver<ServerReflectionRequest> out =
                ServerReflectionGrpc.newStub(channel).serverReflectionInfo(talk);
        out.onNext(request().setFileByFilename("no.proto").build());
        out.onNext(request().setFileContainingSymbol("no.Such").build());
        out.onNext(request()
                .setFileContainingExtension(ExtensionRequest.newBuilder()
                        .setContainingType("shop.Base")
                        .setExtensionNumber(7))
                .build());
        out.onNext(request().setAllExtensionNumbersOfType("shop.Colour").build()); // an enum
        out.onNext(request().setAllExtensionNumbersOfType("no.Such").build());
        for (String what : List.of("\"no.proto\"", "\"no.Such\"", "extension 7", "\"shop.Colour\"", "\"no.Such\"")) {
            ServerReflectionResponse response = talk.next();
            assertThat(response.getErrorResponse().getErrorCode()).isEqualTo(Status.Code.NOT_FOUND.value());
            assertThat(response.getErrorResponse().getErrorMessage()).contains(what);
        }
        out.onNext(request().build());
        assertThat(talk.next().getErrorResponse().getErrorCode()).isEqualTo(Status.Code.INVALID_ARGUMENT.value());
        out.onNext(request().setListServices("").build());
        assertThat(talk.next().getListServicesResponse().getServiceCount()).isEqualTo(5);
        out.onCompleted();
        assertThat(talk.ended.poll(30, TimeUnit.SECONDS)).isEqualTo(Status.OK);
    }

    @Test
    void v1alphaAnswersTheSame() throws Exception {
        BlockingQueue<Object> answers = new LinkedBlockingQueue<>();
        StreamObserver<dev.caisson.rpc.reflection.v1alpha.ServerReflectionRequest> out =
                dev.caisson.rpc.reflection.v1alpha.ServerReflectionGrpc.newStub(channel)
                        .serverReflectionInfo(new StreamObserver<>() {
                            @Override
                            public void onNext(dev.caisson.rpc.reflection.v1alpha.ServerReflectionResponse response) {
                                answers.add(response.toByteString());
                            }

                            @Override
                            public void onError(Throwable t) {
                                answers.add(t);
                            }

                            @Override
                            public void onCompleted() {
                                answers.add("completed");
                            }
                        });
        ServerReflectionRequest request =
                request().setFileContainingSymbol("shop.Orders").build();
        out.onNext(dev.caisson.rpc.reflection.v1alpha.ServerReflectionRequest.parseFrom(request.toByteString()));
        out.onCompleted();
        assertThat(answers.poll(30, TimeUnit.SECONDS))
                .isEqualTo(ask(request.toBuilder()).toByteString());
        assertThat(answers.poll(30, TimeUnit.SECONDS)).isEqualTo("completed");
    }

    @Test
    void aChangedListOfServicesIsSeen() throws Exception {
        AtomicReference<List<ServerServiceDefinition>> services = new AtomicReference<>(List.of(shop()));
        Server other = peer.server()
                .addServices(ReflectionService.of(services::get))
                .build()
                .start();
        ManagedChannel toOther = peer.channelTo(other);
        try {
            assertThat(ask(toOther, request().setListServices(""))
                            .getListServicesResponse()
                            .getServiceCount())
                    .isEqualTo(1);
            services.set(List.of(shop(), new HealthService().bindService()));
            assertThat(ask(toOther, request().setListServices(""))
                            .getListServicesResponse()
                            .getServiceCount())
                    .isEqualTo(2);
            services.set(List.of());
            assertThat(ask(toOther, request().setListServices(""))
                            .getListServicesResponse()
                            .getServiceCount())
                    .isZero();
        } finally {
            toOther.shutdownNow().awaitTermination(30, TimeUnit.SECONDS);
            other.shutdownNow().awaitTermination(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void outsideAServerTheCallIsRefusedWithAnHint() {
        StatusRuntimeException e = catchThrowableOfType(StatusRuntimeException.class, () -> {
            ServerServiceDefinition v1 = ReflectionService.ofServer().get(0);
            assertThat(v1.getServiceDescriptor().getName()).isEqualTo("grpc.reflection.v1.ServerReflection");
            ReflectionService.servicesOfCurrentServer();
        });
        assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
        assertThat(e.getStatus().getDescription()).contains("ReflectionService.of(services)");
    }

    private ServerReflectionResponse ask(ServerReflectionRequest.Builder request) throws Exception {
        return ask(channel, request);
    }

    private static ServerReflectionResponse ask(ManagedChannel channel, ServerReflectionRequest.Builder request)
            throws Exception {
        Talk talk = new Talk();
        StreamObserver<ServerReflectionRequest> out =
                ServerReflectionGrpc.newStub(channel).serverReflectionInfo(talk);
        out.onNext(request.build());
        out.onCompleted();
        ServerReflectionResponse response = talk.next();
        assertThat(talk.ended.poll(30, TimeUnit.SECONDS)).isEqualTo(Status.OK);
        return response;
    }

    private static ServerReflectionRequest.Builder request() {
        return ServerReflectionRequest.newBuilder();
    }

    private static List<String> files(ServerReflectionResponse response) throws Exception {
        assertThat(response.hasErrorResponse()).as("%s", response).isFalse();
        List<String> names = new ArrayList<>();
        for (ByteString file : response.getFileDescriptorResponse().getFileDescriptorProtoList()) {
            names.add(FileDescriptorProto.parseFrom(file).getName());
        }
        return names;
    }

    /** A service of two files, with an extension of a message of the one in the other. */
    private static ServerServiceDefinition shop() throws Exception {
        FileDescriptor base = FileDescriptor.buildFrom(
                FileDescriptorProto.newBuilder()
                        .setName("shop/base.proto")
                        .setPackage("shop")
                        .addEnumType(anEnum("Colour"))
                        .addMessageType(DescriptorProto.newBuilder()
                                .setName("Base")
                                .addEnumType(anEnum("Kind"))
                                .addExtensionRange(DescriptorProto.ExtensionRange.newBuilder()
                                        .setStart(100)
                                        .setEnd(200)))
                        .build(),
                new FileDescriptor[0]);
        FileDescriptor orders = FileDescriptor.buildFrom(
                FileDescriptorProto.newBuilder()
                        .setName("shop/orders.proto")
                        .setPackage("shop")
                        .addDependency("shop/base.proto")
                        .addMessageType(DescriptorProto.newBuilder()
                                .setName("Order")
                                .addNestedType(DescriptorProto.newBuilder().setName("Line"))
                                .addExtension(extension("nested_note", 101)))
                        .addExtension(extension("note", 100))
                        .addService(ServiceDescriptorProto.newBuilder()
                                .setName("Orders")
                                .addMethod(MethodDescriptorProto.newBuilder()
                                        .setName("Place")
                                        .setInputType(".shop.Order")
                                        .setOutputType(".shop.Base")))
                        .build(),
                new FileDescriptor[] {base});
        return ServerServiceDefinition.builder(ServiceDescriptor.newBuilder("shop.Orders")
                        .setSchemaDescriptor((ProtoFileDescriptorSupplier) () -> orders)
                        .build())
                .build();
    }

    private static EnumDescriptorProto anEnum(String name) {
        return EnumDescriptorProto.newBuilder()
                .setName(name)
                .addValue(EnumValueDescriptorProto.newBuilder()
                        .setName(name.toUpperCase(java.util.Locale.ROOT) + "_NONE")
                        .setNumber(0))
                .build();
    }

    private static FieldDescriptorProto extension(String name, int number) {
        return FieldDescriptorProto.newBuilder()
                .setName(name)
                .setNumber(number)
                .setExtendee(".shop.Base")
                .setLabel(FieldDescriptorProto.Label.LABEL_OPTIONAL)
                .setType(FieldDescriptorProto.Type.TYPE_STRING)
                .build();
    }

    private static final class Talk implements StreamObserver<ServerReflectionResponse> {
        final BlockingQueue<ServerReflectionResponse> answers = new LinkedBlockingQueue<>();
        final BlockingQueue<Status> ended = new LinkedBlockingQueue<>();

        ServerReflectionResponse next() throws InterruptedException {
            ServerReflectionResponse response = answers.poll(30, TimeUnit.SECONDS);
            assertThat(response).as("an answer; ended with %s", ended).isNotNull();
            return response;
        }

        @Override
        public void onNext(ServerReflectionResponse response) {
            answers.add(response);
        }

        @Override
        public void onError(Throwable t) {
            ended.add(Status.fromThrowable(t));
        }

        @Override
        public void onCompleted() {
            ended.add(Status.OK);
        }
    }
}
