package dev.caisson.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import dev.caisson.cli.demo.DemoOuterClass;
import dev.caisson.leaks.NoLeaks;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** list, describe and call, run in this JVM against real servers. */
@NoLeaks
class CommandsTest {
    private static final String PROTO = "src/test/proto/demo.proto";

    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource(
            value = DemoServer.Kind.class,
            names = {"GRPC_JAVA_V1", "GRPC_JAVA_V1ALPHA", "CAISSON"})
    void listsDescribesAndCallsByReflection(DemoServer.Kind kind) throws Exception {
        try (DemoServer server = DemoServer.start(kind)) {
            Cli list = Cli.run("list", server.address());
            assertThat(list.err()).isEmpty();
            assertThat(list.lines()).contains("demo.Demo");
            assertThat(list.exitCode()).isZero();
            assertThat(Cli.run("list", server.address(), "demo.Demo").lines())
                    .containsExactly(
                            "demo.Demo/Ask",
                            "demo.Demo/AskMany",
                            "demo.Demo/Gather",
                            "demo.Demo/Talk",
                            "demo.Demo/Hang");
            Cli describe = Cli.run("describe", server.address(), "demo.Demo");
            assertThat(describe.err()).isEmpty();
            assertThat(describe.lines())
                    .contains(
                            "  rpc Talk (stream .demo.Question) returns (stream .demo.Answer) { option deprecated = true; }");
            callsAllFourKinds(server);
        }
    }

    private static void callsAllFourKinds(DemoServer server) {
        Cli ask = Cli.run("call", server.address(), "demo.Demo/Ask", "-d", "{\"text\":\"why\"}");
        assertThat(ask.err()).isEmpty();
        assertThat(ask.lines()).containsExactly("{\"text\":\"You ask: why\"}");
        assertThat(ask.exitCode()).isZero();
        assertThat(Cli.run("call", server.address(), "demo.Demo.AskMany", "-d", "{\"text\":\"a\",\"times\":3}")
                        .lines())
                .containsExactly("{\"text\":\"a 1\"}", "{\"text\":\"a 2\"}", "{\"text\":\"a 3\"}");
        assertThat(Cli.runWithInput(
                                "{\"text\":\"a\"}\n{\"text\":\"b\"} {\n\"text\":\"c\"}",
                                "call",
                                server.address(),
                                "demo.Demo/Gather",
                                "-d",
                                "-")
                        .lines())
                .containsExactly("{\"heard\":[\"a\",\"b\",\"c\"]}");
        assertThat(Cli.run("call", server.address(), "demo.Demo/Talk", "-d", "{\"text\":\"a\"}{\"text\":\"b\"}")
                        .lines())
                .containsExactly("{\"text\":\"re: a\"}", "{\"text\":\"re: b\"}");
    }

    @Test
    void callsFromProtoFilesAndDescriptorSetsWithoutReflection() throws Exception {
        try (DemoServer server = DemoServer.start(DemoServer.Kind.GRPC_JAVA_NO_REFLECTION)) {
            Cli without = Cli.run("call", server.address(), "demo.Demo/Ask");
            assertThat(without.exitCode()).isEqualTo(76);
            assertThat(without.err())
                    .contains("the server offers no reflection, neither grpc.reflection.v1 nor v1alpha")
                    .contains("--proto x.proto");
            Cli proto =
                    Cli.run("call", server.address(), "demo.Demo/Ask", "--proto", PROTO, "-d", "{\"spirit\":\"LOUD\"}");
            assertThat(proto.err()).isEmpty();
            assertThat(proto.lines()).containsExactly("{\"text\":\"You ask: \"}");
            assertThat(Cli.run(
                                    "call",
                                    server.address(),
                                    "demo.Demo/Ask",
                                    "--proto",
                                    "demo.proto",
                                    "-I",
                                    "src/test/proto")
                            .exitCode())
                    .isZero();
            Path set = folder.resolve("demo.pb");
            Files.write(
                    set,
                    FileDescriptorSet.newBuilder()
                            .addFile(DemoOuterClass.getDescriptor().toProto())
                            .build()
                            .toByteArray());
            assertThat(Cli.run("call", server.address(), "demo.Demo/Ask", "--descriptor-set", set.toString())
                            .lines())
                    .containsExactly("{\"text\":\"You ask: \"}");
            assertThat(Cli.run("list", "--descriptor-set", set.toString()).lines())
                    .containsExactly("demo.Demo");
        }
    }

    @Test
    void describesFromProtoFilesAsTheyWereWritten() {
        Cli question = Cli.run("describe", "--proto", PROTO, "demo.Question");
        assertThat(question.err()).isEmpty();
        assertThat(question.out()).isEqualTo("""
                // message demo.Question, from demo.proto
                message Question {
                  string text = 1;
                  int32 times = 2;
                  repeated .demo.Question parts = 3;
                  map<string, int64> counts = 4;
                  .demo.Mood mood = 5 [json_name = "spirit"];
                  oneof when {
                    .google.protobuf.Timestamp at = 6;
                    string day = 7;
                  }
                  int32 fail_with = 8;
                }
                """);
        assertThat(Cli.run("describe", "--proto", PROTO, "demo.Mood").out())
                .isEqualTo("// enum demo.Mood, from demo.proto\nenum Mood {\n  CALM = 0;\n  LOUD = 1;\n}\n");
        assertThat(Cli.run("describe", "--proto", PROTO, "demo.Demo/Ask").lines())
                .contains("rpc Ask (.demo.Question) returns (.demo.Answer);");
        assertThat(Cli.run("describe", "--proto", PROTO).out()).contains("service Demo {");
    }

    @Test
    void aTemplateCanBeSentAsItIs() throws Exception {
        try (DemoServer server = DemoServer.start(DemoServer.Kind.GRPC_JAVA_V1)) {
            Cli template = Cli.run("describe", server.address(), "demo.Demo/Ask", "--template");
            assertThat(template.out()).contains("\"spirit\": \"CALM\"").contains("\"at\": \"1970-01-01T00:00:00Z\"");
            Path file = Files.writeString(folder.resolve("request.json"), template.out());
            Cli call = Cli.run("call", server.address(), "demo.Demo/Ask", "-d", "@" + file);
            assertThat(call.err()).isEmpty();
            assertThat(call.exitCode()).isZero();
        }
    }

    @Test
    void writesJsonWhereAsked() throws Exception {
        try (DemoServer server = DemoServer.start(DemoServer.Kind.GRPC_JAVA_V1)) {
            assertThat(Cli.run("list", server.address(), "--json").out()).isEqualTo("{\"services\":[\"demo.Demo\"]}\n");
            assertThat(Cli.run("list", server.address(), "demo.Demo", "--json").out())
                    .startsWith("{\"service\":\"demo.Demo\",\"methods\":[{\"name\":\"Ask\",\"path\":\"demo.Demo/Ask\","
                            + "\"request\":\"demo.Question\",\"reply\":\"demo.Answer\",\"clientStreaming\":false,");
            assertThat(Cli.run("describe", server.address(), "demo.Mood", "--json")
                            .out())
                    .startsWith(
                            "{\"name\":\"demo.Mood\",\"kind\":\"enum\",\"file\":\"demo.proto\",\"source\":\"// enum");
            Cli failed = Cli.run("call", server.address(), "demo.Demo/Ask", "-d", "{\"failWith\":5}", "--json");
            assertThat(failed.exitCode()).isEqualTo(69);
            assertThat(failed.err())
                    .isEqualTo("{\"code\":5,\"status\":\"NOT_FOUND\",\"message\":\"as you asked\",\"details\":["
                            + "{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":\"ASKED_FOR\"}]}\n");
            Cli unknown = Cli.run("call", server.address(), "demo.Demo/Aks", "--json");
            assertThat(unknown.exitCode()).isEqualTo(2);
            assertThat(unknown.err())
                    .startsWith("{\"code\":5,\"status\":\"NOT_FOUND\",\"message\":\"there is no method Aks");
        }
    }

    @Test
    void theExitCodeIs64PlusTheStatus() throws Exception {
        try (DemoServer server = DemoServer.start(DemoServer.Kind.GRPC_JAVA_V1)) {
            for (int code = 1; code <= 16; code++) {
                Cli failed = Cli.run(
                        "call",
                        server.address(),
                        "demo.Demo/Ask",
                        "--proto",
                        PROTO,
                        "-d",
                        "{\"failWith\":" + code + "}");
                assertThat(failed.exitCode()).isEqualTo(64 + code);
            }
            Cli failed = Cli.run("call", server.address(), "demo.Demo/AskMany", "-d", "{\"times\":2,\"failWith\":9}");
            assertThat(failed.lines()).hasSize(2);
            assertThat(failed.err())
                    .startsWith("caisson: FAILED_PRECONDITION: as you asked\n")
                    .contains("\"reason\":\"ASKED_FOR\"");
        }
    }

    @Test
    void suggestsTheNearestNames() throws Exception {
        try (DemoServer server = DemoServer.start(DemoServer.Kind.GRPC_JAVA_V1)) {
            Cli method = Cli.run("call", server.address(), "demo.Demo/Gathr");
            assertThat(method.exitCode()).isEqualTo(2);
            assertThat(method.err()).contains("there is no method Gathr in demo.Demo; did you mean Gather?");
            assertThat(Cli.run("call", server.address(), "Demo/Ask").err())
                    .contains("there is no service Demo on the server; did you mean demo.Demo?");
            assertThat(Cli.run("describe", server.address(), "demo.Qestion").err())
                    .contains("did you mean demo.Question");
            assertThat(Cli.run("clal").err()).contains("did you mean").contains("call");
            Cli option = Cli.run("call", server.address(), "demo.Demo/Ask", "--plain");
            assertThat(option.exitCode()).isEqualTo(2);
            assertThat(option.err()).contains("--plaintext").contains("`caisson call --help`");
        }
    }

    @Test
    void saysWhereTheJsonDoesNotFitBeforeAnyCall() throws Exception {
        try (DemoServer server = DemoServer.start(DemoServer.Kind.GRPC_JAVA_V1)) {
            Cli field = Cli.run("call", server.address(), "demo.Demo/Ask", "-d", "{\"parts\": [{\"txt\": 1}]}");
            assertThat(field.exitCode()).isEqualTo(2);
            assertThat(field.err())
                    .isEqualTo(
                            "caisson: the request does not fit: line 1, column 13, $.parts[0].txt: demo.Question has no"
                                    + " field \"txt\"; did you mean \"text\"?\n");
            Cli second = Cli.runWithInput(
                    "{\"text\":\"a\"}\n{\"times\":\"x\"}\n", "call", server.address(), "demo.Demo/Talk", "-d", "-");
            assertThat(second.exitCode()).isEqualTo(2);
            assertThat(second.err()).contains("line 2, column 10, $.times: a whole number is needed (int32)");
            assertThat(Cli.run("call", server.address(), "demo.Demo/Ask", "-d", "{} {}")
                            .err())
                    .contains("Ask takes one request, and a second one stands at line 1, column 4");
            assertThat(Cli.run("call", server.address(), "demo.Demo/Ask", "-d", "{\"no\":1}", "--allow-unknown-fields")
                            .exitCode())
                    .isZero();
            assertThat(Cli.run("call", server.address(), "demo.Demo/Ask", "-d", "@none.json")
                            .err())
                    .isEqualTo("caisson: there is no file none.json\n");
        }
    }

    @Test
    void sendsMetadataAndShowsItWhenVerbose() throws Exception {
        try (DemoServer server = DemoServer.start(DemoServer.Kind.GRPC_JAVA_V1)) {
            Cli call = Cli.run(
                    "call",
                    server.address(),
                    "demo.Demo/Ask",
                    "-v",
                    "-H",
                    "x-a: one",
                    "-H",
                    "X-A:two",
                    "-H",
                    "x-b-bin: AQID/w==",
                    "-H",
                    "authorization: secret");
            assertThat(call.exitCode()).isZero();
            assertThat(call.lines()).containsExactly("{\"text\":\"You ask: \"}");
            assertThat(call.err())
                    .contains("method: rpc Ask (.demo.Question) returns (.demo.Answer);")
                    .containsPattern("response headers:(\n  .*)*\n  x-a: one\n  x-a: two")
                    .containsPattern("response headers:(\n  .*)*\n  x-b-bin: AQID/w==")
                    .contains("trailers: none")
                    .contains("status: OK (0)")
                    .contains("sent 1, received 1")
                    .doesNotContain("secret");
            for (String wrong : new String[] {"nothing", "x-bin: ?", "grpc-timeout: 1", "x y: 1", "x: é"}) {
                Cli refused = Cli.run("call", server.address(), "demo.Demo/Ask", "-H", wrong);
                assertThat(refused.exitCode()).isEqualTo(2);
                assertThat(refused.err()).startsWith("caisson: -H ");
            }
        }
    }

    @Test
    void timeoutAndSizesAreKept() throws Exception {
        try (DemoServer server = DemoServer.start(DemoServer.Kind.GRPC_JAVA_V1)) {
            Cli late = Cli.run("call", server.address(), "demo.Demo/Hang", "--proto", PROTO, "--timeout", "500ms");
            assertThat(late.exitCode()).isEqualTo(68);
            assertThat(late.err()).startsWith("caisson: DEADLINE_EXCEEDED").contains("--timeout");
            String big = "{\"text\":\"" + "x".repeat(5_000) + "\"}";
            Cli request = Cli.run("call", server.address(), "demo.Demo/Ask", "--max-msg-size", "4K", "-d", big);
            assertThat(request.exitCode()).isEqualTo(2);
            assertThat(request.err()).contains("longer than the 4096 bytes");
            Cli reply = Cli.run(
                    "call",
                    server.address(),
                    "demo.Demo/AskMany",
                    "--proto",
                    PROTO,
                    "--max-msg-size",
                    "20",
                    "-d",
                    "{\"times\":1}");
            assertThat(reply.exitCode()).isZero();
            Cli tooLarge = Cli.run(
                    "call", server.address(), "demo.Demo/Ask", "--proto", PROTO, "--max-msg-size", "10", "-d", "{}");
            assertThat(tooLarge.exitCode()).isEqualTo(72);
            for (String wrong : new String[] {"0", "5x", "3G", "-1"}) {
                assertThat(Cli.run("call", server.address(), "demo.Demo/Ask", "--max-msg-size", wrong)
                                .exitCode())
                        .isEqualTo(2);
            }
        }
    }

    @Test
    void nobodyThereIsToldWithTheAddressAndTheNextStep() throws Exception {
        int free;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            free = socket.getLocalPort();
        }
        for (String command : new String[] {"list", "describe"}) {
            Cli refused = Cli.run(command, "127.0.0.1:" + free);
            assertThat(refused.exitCode()).isEqualTo(78);
            assertThat(refused.err())
                    .isEqualTo("caisson: UNAVAILABLE: nothing listens at 127.0.0.1:" + free
                            + " (connection refused)\n  start the server there, or check host and port\n");
        }
        assertThat(Cli.run("call", "127.0.0.1:" + free, "demo.Demo/Ask", "--proto", PROTO)
                        .err())
                .contains("nothing listens at");
    }

    @ParameterizedTest
    @ValueSource(strings = {"localhost", "127.0.0.1:0", "127.0.0.1:x", "::1", "http://127.0.0.1:80"})
    void anAddressThatIsNoneIsWrongUsage(String address) {
        Cli wrong = Cli.run("list", address);
        assertThat(wrong.exitCode()).isEqualTo(2);
        assertThat(wrong.err()).startsWith("caisson: ");
    }

    @Test
    void optionsThatContradictEachOtherAreWrongUsage() {
        assertThat(Cli.run("list", "127.0.0.1:1", "--plaintext", "--tls").exitCode())
                .isEqualTo(2);
        assertThat(Cli.run("list", "127.0.0.1:1", "--cert", "x").err()).contains("--key is missing");
        assertThat(Cli.run("list", "127.0.0.1:1", "--cacert", "none.pem").err()).contains("--cacert names none.pem");
        assertThat(Cli.run("list").err()).contains("an address is needed");
        assertThat(Cli.run("call", "127.0.0.1:1").exitCode()).isEqualTo(2);
        assertThat(Cli.run("list", "--proto", "none.proto").err()).contains("there is no file none.proto");
    }

    @Test
    void describesCustomOptions() throws IOException {
        Path file = Files.writeString(folder.resolve("options.proto"), """
                syntax = "proto3";
                package acme;
                import "google/protobuf/descriptor.proto";
                enum Level { LOW = 0; HIGH = 1; }
                message Rule { string role = 1; repeated int32 codes = 2; }
                extend google.protobuf.MessageOptions { Rule rule = 50001; }
                extend google.protobuf.FieldOptions { Level level = 50002; repeated string tags = 50003; }
                extend google.protobuf.MethodOptions { string audit = 50004; }
                extend google.protobuf.ServiceOptions { bool internal = 50005; }
                extend google.protobuf.EnumValueOptions { uint32 weight = 50006; }
                message Secret {
                  option (rule) = { role: "admin" codes: 1 codes: 2 };
                  string text = 1 [(level) = HIGH, (tags) = "a", (tags) = "b"];
                }
                enum Colour { RED = 0 [(weight) = 7]; }
                service Vault {
                  option (internal) = true;
                  rpc Open (Secret) returns (Secret) { option (audit) = "always \\"x\\""; }
                }
                """);
        assertThat(Cli.run("describe", "--proto", file.toString(), "acme.Secret")
                        .out())
                .contains("  option (acme.rule) = { role: \"admin\" codes: 1 codes: 2 };\n")
                .contains("string text = 1 [(acme.level) = HIGH, (acme.tags) = \"a\", (acme.tags) = \"b\"];");
        assertThat(Cli.run("describe", "--proto", file.toString(), "acme.Vault").out())
                .contains("  option (acme.internal) = true;\n")
                .contains("{ option (acme.audit) = \"always \\\"x\\\"\"; }");
        assertThat(Cli.run("describe", "--proto", file.toString(), "acme.Colour")
                        .out())
                .contains("RED = 0 [(acme.weight) = 7];");
    }

    @Test
    void protoFilesWithGroupsOrEditionsAreRefusedByNameWithTheWayOut() throws IOException {
        Path group = Files.writeString(
                folder.resolve("group.proto"),
                "syntax = \"proto2\";\n// repeated group No = 9 {}\nmessage A {\n"
                        + "  optional string group = 2;\n  repeated group Item = 1 { optional int32 n = 1; }\n}\n");
        Cli refused = Cli.run("list", "--proto", group.toString());
        assertThat(refused.exitCode()).isEqualTo(2);
        assertThat(refused.err())
                .contains("group.proto:5 uses a proto2 group (\"group Item = 1\")")
                .contains("protoc --include_imports --descriptor_set_out=set.pb group.proto")
                .contains("--descriptor-set set.pb");
        Path edition = Files.writeString(
                folder.resolve("edition.proto"), "// new\nedition = \"2023\";\nmessage A { int32 n = 1; }\n");
        assertThat(Cli.run("list", "--proto", edition.toString()).err())
                .contains("edition.proto:2 uses editions")
                .contains("--descriptor-set set.pb");
        Path words = Files.writeString(
                folder.resolve("words.proto"),
                "syntax = \"proto2\";\nmessage groups { optional groups group = 1; optional string edition = 2; }\n");
        assertThat(Cli.run("describe", "--proto", words.toString(), "groups").exitCode())
                .isZero();
    }

    @Test
    void protoFilesThatAreWrongSayWhere() throws IOException {
        Path broken = Files.writeString(folder.resolve("broken.proto"), "syntax = \"proto3\";\nmessage A { int32 }\n");
        Cli wrong = Cli.run("list", "--proto", broken.toString());
        assertThat(wrong.exitCode()).isEqualTo(2);
        assertThat(wrong.err()).contains("broken.proto:2").contains("--descriptor-set");
        Path missing = Files.writeString(
                folder.resolve("missing.proto"),
                "syntax = \"proto3\";\nimport \"gone.proto\";\nmessage A { Gone g = 1; }\n");
        assertThat(Cli.run("list", "--proto", missing.toString()).err()).contains("gone.proto");
    }

    @Test
    void aStreamOfRequestsIsNotReadAheadOfAServerThatFailed() throws Exception {
        try (DemoServer server = DemoServer.start(DemoServer.Kind.GRPC_JAVA_V1)) {
            // the input never ends: the command must end all the same, because the call does
            InputStream endless = new InputStream() {
                private final byte[] first = "{\"failWith\":7}\n".getBytes(StandardCharsets.UTF_8);
                private int at;

                @Override
                public int read() throws IOException {
                    if (at < first.length) {
                        return first[at++];
                    }
                    try {
                        new CountDownLatch(1).await();
                        return -1;
                    } catch (InterruptedException e) {
                        throw new InterruptedIOException();
                    }
                }

                @Override
                public int read(byte[] into, int offset, int length) throws IOException {
                    into[offset] = (byte) read();
                    return 1;
                }
            };
            Cli failed = Cli.run(endless, "call", server.address(), "demo.Demo/Talk", "-d", "-");
            assertThat(failed.exitCode()).isEqualTo(71);
        }
    }

    @Test
    void aBrokenPipeEndsQuietly() throws Exception {
        try (DemoServer server = DemoServer.start(DemoServer.Kind.GRPC_JAVA_V1)) {
            ByteArrayOutputStream err = new ByteArrayOutputStream();
            OutputStream broken = new OutputStream() {
                @Override
                public void write(int b) throws IOException {
                    throw new IOException("Broken pipe");
                }
            };
            Console console =
                    new Console(new ByteArrayInputStream(new byte[0]), broken, err, false, onInterrupt -> () -> {});
            assertThat(Main.commandLine(console).execute("call", server.address(), "demo.Demo/Hang"))
                    .isEqualTo(141);
            assertThat(err.size()).isZero();
            assertThat(server.cancelled.await(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void everyCommandHelpsWithExamples() {
        assertThat(Cli.run("--help").out())
                .contains("Examples:")
                .contains("list")
                .contains("describe")
                .contains("call");
        for (String command : new String[] {"list", "describe", "call", "store", "completion"}) {
            Cli help = Cli.run(command, "--help");
            assertThat(help.exitCode()).isZero();
            assertThat(help.out()).contains("Examples:").contains("caisson " + command);
            assertThat(Cli.run("help", command).out()).isEqualTo(help.out());
        }
        assertThat(Cli.run().out()).contains("Usage: caisson");
    }

    @Test
    void printsACompletionScript() {
        Cli script = Cli.run("completion", "bash");
        assertThat(script.exitCode()).isZero();
        assertThat(script.out())
                .startsWith("#!")
                .contains("complete -F")
                .contains("describe")
                .contains("--cacert")
                .contains("--store-port")
                .contains("--maxmemory");
        assertThat(Cli.run("completion", "fish").exitCode()).isEqualTo(2);
    }
}
