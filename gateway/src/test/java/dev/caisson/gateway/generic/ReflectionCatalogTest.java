package dev.caisson.gateway.generic;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.FileDescriptor;
import dev.caisson.gateway.generic.test.EchoOuterClass;
import dev.caisson.rpc.reflection.v1.ErrorResponse;
import dev.caisson.rpc.reflection.v1.ExtensionNumberResponse;
import dev.caisson.rpc.reflection.v1.FileDescriptorResponse;
import dev.caisson.rpc.reflection.v1.ListServiceResponse;
import dev.caisson.rpc.reflection.v1.ServerReflectionRequest;
import dev.caisson.rpc.reflection.v1.ServerReflectionResponse;
import dev.caisson.rpc.reflection.v1.ServiceResponse;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ReflectionCatalogTest {
    private static final String V1 = "grpc.reflection.v1.ServerReflection";
    private static final String V1ALPHA = "grpc.reflection.v1alpha.ServerReflection";

    private final List<FakeReflection> fakes = new ArrayList<>();

    @AfterEach
    void noStreamIsLeftOpen() {
        assertThat(fakes).allSatisfy(fake -> assertThat(fake.open).hasValue(0));
    }

    private FakeReflection fake(
            String service, Function<ServerReflectionRequest, @Nullable ServerReflectionResponse> answers) {
        FakeReflection fake = new FakeReflection(service, answers);
        fakes.add(fake);
        return fake;
    }

    /** A server that gives one file at a time, as some do, and knows the services of those files. */
    private static Function<ServerReflectionRequest, @Nullable ServerReflectionResponse> serving(
            FileDescriptorProto... files) {
        Map<String, FileDescriptorProto> byName = new HashMap<>();
        List.of(files).forEach(file -> byName.put(file.getName(), file));
        return question -> switch (question.getMessageRequestCase()) {
            case LIST_SERVICES ->
                services(byName.values().stream()
                        .flatMap(file -> file.getServiceList().stream()
                                .map(service -> file.getPackage() + "." + service.getName()))
                        .toList());
            case FILE_BY_FILENAME ->
                byName.containsKey(question.getFileByFilename())
                        ? file(byName.get(question.getFileByFilename()))
                        : error(Status.Code.NOT_FOUND);
            case FILE_CONTAINING_SYMBOL ->
                byName.values().stream()
                        .filter(file -> defines(file, question.getFileContainingSymbol()))
                        .findFirst()
                        .map(ReflectionCatalogTest::file)
                        .orElseGet(() -> error(Status.Code.NOT_FOUND));
            case ALL_EXTENSION_NUMBERS_OF_TYPE ->
                ServerReflectionResponse.newBuilder()
                        .setAllExtensionNumbersResponse(ExtensionNumberResponse.newBuilder()
                                .setBaseTypeName(question.getAllExtensionNumbersOfType())
                                .addExtensionNumber(100))
                        .build();
            default -> file(Objects.requireNonNull(byName.get("old.proto")));
        };
    }

    private static boolean defines(FileDescriptorProto file, String symbol) {
        return file.getServiceList().stream()
                        .anyMatch(service -> (file.getPackage() + "." + service.getName()).equals(symbol))
                || file.getMessageTypeList().stream()
                        .anyMatch(type -> (file.getPackage() + "." + type.getName()).equals(symbol));
    }

    private static ServerReflectionResponse services(List<String> names) {
        ListServiceResponse.Builder list = ListServiceResponse.newBuilder();
        names.forEach(name -> list.addService(ServiceResponse.newBuilder().setName(name)));
        return ServerReflectionResponse.newBuilder()
                .setListServicesResponse(list)
                .build();
    }

    private static ServerReflectionResponse file(FileDescriptorProto... files) {
        FileDescriptorResponse.Builder response = FileDescriptorResponse.newBuilder();
        List.of(files).forEach(file -> response.addFileDescriptorProto(file.toByteString()));
        return ServerReflectionResponse.newBuilder()
                .setFileDescriptorResponse(response)
                .build();
    }

    private static ServerReflectionResponse error(Status.Code code) {
        return ServerReflectionResponse.newBuilder()
                .setErrorResponse(
                        ErrorResponse.newBuilder().setErrorCode(code.value()).setErrorMessage("no such"))
                .build();
    }

    private static FileDescriptorProto proto(FileDescriptor file) {
        return file.toProto();
    }

    private static FileDescriptorProto[] echo() {
        FileDescriptor echo = EchoOuterClass.getDescriptor();
        return new FileDescriptorProto[] {
            proto(echo),
            proto(echo.getDependencies().get(0)),
            proto(echo.getDependencies().get(1))
        };
    }

    private static CatalogException failure(Runnable task) {
        try {
            task.run();
        } catch (CatalogException e) {
            return e;
        }
        throw new AssertionError("nothing was thrown");
    }

    @ParameterizedTest
    @ValueSource(strings = {V1, V1ALPHA})
    void findsServicesAndMethodsByEitherVersion(String version) {
        FakeReflection fake = fake(version, serving(echo()));
        ReflectionCatalog catalog = ReflectionCatalog.of(fake);
        assertThat(catalog.services()).containsExactly("dev.caisson.test.Echo");
        assertThat(catalog.method("dev.caisson.test.Echo/Talk").isClientStreaming())
                .isTrue();
        assertThat(catalog.method("dev.caisson.test.Echo.Say").getInputType().getFullName())
                .isEqualTo("dev.caisson.test.Kinds");
        assertThat(catalog.symbol(".dev.caisson.test.Item").getFullName()).isEqualTo("dev.caisson.test.Item");
        int before = fake.calls.get();
        catalog.services();
        catalog.service("dev.caisson.test.Echo");
        assertThat(fake.calls).as("the second look-up is from memory").hasValue(before);
    }

    @Test
    void saysThatThereIsNoReflection() {
        CatalogException e = failure(
                () -> ReflectionCatalog.of(fake("none", question -> null)).services());
        assertThat(e.code()).isEqualTo(CatalogException.Code.NO_REFLECTION);
        assertThat(e).hasMessageContaining("neither grpc.reflection.v1 nor v1alpha");
    }

    @Test
    void suggestsTheNearestServiceMethodAndType() {
        ReflectionCatalog catalog = ReflectionCatalog.of(fake(V1, serving(echo())));
        assertThat(failure(() -> catalog.service("dev.caisson.test.Ecko")).suggestions())
                .containsExactly("dev.caisson.test.Echo");
        assertThat(failure(() -> catalog.service("Echo")).suggestions()).containsExactly("dev.caisson.test.Echo");
        CatalogException method = failure(() -> catalog.method("dev.caisson.test.Echo/SayMny"));
        assertThat(method.suggestions()).first().isEqualTo("SayMany");
        assertThat(method).hasMessageStartingWith("there is no method SayMny in dev.caisson.test.Echo; did you mean");
        assertThat(failure(() -> catalog.symbol("dev.caisson.test.Knds")).suggestions())
                .contains("dev.caisson.test.Kinds");
        assertThat(failure(() -> catalog.method("nothing")).code()).isEqualTo(CatalogException.Code.UNKNOWN_NAME);
    }

    @Test
    void findsExtensionsOfAMethodsTypes() {
        ReflectionCatalog catalog = ReflectionCatalog.of(fake(V1, serving(echo())));
        GenericMethod method = GenericMethod.find(catalog, "dev.caisson.test.Echo/SayOld");
        String text = "{\"id\":\"a\",\"[dev.caisson.test.note]\":\"n\"}";
        JsonMessages json = JsonMessages.of(catalog);
        var message = json.parse(text, method.requestType());
        var read = method.grpc().parseRequest(method.grpc().streamRequest(message));
        assertThat(json.print(read)).isEqualTo(text);
    }

    @Test
    void aCycleOfImportsIsAClearError() {
        FileDescriptorProto a = FileDescriptorProto.newBuilder()
                .setName("a.proto")
                .addDependency("b.proto")
                .setPackage("p")
                .addMessageType(com.google.protobuf.DescriptorProtos.DescriptorProto.newBuilder()
                        .setName("A"))
                .build();
        FileDescriptorProto b = FileDescriptorProto.newBuilder()
                .setName("b.proto")
                .addDependency("a.proto")
                .build();
        CatalogException e =
                failure(() -> ReflectionCatalog.of(fake(V1, serving(a, b))).symbol("p.A"));
        assertThat(e.code()).isEqualTo(CatalogException.Code.BAD_DESCRIPTORS);
        assertThat(e).hasMessageContaining("imports").hasMessageContaining("again");
    }

    @Test
    void aMissingImportIsAClearErrorWithTheNextStep() {
        CatalogException e =
                failure(() -> ReflectionCatalog.of(fake(V1, serving(echo()[0]))).service("dev.caisson.test.Echo"));
        assertThat(e.code()).isEqualTo(CatalogException.Code.BAD_DESCRIPTORS);
        assertThat(e).hasMessageContaining("kinds.proto").hasMessageContaining("--descriptor-set");
    }

    @Test
    void anEndlessChainOfImportsIsRefused() {
        Function<ServerReflectionRequest, @Nullable ServerReflectionResponse> endless = question -> {
            String name = question.getFileByFilename().isEmpty() ? "0" : question.getFileByFilename();
            return file(FileDescriptorProto.newBuilder()
                    .setName(name)
                    .addDependency(String.valueOf(Integer.parseInt(name) + 1))
                    .build());
        };
        CatalogException e =
                failure(() -> ReflectionCatalog.of(fake(V1, endless)).symbol("p.A"));
        assertThat(e.code()).isEqualTo(CatalogException.Code.TOO_LARGE);
    }

    @Test
    void aDeepChainOfImportsIsRefused() {
        FileDescriptorProto[] chain = IntStream.range(0, 400)
                .mapToObj(i -> FileDescriptorProto.newBuilder()
                        .setName(i + ".proto")
                        .addDependency((i + 1) + ".proto")
                        .build())
                .toArray(FileDescriptorProto[]::new);
        chain[399] = FileDescriptorProto.newBuilder().setName("399.proto").build();
        CatalogException e = failure(
                () -> ReflectionCatalog.of(fake(V1, question -> file(chain))).symbol("p.A"));
        assertThat(e.code()).isEqualTo(CatalogException.Code.TOO_LARGE);
        assertThat(e).hasMessageContaining("imports one inside the other");
    }

    @Test
    void tooManyBytesOrServicesAreRefused() {
        CatalogLimits limits = new CatalogLimits(Duration.ofSeconds(5), 10, 1_000, 3, 10);
        assertThat(failure(() -> ReflectionCatalog.of(fake(V1, serving(echo())), limits)
                                .service("dev.caisson.test.Echo"))
                        .code())
                .isEqualTo(CatalogException.Code.TOO_LARGE);
        assertThat(failure(() -> ReflectionCatalog.of(
                                        fake(V1, question -> services(List.of("a", "b", "c", "d"))), limits)
                                .services())
                        .code())
                .isEqualTo(CatalogException.Code.TOO_LARGE);
    }

    @Test
    void bytesThatAreNoDescriptorAndAnswersThatDoNotFitAreClearErrors() {
        ServerReflectionResponse garbage = ServerReflectionResponse.newBuilder()
                .setFileDescriptorResponse(
                        FileDescriptorResponse.newBuilder().addFileDescriptorProto(ByteString.copyFromUtf8("\u0001")))
                .build();
        for (ServerReflectionResponse answer : List.of(
                garbage,
                ServerReflectionResponse.getDefaultInstance(),
                services(List.of("p.A")),
                file(),
                error(Status.Code.INTERNAL))) {
            CatalogException e = failure(
                    () -> ReflectionCatalog.of(fake(V1, question -> answer)).symbol("p.A"));
            assertThat(e.code()).isEqualTo(CatalogException.Code.BAD_DESCRIPTORS);
        }
    }

    @Test
    void aListedServiceWhoseFileDoesNotDefineItIsAClearError() {
        CatalogException e = failure(() -> ReflectionCatalog.of(fake(
                        V1,
                        question -> question.hasListServices()
                                ? services(List.of("p.Lie"))
                                : file(FileDescriptorProto.newBuilder()
                                        .setName("x.proto")
                                        .build())))
                .service("p.Lie"));
        assertThat(e.code()).isEqualTo(CatalogException.Code.BAD_DESCRIPTORS);
        assertThat(e).hasMessageContaining("does not define it");
    }

    @Test
    void aFailedCallKeepsItsStatus() {
        CatalogException e =
                failure(() -> ReflectionCatalog.of(fake(V1, question -> null)).services());
        assertThat(e.code()).isEqualTo(CatalogException.Code.CALL_FAILED);
        assertThat(e.status().getCode()).isEqualTo(Status.Code.ABORTED);
        assertThat(e).hasMessageContaining("as the test says");
    }

    @Test
    void aTypeThatCannotBeFoundIsNullAndNoError() {
        ReflectionCatalog catalog = ReflectionCatalog.of(fake(V1, question -> null));
        assertThat(catalog.messageType("p.Nope")).isNull();
        assertThat(catalog.messageType("google.rpc.BadRequest")).isNotNull();
    }

    /** Real descriptors with random bytes changed: a catalog or a CatalogException, never anything else. */
    @Test
    void damagedDescriptorsNeverBreakOut() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        byte[] whole = echo()[1].toByteArray();
        for (int i = 0; i < 2_000; i++) {
            byte[] damaged = whole.clone();
            for (int j = 1 + random.nextInt(4); j > 0; j--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
            }
            ServerReflectionResponse answer = ServerReflectionResponse.newBuilder()
                    .setFileDescriptorResponse(
                            FileDescriptorResponse.newBuilder().addFileDescriptorProto(ByteString.copyFrom(damaged)))
                    .build();
            try {
                ReflectionCatalog catalog = ReflectionCatalog.of(fake(
                        V1,
                        question -> question.hasFileContainingSymbol()
                                ? answer
                                : question.hasListServices() ? services(List.of()) : error(Status.Code.NOT_FOUND)));
                var type = (com.google.protobuf.Descriptors.Descriptor) catalog.symbol("dev.caisson.test.Kinds");
                JsonMessages.of(catalog).parse("{\"anInt32\": 1}", type);
            } catch (CatalogException | JsonException | ClassCastException e) {
                assertThat(e.getMessage()).as("seed %d", seed).isNotEmpty();
            }
        }
    }
}
