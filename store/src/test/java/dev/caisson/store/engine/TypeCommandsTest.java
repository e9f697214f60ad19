package dev.caisson.store.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** What tables of commands and replies cannot say: time, chance, the log, limits. */
class TypeCommandsTest {
    private final TestEngine engine = new TestEngine(2);

    @Test
    void fieldsGoWhenTheirTimeComesAndTheKeyWithTheLast() {
        engine.run("HSET", "h", "a", "1", "b", "2");
        engine.run("HPEXPIRE", "h", "100", "FIELDS", "1", "a");
        engine.advance(99);
        assertThat(engine.run("HGET", "h", "a")).isEqualTo("$1\r\n1\r\n");
        engine.advance(1);
        assertThat(engine.run("HGET", "h", "a")).isEqualTo("$-1\r\n");
        assertThat(engine.effects()).containsExactly("HDEL h a");
        engine.run("HPEXPIRE", "h", "100", "FIELDS", "1", "b");
        engine.advance(100);
        assertThat(engine.run("HLEN", "h")).isEqualTo(":0\r\n");
        assertThat(engine.run("EXISTS", "h")).isEqualTo(":0\r\n");
    }

    @Test
    void manyFieldsThatExpireTogetherAreHiddenAtOnceAndRemovedInParts() {
        int fields = 3 * Call.EXPIRED_FIELDS;
        for (int i = 0; i < fields; i++) {
            engine.run("HSET", "h", "f" + i, "v");
            engine.run("HPEXPIRE", "h", "100", "FIELDS", "1", "f" + i);
        }
        engine.advance(1_000);
        assertThat(engine.run("HGETALL", "h")).isEqualTo("*0\r\n");
        assertThat(engine.effectParts().getFirst()).hasSize(2 + Call.EXPIRED_FIELDS);
        assertThat(engine.run("HEXISTS", "h", "f" + (fields - 1))).isEqualTo(":0\r\n");
        assertThat(engine.run("HGET", "h", "f0")).isEqualTo("$-1\r\n");
        assertThat(engine.run("EXISTS", "h")).isEqualTo(":0\r\n");
    }

    @Test
    void relativeTimesAreLoggedAsAbsoluteOnesAndPassedOnesAsDeletions() {
        engine.run("HSET", "h", "a", "1", "b", "2", "c", "3");
        engine.run("HEXPIRE", "h", "10", "FIELDS", "2", "a", "none");
        assertThat(engine.effects()).containsExactly("HPEXPIREAT h " + (engine.now() + 10_000) + " FIELDS 1 a");
        engine.run("HEXPIRE", "h", "0", "FIELDS", "1", "b");
        assertThat(engine.effects()).containsExactly("HDEL h b");
        engine.run("HEXPIRE", "h", "5", "GT", "FIELDS", "1", "a");
        assertThat(engine.effects()).isEmpty();
        engine.run("HINCRBYFLOAT", "h", "c", "0.1");
        assertThat(engine.effects()).containsExactly("HINCRBYFLOAT h c 0.1");
    }

    @Test
    void poppedMembersAreLoggedByName() {
        engine.run("SADD", "s", "a", "b", "c", "d");
        String popped = engine.run("SPOP", "s").split("\r\n")[1];
        assertThat(engine.effects()).containsExactly("SREM s " + popped);
        engine.run("SPOP", "s", "2");
        assertThat(engine.effects()).hasSize(1).allMatch(effect -> effect.matches("SREM s [abcd] [abcd]"));
        engine.run("SPOP", "s", "9");
        assertThat(engine.effects()).containsExactly("DEL s");
        assertThat(engine.run("EXISTS", "s")).isEqualTo(":0\r\n");
    }

    @Test
    void entriesAreLoggedWithTheirIdsAndTrimsByWhatTheyLeft() {
        engine.run("XADD", "x", "*", "a", "1");
        assertThat(engine.effects()).containsExactly("XADD x " + engine.now() + "-0 a 1");
        engine.run("XADD", "x", "*", "a", "2");
        assertThat(engine.effects()).containsExactly("XADD x " + engine.now() + "-1 a 2");
        engine.run("XADD", "x", "MAXLEN", "2", (engine.now() + 1) + "-*", "a", "3");
        assertThat(engine.effects()).containsExactly("XADD x " + (engine.now() + 1) + "-0 a 3", "XTRIM x MAXLEN = 2");
        engine.run("XADD", "x", "*", "a", "4");
        assertThat(engine.effects())
                .as("the clock is behind the last id")
                .containsExactly("XADD x " + (engine.now() + 1) + "-1 a 4");
        engine.run("XTRIM", "x", "MINID", (engine.now() + 1) + "-1");
        assertThat(engine.effects()).containsExactly("XTRIM x MAXLEN = 1");
        engine.run("XDEL", "x", (engine.now() + 1) + "-1");
        assertThat(engine.run("EXISTS", "x")).as("a stream may be empty").isEqualTo(":1\r\n");
    }

    @Test
    void approximateTrimsCutWholeBlocks() {
        for (int i = 1; i <= 1_000; i++) {
            engine.run("XADD", "x", "1-" + i, "a", "1");
        }
        assertThat(engine.run("XTRIM", "x", "MAXLEN", "~", "250")).isEqualTo(":700\r\n");
        assertThat(engine.run("XTRIM", "x", "MAXLEN", "~", "0", "LIMIT", "150")).isEqualTo(":100\r\n");
        assertThat(engine.run("XTRIM", "x", "MINID", "~", "1-850")).isEqualTo(":0\r\n");
        assertThat(engine.run("XTRIM", "x", "MINID", "1-850")).isEqualTo(":49\r\n");
        assertThat(engine.run("XLEN", "x")).isEqualTo(":151\r\n");
    }

    @Test
    void nothingIsLoggedWhereNothingChanged() {
        engine.run("SADD", "s", "a");
        engine.run("HSET", "h", "a", "1");
        engine.run("RPUSH", "l", "a");
        engine.run("ZADD", "z", "1", "a");
        engine.run("XADD", "x", "1-1", "a", "1");
        engine.run("SETBIT", "b", "7", "1");
        String[][] commands = {
            {"SADD", "s", "a"},
            {"SREM", "s", "x"},
            {"SMOVE", "s", "t", "x"},
            {"SPOP", "none"},
            {"SPOP", "s", "0"},
            {"HDEL", "h", "x"},
            {"HSETNX", "h", "a", "2"},
            {"HPERSIST", "h", "FIELDS", "1", "a"},
            {"LPUSHX", "x", "a"},
            {"LREM", "l", "0", "x"},
            {"LINSERT", "l", "BEFORE", "x", "y"},
            {"LPOP", "none"},
            {"LPOP", "l", "0"},
            {"LMPOP", "1", "none", "LEFT"},
            {"LMOVE", "none", "l", "LEFT", "LEFT"},
            {"HGETALL", "h"},
            {"SINTERSTORE", "none", "s", "none"},
            {"ZADD", "z", "1", "a"},
            {"ZADD", "z", "NX", "2", "a"},
            {"ZREM", "z", "x"},
            {"ZPOPMIN", "none"},
            {"ZPOPMIN", "z", "0"},
            {"ZMPOP", "1", "none", "MIN"},
            {"ZREMRANGEBYSCORE", "z", "8", "9"},
            {"ZRANGESTORE", "none", "z", "8", "9"},
            {"ZUNIONSTORE", "none", "1", "none"},
            {"XDEL", "x", "9-9"},
            {"XTRIM", "x", "MAXLEN", "5"},
            {"XADD", "none", "NOMKSTREAM", "*", "a", "1"},
            {"SETBIT", "b", "7", "1"},
            {"BITOP", "AND", "none", "none2"},
            {"BITFIELD", "b", "GET", "u8", "0"},
            {"BITFIELD", "b", "OVERFLOW", "FAIL", "SET", "u1", "0", "5"}
        };
        for (String[] command : commands) {
            engine.run(command);
            assertThat(engine.effects()).as(String.join(" ", command)).isEmpty();
        }
    }

    @Test
    void randomMembersAreDistinctOrRepeatedAsAsked() {
        for (int i = 0; i < 300; i++) {
            engine.run("SADD", "s", "member" + i);
            engine.run("HSET", "h", "field" + i, "v");
            engine.run("ZADD", "z", "1", "member" + i);
        }
        for (int wanted : new int[] {1, 10, 100, 299, 300, 1_000}) {
            for (String command : List.of("SRANDMEMBER s", "HRANDFIELD h", "ZRANDMEMBER z")) {
                List<String> got = bulks(engine.run((command + " " + wanted).split(" ")));
                assertThat(got).hasSize(Math.min(300, wanted)).doesNotHaveDuplicates();
                assertThat(bulks(engine.run((command + " -" + wanted).split(" "))))
                        .hasSize(wanted);
            }
        }
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < 10_000; i++) {
            seen.addAll(bulks(engine.run("SRANDMEMBER", "s", "1")));
        }
        assertThat(seen).hasSize(300);
    }

    @Test
    void walksReturnAllOfALargeSetAndHash() {
        Set<String> members = new TreeSet<>();
        for (int i = 0; i < 2_000; i++) {
            engine.run("SADD", "s", "m" + i);
            engine.run("HSET", "h", "m" + i, "v");
            engine.run("ZADD", "z", "7", "m" + i);
            members.add("m" + i);
        }
        assertThat(walk("SSCAN", "s")).isEqualTo(members);
        Set<String> both = new TreeSet<>(members);
        both.add("v");
        assertThat(walk("HSCAN", "h")).isEqualTo(both);
        both.remove("v");
        both.add("7");
        assertThat(walk("ZSCAN", "z")).isEqualTo(both);
    }

    private Set<String> walk(String command, String key) {
        Set<String> found = new TreeSet<>();
        String cursor = "0";
        do {
            List<String> reply = bulks(engine.run(command, key, cursor, "COUNT", "50"));
            cursor = reply.getFirst();
            assertThat(reply.size()).isLessThan(200);
            found.addAll(reply.subList(1, reply.size()));
        } while (!cursor.equals("0"));
        return found;
    }

    @Test
    void commandsThatTouchTooMuchAreRefusedBeforeTheyBegin() {
        for (int i = 0; i < 20; i++) {
            engine.run("SADD", "s", "m" + i);
            engine.run("SADD", "t", "m" + i);
            engine.run("HSET", "h", "m" + i, "v");
            engine.run("RPUSH", "l", "m" + i);
            engine.run("ZADD", "z", "" + i, "m" + i);
            engine.run("XADD", "x", "1-" + (i + 1), "f", "v");
        }
        engine.settings().workLimit(10);
        String[][] commands = {
            {"SMEMBERS", "s"},
            {"SINTER", "s", "t"},
            {"SUNION", "s", "t"},
            {"SDIFF", "s", "t"},
            {"HGETALL", "h"},
            {"HKEYS", "h"},
            {"HVALS", "h"},
            {"LRANGE", "l", "0", "-1"},
            {"SPOP", "s", "15"},
            {"LPOP", "l", "15"},
            {"SRANDMEMBER", "s", "-11"},
            {"HRANDFIELD", "h", "-11"},
            {"LREM", "l", "0", "x"},
            {"LPOS", "l", "x"},
            {"SUNIONSTORE", "d", "s", "t"},
            {"SSCAN", "s", "0", "COUNT", "1000"},
            {"LMPOP", "1", "l", "LEFT", "COUNT", "11"},
            {"ZRANGE", "z", "0", "-1"},
            {"ZRANGEBYSCORE", "z", "0", "50"},
            {"ZPOPMAX", "z", "11"},
            {"ZUNION", "1", "z"},
            {"ZINTER", "2", "z", "s"},
            {"ZDIFF", "1", "z"},
            {"ZREMRANGEBYRANK", "z", "0", "-1"},
            {"ZRANDMEMBER", "z", "2"},
            {"ZRANGESTORE", "d", "z", "0", "-1"},
            {"ZINTERCARD", "2", "z", "z"},
            {"XRANGE", "x", "-", "+"},
            {"XREAD", "STREAMS", "x", "0"}
        };
        for (String[] command : commands) {
            assertThat(engine.run(command))
                    .as(String.join(" ", command))
                    .startsWith("-ERR '" + command[0].toLowerCase(java.util.Locale.ROOT) + "' would touch ");
            assertThat(engine.effects()).isEmpty();
        }
        assertThat(engine.run("LRANGE", "l", "0", "9")).startsWith("*10");
        assertThat(engine.run("ZRANGE", "z", "5", "14")).startsWith("*10");
        assertThat(engine.run("XRANGE", "x", "1-3", "1-12")).startsWith("*10");
        assertThat(engine.run("ZCARD", "z")).isEqualTo(":20\r\n");
        assertThat(engine.run("SCARD", "s")).isEqualTo(":20\r\n");
        assertThat(engine.run("LLEN", "l")).isEqualTo(":20\r\n");
    }

    private static List<String> bulks(String reply) {
        List<String> bulks = new ArrayList<>();
        String[] lines = reply.split("\r\n");
        for (int i = 1; i < lines.length; i++) {
            if (lines[i - 1].startsWith("$")) {
                bulks.add(lines[i]);
            }
        }
        return bulks;
    }
}
