package dev.caisson.store;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.store.resp.Reply;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** ACL users on sockets; texts are those of redis-server 7. */
class AclIT {
    private Store store;
    private Wire admin;
    private Wire wire;

    @BeforeEach
    void open() throws IOException {
        store = Store.open(StoreOptions.defaults().port(0).loops(2));
        admin = new Wire(store.port());
        wire = new Wire(store.port());
    }

    @AfterEach
    void close() throws IOException {
        admin.close();
        wire.close();
        store.close();
    }

    private void become(String... rules) throws IOException {
        String[] command = new String[rules.length + 5];
        command[0] = "ACL";
        command[1] = "SETUSER";
        command[2] = "bob";
        command[3] = "on";
        command[4] = ">pw";
        System.arraycopy(rules, 0, command, 5, rules.length);
        assertThat(admin.call(command)).isEqualTo(ok());
        assertThat(wire.call("AUTH", "bob", "pw")).isEqualTo(ok());
    }

    @Test
    void aUserIsWhatWasSet() throws IOException {
        assertThat(texts(admin.call("ACL", "LIST")))
                .containsExactly("user default on nopass sanitize-payload ~* &* +@all");
        admin.call("ACL", "SETUSER", "alice");
        assertThat(texts(admin.call("ACL", "LIST"))).contains("user alice off sanitize-payload resetchannels -@all");
        admin.call(
                "ACL",
                "SETUSER",
                "alice",
                "on",
                ">secret",
                "~app:*",
                "%R~shared:*",
                "&news.*",
                "+@all",
                "-@dangerous",
                "+config|get",
                "(~extra -@all +get)",
                "(",
                "~more",
                "+set",
                ")");
        assertThat(texts(admin.call("ACL", "LIST")))
                .contains(
                        "user alice on sanitize-payload #2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b ~app:*"
                                + " %R~shared:* resetchannels &news.* +@all -@dangerous +config|get (~extra resetchannels -@all"
                                + " +get) (~more resetchannels -@all +set)");
        assertThat(map(admin.call("ACL", "GETUSER", "alice")))
                .containsEntry("flags", "[on, sanitize-payload]")
                .containsEntry("passwords", "[2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b]")
                .containsEntry("commands", "+@all -@dangerous +config|get")
                .containsEntry("keys", "~app:* %R~shared:*")
                .containsEntry("channels", "&news.*")
                .containsEntry(
                        "selectors",
                        "[[commands, -@all +get, keys, ~extra, channels, ], [commands, -@all +set, keys, ~more, channels, ]]");
        assertThat(admin.call("ACL", "GETUSER", "nobody")).isEqualTo(Reply.NIL);
        assertThat(texts(admin.call("ACL", "USERS"))).containsExactly("alice", "default");
        admin.call("ACL", "SETUSER", "alice", "reset");
        assertThat(texts(admin.call("ACL", "LIST"))).contains("user alice off sanitize-payload resetchannels -@all");
    }

    @Test
    void commandsAreForbiddenUnlessAllowed() throws IOException {
        become("~*", "+get", "+@transaction", "-multi", "+client|id", "+config", "-config|set", "+echo|hi");
        assertThat(wire.call("GET", "k")).isEqualTo(Reply.NIL);
        assertNoPerm("User bob has no permissions to run the 'set' command", "SET", "k", "v");
        assertNoPerm("User bob has no permissions to run the 'client|list' command", "CLIENT", "LIST");
        assertThat(wire.call("CLIENT", "ID")).isInstanceOf(Reply.Int.class);
        assertThat(wire.call("CONFIG", "GET", "timeout")).isInstanceOf(Reply.Array.class);
        assertNoPerm("User bob has no permissions to run the 'config|set' command", "CONFIG", "SET", "timeout", "1");
        assertThat(wire.call("ECHO", "HI")).isEqualTo(bulk("HI"));
        assertNoPerm("User bob has no permissions to run the 'echo' command", "ECHO", "ho");
        assertThat(((Reply.ErrorLine) wire.call("NOSUCH")).line()).startsWith("ERR unknown command");
        assertThat(wire.call("AUTH", "default", "")).isEqualTo(ok());
        assertThat(wire.call("SET", "k", "v")).isEqualTo(ok());
    }

    @Test
    void keysAreForbiddenUnlessAPatternAllowsThem() throws IOException {
        admin.call("MSET", "app:1", "x", "log:1", "y", "in:1", "z");
        become("+@all", "~app:*", "%R~in:*", "%W~log:*");
        assertThat(wire.call("GET", "app:1")).isEqualTo(bulk("x"));
        assertThat(wire.call("SET", "app:1", "2")).isEqualTo(ok());
        assertThat(wire.call("GET", "in:1")).isEqualTo(bulk("z"));
        assertNoPerm("No permissions to access a key", "SET", "in:1", "1");
        assertThat(wire.call("SET", "log:1", "1")).isEqualTo(ok());
        assertNoPerm("No permissions to access a key", "GET", "log:1");
        assertThat(wire.call("STRLEN", "log:1")).isEqualTo(new Reply.Int(1));
        assertNoPerm("No permissions to access a key", "INCR", "log:1");
        assertNoPerm("No permissions to access a key", "INCR", "in:1");
        assertThat(wire.call("COPY", "in:1", "log:2")).isEqualTo(new Reply.Int(1));
        assertNoPerm("No permissions to access a key", "COPY", "log:1", "in:2");
        assertNoPerm("No permissions to access a key", "RENAME", "in:1", "log:3");
        assertNoPerm("No permissions to access a key", "MGET", "app:1", "other");
        assertThat(wire.call("MGET", "app:1", "in:1")).isInstanceOf(Reply.Array.class);
        assertNoPerm("No permissions to access a key", "GET", "APP:1");
    }

    @Test
    void aSelectorAllowsACommandAsAWhole() throws IOException {
        become("+get", "~a*", "(+set ~b*)");
        assertThat(wire.call("GET", "a")).isEqualTo(Reply.NIL);
        assertThat(wire.call("SET", "b", "1")).isEqualTo(ok());
        assertNoPerm("No permissions to access a key", "GET", "b");
        assertNoPerm("No permissions to access a key", "SET", "a", "1");
        assertNoPerm("User bob has no permissions to run the 'del' command", "DEL", "a");
    }

    @Test
    void channelsAreForbiddenUnlessAPatternAllowsThem() throws IOException {
        become("+@all", "&news.*");
        assertThat(wire.call("PUBLISH", "news.a", "x")).isEqualTo(new Reply.Int(0));
        assertNoPerm("No permissions to access a channel", "PUBLISH", "other", "x");
        assertNoPerm("No permissions to access a channel", "SUBSCRIBE", "news.a", "other");
        assertNoPerm("No permissions to access a channel", "PSUBSCRIBE", "news.a*");
        assertThat(wire.call("PSUBSCRIBE", "news.*")).isInstanceOf(Reply.Array.class);
        assertThat(wire.call("SUBSCRIBE", "news.a")).isInstanceOf(Reply.Array.class);
        // what was allowed and is not any more ends the connection
        assertThat(admin.call("ACL", "SETUSER", "bob", "resetchannels", "&other"))
                .isEqualTo(ok());
        assertThatThrownBy(wire::read).isInstanceOf(IOException.class);
    }

    @Test
    void whoWatchesMustBeAllowedToRead() throws IOException {
        become("+@all", "-get", "~app:*");
        assertNoPerm("User bob has no permissions to run the 'get' command", "GET.WATCH", "app:1");
        assertNoPerm("User bob has no permissions to run the 'get' command", "OBSERVE", "GET", "app:1");
        assertNoPerm("No permissions to access a key", "STRLEN.WATCH", "other");
        assertNoPerm("No permissions to access a key", "OBSERVE", "STRLEN", "other");
        assertThat(wire.call("STRLEN.WATCH", "app:1")).isInstanceOf(Reply.Array.class);
        assertThat(admin.call("ACL", "SETUSER", "bob", "+get")).isEqualTo(ok());
        assertThat(wire.call("PING")).isEqualTo(new Reply.Simple("PONG"));
        // what was allowed and is not any more ends the connection
        assertThat(admin.call("ACL", "SETUSER", "bob", "-strlen")).isEqualTo(ok());
        assertThatThrownBy(wire::read).isInstanceOf(IOException.class);
    }

    @Test
    void changesHoldForConnectionsThatAreOpen() throws IOException {
        become("+@all", "~*");
        wire.call("MULTI");
        wire.call("SET", "k", "v");
        wire.call("GET", "k");
        admin.call("ACL", "SETUSER", "bob", "-set");
        List<Reply> replies = ((Reply.Array) wire.call("EXEC")).elements();
        assertThat(((Reply.ErrorLine) replies.get(0)).line()).startsWith("NOPERM ACLs rules changed between");
        assertThat(replies.get(1)).isEqualTo(Reply.NIL);
        wire.call("MULTI");
        assertNoPerm("User bob has no permissions to run the 'set' command", "SET", "k", "v");
        assertThat(((Reply.ErrorLine) wire.call("EXEC")).line()).startsWith("EXECABORT");
        assertThat(admin.call("ACL", "DELUSER", "bob", "nobody")).isEqualTo(new Reply.Int(1));
        assertThatThrownBy(wire::read).isInstanceOf(IOException.class);
    }

    @Test
    void passwordsAreAddedAndRemoved() throws IOException {
        String hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
        admin.call("ACL", "SETUSER", "bob", "on", "#" + hash, ">other");
        assertThat(wire.call("AUTH", "bob", "secret")).isEqualTo(ok());
        assertThat(wire.call("AUTH", "bob", "other")).isEqualTo(ok());
        admin.call("ACL", "SETUSER", "bob", "<other");
        assertThat(wire.call("AUTH", "bob", "other")).isInstanceOf(Reply.ErrorLine.class);
        assertThat(wire.call("AUTH", "bob", hash)).isInstanceOf(Reply.ErrorLine.class);
        admin.call("ACL", "SETUSER", "bob", "off");
        assertThat(wire.call("AUTH", "bob", "secret")).isInstanceOf(Reply.ErrorLine.class);
        admin.call("ACL", "SETUSER", "bob", "on", "nopass");
        assertThat(wire.call("AUTH", "bob", "anything")).isEqualTo(ok());
        assertThat(wire.call("ACL", "WHOAMI")).isInstanceOf(Reply.ErrorLine.class);
        admin.call("ACL", "SETUSER", "bob", "+acl|whoami");
        assertThat(wire.call("ACL", "WHOAMI")).isEqualTo(bulk("bob"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "+nosuch; Unknown command or category name in ACL",
                "+@nosuch; Unknown command or category name in ACL",
                "-nosuch; Unknown command or category name in ACL",
                "+config|nosuch; Unknown command or category name in ACL",
                "nosense; Syntax error",
                "%~x; Syntax error",
                "%X~x; Syntax error",
                "%R; Syntax error",
                "~a b; Syntax error",
                "(+get; Unmatched",
                "#abc; The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters",
                "<nosuch; The password you are trying to remove from the user does not exist"
            })
    void badRulesAreRefusedInRedisWords(String rule, String reason) throws IOException {
        String expected = reason.equals("Unmatched")
                ? "ERR Unmatched parenthesis in acl selector starting at '" + rule + "'."
                : "ERR Error in ACL SETUSER modifier '" + rule + "': " + reason;
        assertThat(admin.call("ACL", "SETUSER", "bob", "on", rule)).isEqualTo(new Reply.ErrorLine(expected));
        assertThat(admin.call("ACL", "GETUSER", "bob")).isEqualTo(Reply.NIL);
    }

    @Test
    void patternsAfterAllAreRefused() throws IOException {
        assertThat(admin.call("ACL", "SETUSER", "bob", "~*", "~a"))
                .isEqualTo(new Reply.ErrorLine(
                        "ERR Error in ACL SETUSER modifier '~a': Adding a pattern after the * pattern (or the"
                                + " 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty"
                                + " list of patterns"));
        assertThat(admin.call("ACL", "SETUSER", "bob", "&*", "&a"))
                .isEqualTo(new Reply.ErrorLine(
                        "ERR Error in ACL SETUSER modifier '&a': Adding a pattern after the * pattern (or the"
                                + " 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an"
                                + " empty list of channels"));
        assertThat(admin.call("ACL", "SETUSER", "b b"))
                .isEqualTo(new Reply.ErrorLine("ERR Usernames can't contain spaces or null characters"));
        assertThat(admin.call("ACL", "DELUSER", "default"))
                .isEqualTo(new Reply.ErrorLine("ERR The 'default' user cannot be removed"));
    }

    @Test
    void laterRulesTakeThePlaceOfEarlierOnes() throws IOException {
        become("+config|get", "+get", "-config", "+get", "+@read", "-get");
        assertThat(map(admin.call("ACL", "GETUSER", "bob"))).containsEntry("commands", "-@all -config +@read -get");
        admin.call("ACL", "SETUSER", "bob", "allcommands");
        assertThat(map(admin.call("ACL", "GETUSER", "bob"))).containsEntry("commands", "+@all");
    }

    @Test
    void refusalsAreLogged() throws IOException {
        become("+get", "~a");
        wire.call("SET", "a", "1");
        wire.call("SET", "a", "1");
        wire.call("GET", "b");
        wire.call("AUTH", "bob", "wrong");
        List<Reply> log = ((Reply.Array) admin.call("ACL", "LOG")).elements();
        assertThat(log).hasSize(3);
        assertThat(map(log.get(0)))
                .containsEntry("reason", "auth")
                .containsEntry("object", "AUTH")
                .containsEntry("username", "bob");
        assertThat(map(log.get(1)))
                .containsEntry("reason", "key")
                .containsEntry("object", "b")
                .containsEntry("context", "toplevel");
        assertThat(map(log.get(2)))
                .containsEntry("reason", "command")
                .containsEntry("object", "set")
                .containsEntry("count", "2")
                .containsEntry("entry-id", "0");
        assertThat(((Reply.Array) admin.call("ACL", "LOG", "1")).elements()).hasSize(1);
        assertThat(admin.call("ACL", "LOG", "RESET")).isEqualTo(ok());
        assertThat(admin.call("ACL", "LOG")).isEqualTo(new Reply.Array(List.of()));
    }

    @Test
    void aTrialTellsWhatWouldBeRefused() throws IOException {
        admin.call("ACL", "SETUSER", "bob", "+get", "+publish", "~a");
        assertThat(admin.call("ACL", "DRYRUN", "bob", "GET", "a")).isEqualTo(ok());
        assertThat(admin.call("ACL", "DRYRUN", "bob", "GET", "b"))
                .isEqualTo(bulk("User bob has no permissions to access the 'b' key"));
        assertThat(admin.call("ACL", "DRYRUN", "bob", "SET", "a", "1"))
                .isEqualTo(bulk("User bob has no permissions to run the 'set' command"));
        assertThat(admin.call("ACL", "DRYRUN", "bob", "PUBLISH", "c", "1"))
                .isEqualTo(bulk("User bob has no permissions to access the 'c' channel"));
        assertThat(admin.call("ACL", "DRYRUN", "nobody", "GET", "a"))
                .isEqualTo(new Reply.ErrorLine("ERR User 'nobody' not found"));
        assertThat(admin.call("ACL", "DRYRUN", "bob", "nosuch", "a"))
                .isEqualTo(new Reply.ErrorLine("ERR Command 'nosuch' not found"));
    }

    @Test
    void categoriesAndPasswordsAreTold() throws IOException {
        assertThat(texts(admin.call("ACL", "CAT"))).hasSize(21).contains("keyspace", "dangerous");
        assertThat(texts(admin.call("ACL", "CAT", "string"))).contains("get", "set", "append");
        assertThat(admin.call("ACL", "CAT", "nosuch")).isEqualTo(new Reply.ErrorLine("ERR Unknown category 'nosuch'"));
        assertThat(text(admin.call("ACL", "GENPASS"))).matches("[0-9a-f]{64}");
        assertThat(text(admin.call("ACL", "GENPASS", "5"))).matches("[0-9a-f]{2}");
        assertThat(admin.call("ACL", "GENPASS", "0"))
                .isEqualTo(new Reply.ErrorLine(
                        "ERR ACL GENPASS argument must be the number of bits for the output password, a"
                                + " positive number up to 4096"));
    }

    @Test
    void aClientInProcessNeedsNoLeave() throws Exception {
        try (StoreClient client = store.client("local", push -> {})) {
            admin.call("ACL", "SETUSER", "default", "off");
            assertThat(client.send("SET", "a", "1").get(30, TimeUnit.SECONDS)).isEqualTo(ok());
            client.send("ACL", "SETUSER", "bob", "on", "nopass", "+get", "~a").get(30, TimeUnit.SECONDS);
            client.send("AUTH", "bob", "x").get(30, TimeUnit.SECONDS);
            assertThat(client.send("GET", "a").get(30, TimeUnit.SECONDS)).isEqualTo(bulk("1"));
            assertThat(client.send("SET", "a", "1").get(30, TimeUnit.SECONDS)).isInstanceOf(Reply.ErrorLine.class);
            try (Wire late = new Wire(store.port())) {
                assertThat(((Reply.ErrorLine) late.call("GET", "a")).line()).startsWith("NOAUTH");
            }
        }
    }

    // ---- replies

    private void assertNoPerm(String text, String... command) throws IOException {
        assertThat(wire.call(command)).isEqualTo(new Reply.ErrorLine("NOPERM " + text));
    }

    private static Reply ok() {
        return new Reply.Simple("OK");
    }

    private static Reply bulk(String text) {
        return new Reply.Bulk(text.getBytes(ISO_8859_1));
    }

    private static List<String> texts(Reply reply) {
        return ((Reply.Array) reply).elements().stream().map(AclIT::text).toList();
    }

    private static String text(Reply reply) {
        return switch (reply) {
            case Reply.Bulk bulk -> bulk.text();
            case Reply.Int integer -> Long.toString(integer.value());
            case Reply.Array array -> texts(array).toString();
            default -> reply.toString();
        };
    }

    private static Map<String, String> map(Reply reply) {
        Map<String, String> map = new LinkedHashMap<>();
        List<Reply> all = ((Reply.Array) reply).elements();
        for (int i = 0; i < all.size(); i += 2) {
            map.put(text(all.get(i)), text(all.get(i + 1)));
        }
        return map;
    }
}
