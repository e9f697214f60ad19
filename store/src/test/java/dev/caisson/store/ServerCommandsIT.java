package dev.caisson.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.caisson.store.resp.Reply;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** HELLO, AUTH, CLIENT, COMMAND, CONFIG, INFO and their kin, on sockets. */
class ServerCommandsIT {
    private Store store;
    private Wire wire;

    @BeforeEach
    void open() throws IOException {
        store = Store.open(StoreOptions.defaults().port(0).loops(2));
        wire = new Wire(store.port());
    }

    @AfterEach
    void close() throws IOException {
        wire.close();
        store.close();
    }

    // ---- HELLO, AUTH, RESET

    @Test
    void helloAnswersInTheProtocolAskedFor() throws IOException {
        assertThat(map(wire.call("HELLO", "3")))
                .containsEntry("server", "redis")
                .containsEntry("version", "7.4.0")
                .containsEntry("proto", "3")
                .containsEntry("mode", "standalone")
                .containsEntry("role", "master")
                .containsEntry("modules", "[]");
        assertThat(wire.call("GET", "missing")).isEqualTo(Reply.NIL);
        wire.raw("GET missing\r\n");
        assertThat(wire.bytes(3)).isEqualTo("_\r\n");
        assertThat(wire.call("HELLO", "2")).isInstanceOf(Reply.Array.class);
        wire.raw("GET missing\r\n");
        assertThat(wire.bytes(5)).isEqualTo("$-1\r\n");
        assertThat(map(wire.call("HELLO"))).containsEntry("proto", "2");
    }

    @Test
    void helloRefusesInRedisWords() throws IOException {
        assertError("NOPROTO unsupported protocol version", "HELLO", "4");
        assertError("ERR Protocol version is not an integer or out of range", "HELLO", "x");
        assertError("ERR Syntax error in HELLO option 'FOO'", "HELLO", "3", "FOO");
        assertError("ERR Syntax error in HELLO option 'AUTH'", "HELLO", "3", "AUTH", "default");
        assertError(
                "ERR Client names cannot contain spaces, newlines or special characters.",
                "HELLO",
                "3",
                "SETNAME",
                "a b");
        wire.call("HELLO", "3", "SETNAME", "me");
        assertThat(text(wire.call("CLIENT", "GETNAME"))).isEqualTo("me");
    }

    @Test
    void aPasswordIsDemanded() throws IOException {
        assertError(
                "ERR AUTH <password> called without any password configured for the default user. Are you sure your"
                        + " configuration is correct?",
                "AUTH",
                "secret");
        assertOk("AUTH", "default", "anything");
        assertOk("CONFIG", "SET", "requirepass", "secret");
        assertOk("SET", "k", "v"); // who is in stays in
        try (Wire late = new Wire(store.port())) {
            assertThat(error(late.call("GET", "k"))).isEqualTo("NOAUTH Authentication required.");
            assertThat(error(late.call("PING"))).isEqualTo("NOAUTH Authentication required.");
            assertThat(error(late.call("HELLO", "3"))).startsWith("NOAUTH HELLO must be called");
            assertThat(error(late.call("AUTH", "wrong")))
                    .isEqualTo("WRONGPASS invalid username-password pair or user is disabled.");
            assertThat(error(late.call("HELLO", "3", "AUTH", "default", "wrong")))
                    .startsWith("WRONGPASS");
            assertThat(error(late.call("AUTH", "a", "b", "c"))).isEqualTo("ERR syntax error");
            assertThat(late.call("AUTH", "secret")).isEqualTo(new Reply.Simple("OK"));
            assertThat(text(late.call("GET", "k"))).isEqualTo("v");
            assertThat(late.call("RESET")).isEqualTo(new Reply.Simple("RESET"));
            assertThat(error(late.call("GET", "k"))).startsWith("NOAUTH");
            assertThat(map(late.call("HELLO", "3", "AUTH", "default", "secret", "SETNAME", "x")))
                    .containsEntry("proto", "3");
        }
        try (Wire long_ = new Wire(store.port())) {
            long_.raw("*11\r\n");
            assertThat(error(long_.read())).isEqualTo("ERR Protocol error: unauthenticated multibulk length");
        }
    }

    @Test
    void resetForgetsTheConversation() throws IOException {
        wire.call("HELLO", "3");
        wire.call("CLIENT", "SETNAME", "me");
        wire.call("WATCH", "a", "b", "c");
        wire.call("MULTI");
        assertThat(wire.call("RESET")).isEqualTo(new Reply.Simple("RESET"));
        assertError("ERR EXEC without MULTI", "EXEC");
        wire.raw("CLIENT GETNAME\r\n");
        assertThat(wire.bytes(5)).isEqualTo("$-1\r\n");
        await().until(() -> store.figure(dev.caisson.store.engine.Shard.Figure.WATCHED) == 0);
    }

    @Test
    void aClientInProcessSpeaksResp3Only() throws Exception {
        try (StoreClient client = store.client("local", push -> {})) {
            assertThat(client.send("HELLO", "3").get(30, TimeUnit.SECONDS)).isInstanceOf(Reply.MapReply.class);
            assertThat(error(client.send("HELLO", "2").get(30, TimeUnit.SECONDS)))
                    .isEqualTo("NOPROTO a client in process speaks RESP3 only");
            assertThat(client.send("RESET").get(30, TimeUnit.SECONDS)).isEqualTo(new Reply.Simple("RESET"));
        }
    }

    // ---- CLIENT

    @Test
    void clientsAreListed() throws IOException {
        try (Wire other = new Wire(store.port())) {
            other.call("CLIENT", "SETNAME", "other");
            other.call("CLIENT", "SETINFO", "LIB-NAME", "lib(1)");
            other.call("CLIENT", "SETINFO", "lib-ver", "1.2");
            other.call("MULTI");
            other.call("GET", "a");
            long id = integer(wire.call("CLIENT", "ID"));
            String list = text(wire.call("CLIENT", "LIST"));
            assertThat(list.lines()).hasSize(2);
            assertThat(list.lines()
                            .filter(line -> line.startsWith("id=" + id + " "))
                            .findFirst()
                            .orElse(""))
                    .startsWith("id=" + id + " addr=127.0.0.1:" + wire.socket().getLocalPort() + " laddr=127.0.0.1:"
                            + store.port() + " ")
                    .contains(" flags=N ", " cmd=client|list ", " user=default ", " resp=2 ");
            assertThat(list.lines()
                            .filter(line -> !line.startsWith("id=" + id + " "))
                            .findFirst()
                            .orElse(""))
                    .contains(" name=other ", " multi=1 ", " flags=x ", " lib-name=lib(1) lib-ver=1.2");
            assertThat(text(wire.call("CLIENT", "LIST", "ID", "" + id)).lines()).hasSize(1);
            assertThat(text(wire.call("CLIENT", "LIST", "TYPE", "pubsub"))).isEmpty();
            assertThat(text(wire.call("CLIENT", "INFO")))
                    .startsWith("id=" + id + " ")
                    .endsWith("\n");
        }
        assertError("ERR Unknown client type 'x'", "CLIENT", "LIST", "TYPE", "x");
        assertError("ERR Invalid client ID", "CLIENT", "LIST", "ID", "x");
        assertError("ERR syntax error", "CLIENT", "LIST", "FOO");
    }

    @Test
    void clientsAreKilled() throws IOException {
        try (Wire a = new Wire(store.port());
                Wire b = new Wire(store.port());
                Wire c = new Wire(store.port())) {
            long id = integer(a.call("CLIENT", "ID"));
            assertThat(wire.call("CLIENT", "KILL", "ID", "" + id)).isEqualTo(new Reply.Int(1));
            assertThatThrownBy(a::read).isInstanceOf(IOException.class);
            assertOk("CLIENT", "KILL", "127.0.0.1:" + b.socket().getLocalPort());
            assertThatThrownBy(b::read).isInstanceOf(IOException.class);
            c.call("PING");
            assertThat(wire.call("CLIENT", "KILL", "TYPE", "normal", "USER", "default"))
                    .isEqualTo(new Reply.Int(1));
            assertThatThrownBy(c::read).isInstanceOf(IOException.class);
            assertThat(wire.call("PING")).isEqualTo(new Reply.Simple("PONG"));
        }
        assertError("ERR No such client", "CLIENT", "KILL", "1.2.3.4:5");
        assertError("ERR client-id should be greater than 0", "CLIENT", "KILL", "ID", "0");
        assertError("ERR syntax error", "CLIENT", "KILL", "ID", "1", "FOO");
        assertThat(wire.call("CLIENT", "KILL", "SKIPME", "NO", "MAXAGE", "100000"))
                .isEqualTo(new Reply.Int(0));
        assertThat(wire.call("CLIENT", "KILL", "SKIPME", "no", "TYPE", "normal"))
                .isEqualTo(new Reply.Int(1));
        assertThatThrownBy(wire::read).isInstanceOf(IOException.class);
    }

    @Test
    void clientSettingsAreChecked() throws IOException {
        assertThat(wire.call("CLIENT", "GETNAME")).isEqualTo(Reply.NIL);
        assertError(
                "ERR Client names cannot contain spaces, newlines or special characters.", "CLIENT", "SETNAME", "a\nb");
        assertError("ERR Unrecognized option 'foo'", "CLIENT", "SETINFO", "foo", "bar");
        assertError(
                "ERR LIB-NAME cannot contain spaces, newlines or special characters.",
                "CLIENT",
                "SETINFO",
                "LIB-NAME",
                "a b");
        assertOk("CLIENT", "NO-EVICT", "on");
        assertOk("CLIENT", "NO-TOUCH", "ON");
        assertError("ERR syntax error", "CLIENT", "NO-TOUCH", "maybe");
        assertError("ERR unknown subcommand 'FOO'. Try CLIENT HELP.", "CLIENT", "FOO");
        assertThat(list(wire.call("CLIENT", "HELP")).getFirst())
                .isEqualTo(new Reply.Simple("CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    }

    @Test
    void repliesCanBeDone() throws IOException {
        wire.call("SET", "b", "2");
        wire.raw(
                "CLIENT REPLY OFF\r\nSET a 1\r\nGET b\r\nMGET a b c d\r\nPING\r\nNOSUCH\r\nCLIENT REPLY ON\r\nGET a\r\n");
        assertThat(wire.read()).isEqualTo(new Reply.Simple("OK"));
        assertThat(wire.read()).isEqualTo(bulk("1"));
        for (String skipped : List.of("GET b", "MGET a b c d", "PING", "NOSUCH")) {
            wire.raw("CLIENT REPLY SKIP\r\n" + skipped + "\r\nGET b\r\nGET a\r\n");
            assertThat(wire.read()).as(skipped).isEqualTo(bulk("2"));
            assertThat(wire.read()).as(skipped).isEqualTo(bulk("1"));
        }
        assertError("ERR syntax error", "CLIENT", "REPLY", "maybe");
    }

    @Test
    void waitingClientsAreUnblocked() throws IOException {
        try (Wire other = new Wire(store.port())) {
            long id = integer(other.call("CLIENT", "ID"));
            other.send("BLPOP", "list", "0");
            await().until(() -> integer(wire.call("CLIENT", "UNBLOCK", "" + id)) == 1);
            assertThat(other.read()).isEqualTo(Reply.NIL);
            other.send("BLPOP", "list", "0");
            await().until(() -> integer(wire.call("CLIENT", "UNBLOCK", "" + id, "ERROR")) == 1);
            assertThat(error(other.read())).isEqualTo("UNBLOCKED client unblocked via CLIENT UNBLOCK");
            assertThat(wire.call("CLIENT", "UNBLOCK", "" + id)).isEqualTo(new Reply.Int(0));
        }
        assertError("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR", "CLIENT", "UNBLOCK", "1", "x");
    }

    // ---- COMMAND

    @Test
    void commandsAreDescribed() throws IOException {
        List<Reply> get = list(list(wire.call("COMMAND", "INFO", "get")).getFirst());
        assertThat(get).hasSize(10);
        assertThat(text(get.get(0))).isEqualTo("get");
        assertThat(get.get(1)).isEqualTo(new Reply.Int(2));
        assertThat(list(get.get(2))).containsExactly(new Reply.Simple("readonly"), new Reply.Simple("fast"));
        assertThat(get.subList(3, 6)).containsExactly(new Reply.Int(1), new Reply.Int(1), new Reply.Int(1));
        assertThat(list(get.get(6))).contains(new Reply.Simple("@read"), new Reply.Simple("@string"));
        assertThat(list(wire.call("COMMAND", "INFO", "nosuch", "client|id")))
                .first()
                .isEqualTo(Reply.NIL);
        long count = integer(wire.call("COMMAND", "COUNT"));
        assertThat(list(wire.call("COMMAND"))).hasSize((int) count);
        assertThat(list(wire.call("COMMAND", "LIST"))).hasSizeGreaterThan((int) count);
        assertThat(list(wire.call("COMMAND", "LIST", "FILTERBY", "PATTERN", "client|i*")))
                .extracting(ServerCommandsIT::text)
                .containsExactlyInAnyOrder("client|id", "client|info");
        assertThat(list(wire.call("COMMAND", "LIST", "FILTERBY", "ACLCAT", "transaction")))
                .extracting(ServerCommandsIT::text)
                .contains("multi", "exec");
        assertThat(map(wire.call("COMMAND", "DOCS", "get", "nosuch"))).containsOnlyKeys("get");
    }

    @Test
    void keysOfCommandsAreFound() throws IOException {
        assertThat(list(wire.call("COMMAND", "GETKEYS", "MSET", "a", "1", "b", "2")))
                .extracting(ServerCommandsIT::text)
                .containsExactly("a", "b");
        assertThat(list(list(wire.call("COMMAND", "GETKEYSANDFLAGS", "GET", "a"))
                        .getFirst()))
                .containsExactly(bulk("a"), new Reply.Array(List.of(new Reply.Simple("RO"))));
        assertError("ERR The command has no key arguments", "COMMAND", "GETKEYS", "PING");
        assertError("ERR Invalid command specified", "COMMAND", "GETKEYS", "NOSUCH", "a");
        assertError("ERR Invalid number of arguments specified for command", "COMMAND", "GETKEYS", "GET", "a", "b");
    }

    // ---- CONFIG

    @Test
    void parametersAreSetAllOrNone() throws IOException {
        assertThat(map(wire.call("CONFIG", "GET", "maxmemory-p*", "DATABASES")))
                .containsExactlyInAnyOrderEntriesOf(Map.of("maxmemory-policy", "noeviction", "DATABASES", "1"));
        assertOk("CONFIG", "SET", "maxmemory", "100mb", "maxmemory-policy", "allkeys-lru");
        assertThat(map(wire.call("CONFIG", "GET", "maxmemory"))).containsEntry("maxmemory", "104857600");
        assertError(
                "ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value",
                "CONFIG",
                "SET",
                "maxmemory-policy",
                "noeviction",
                "maxmemory",
                "x");
        assertThat(map(wire.call("CONFIG", "GET", "maxmemory-policy"))).containsValue("allkeys-lru");
        assertError("ERR Unknown option or number of arguments for CONFIG SET - 'foo'", "CONFIG", "SET", "foo", "bar");
        assertError(
                "ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config",
                "CONFIG",
                "SET",
                "databases",
                "2");
        assertError(
                "ERR CONFIG SET failed (possibly related to argument 'timeout') - duplicate parameter",
                "CONFIG",
                "SET",
                "timeout",
                "1",
                "timeout",
                "2");
        assertError(
                "ERR CONFIG SET failed (possibly related to argument 'timeout') - argument couldn't be parsed into an integer",
                "CONFIG",
                "SET",
                "timeout",
                "x");
        assertError("ERR syntax error", "CONFIG", "SET", "timeout", "1", "x");
        assertOk("CONFIG", "SET", "hash-max-ziplist-entries", "7");
        assertThat(map(wire.call("CONFIG", "GET", "hash-max-listpack-entries"))).containsValue("7");
    }

    // ---- the rest

    @Test
    void infoHasSections() throws IOException {
        wire.call("SET", "k", "v");
        String info = text(wire.call("INFO"));
        assertThat(info)
                .startsWith("# Server\r\nredis_version:7.4.0\r\n")
                .contains("caisson_version:", "\r\n\r\n# Clients\r\nconnected_clients:1\r\n", "role:master")
                .doesNotContain("# Commandstats");
        assertThat(text(wire.call("INFO", "server", "cpu")))
                .contains("# CPU", "tcp_port:" + store.port())
                .doesNotContain("# Memory");
        assertThat(text(wire.call("INFO", "everything"))).contains("cmdstat_set:calls=1,");
        await().until(() -> text(wire.call("INFO", "keyspace")).contains("db0:keys=1,expires=0"));
        assertThat(text(wire.call("INFO", "nosuch"))).isEmpty();
        assertOk("CONFIG", "RESETSTAT");
        assertThat(text(wire.call("INFO", "commandstats"))).doesNotContain("cmdstat_set");
        wire.call("HELLO", "3");
        assertThat(wire.call("INFO", "cluster"))
                .isEqualTo(new Reply.Verbatim("txt", "# Cluster\r\ncluster_enabled:0\r\n"));
    }

    @Test
    void whatIsNotHereSaysSo() throws IOException {
        assertError("ERR This instance has cluster support disabled", "CLUSTER", "INFO");
        assertThat(error(wire.call("EVAL", "return 1", "0"))).startsWith("ERR this store runs no scripts");
        assertOk("FUNCTION", "FLUSH");
        assertOk("SCRIPT", "FLUSH", "SYNC");
        assertThat(error(wire.call("SCRIPT", "LOAD", "x"))).startsWith("ERR this store runs no scripts");
        assertThat(wire.call("WAIT", "1", "10")).isEqualTo(new Reply.Int(0));
        assertError("ERR timeout is negative", "WAIT", "1", "-10");
        assertThat(list(wire.call("ROLE")))
                .containsExactly(bulk("master"), new Reply.Int(0), new Reply.Array(List.of()));
        assertThat(list(wire.call("TIME"))).hasSize(2);
    }

    // ---- replies

    private void assertOk(String... command) throws IOException {
        assertThat(wire.call(command)).isEqualTo(new Reply.Simple("OK"));
    }

    private void assertError(String line, String... command) throws IOException {
        assertThat(wire.call(command)).isEqualTo(new Reply.ErrorLine(line));
    }

    private static String error(Reply reply) {
        return ((Reply.ErrorLine) reply).line();
    }

    private static long integer(Reply reply) {
        return ((Reply.Int) reply).value();
    }

    private static Reply bulk(String text) {
        return new Reply.Bulk(text.getBytes(ISO_8859_1));
    }

    private static List<Reply> list(Reply reply) {
        return ((Reply.Array) reply).elements();
    }

    private static String text(Reply reply) {
        return switch (reply) {
            case Reply.Bulk bulk -> bulk.text();
            case Reply.Simple simple -> simple.text();
            case Reply.Int integer -> Long.toString(integer.value());
            case Reply.Verbatim verbatim -> verbatim.text();
            case Reply.Array array -> array.elements().toString();
            default -> reply.toString();
        };
    }

    private static Map<String, String> map(Reply reply) {
        Map<String, String> map = new LinkedHashMap<>();
        if (reply instanceof Reply.MapReply pairs) {
            pairs.pairs().forEach(pair -> map.put(text(pair.key()), text(pair.value())));
        } else {
            List<Reply> all = list(reply);
            for (int i = 0; i < all.size(); i += 2) {
                map.put(text(all.get(i)), text(all.get(i + 1)));
            }
        }
        return map;
    }
}
