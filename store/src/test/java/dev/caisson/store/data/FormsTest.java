package dev.caisson.store.data;

import static dev.caisson.store.data.Samples.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** When values change their form: Redis's thresholds, seen through the names of OBJECT ENCODING. */
class FormsTest {
    private final ValueSettings settings = ValueSettings.standard(new Hashing(1, 2));

    @Test
    void aHashIsPackedUpTo512FieldsAnd64Bytes() {
        HashValue hash = new HashValue(settings);
        for (int i = 0; i < 512; i++) {
            put(hash, "f" + i, "v", HashValue.NEVER);
        }
        assertThat(hash.encoding()).isEqualTo("listpack");
        put(hash, "f1", "v".repeat(64), HashValue.NEVER);
        assertThat(hash.encoding()).isEqualTo("listpack");
        put(hash, "f1", "v", 1_000);
        assertThat(hash.encoding()).isEqualTo("listpackex");
        put(hash, "f512", "v", HashValue.NEVER);
        assertThat(hash.encoding()).isEqualTo("hashtable");

        HashValue large = new HashValue(settings);
        put(large, "f", "v".repeat(65), HashValue.NEVER);
        assertThat(large.encoding()).isEqualTo("hashtable");
    }

    @Test
    void aSetOfIntegersIsAnIntsetUpTo512() {
        SetValue set = new SetValue(settings);
        for (int i = 0; i < 512; i++) {
            add(set, "" + i);
        }
        assertThat(set.encoding()).isEqualTo("intset");
        add(set, "512");
        assertThat(set.encoding()).isEqualTo("hashtable");
    }

    @Test
    void aSetIsPackedUpTo128MembersAnd64Bytes() {
        SetValue set = new SetValue(settings);
        add(set, "1");
        add(set, "a");
        assertThat(set.encoding()).isEqualTo("listpack");
        for (int i = 2; i < 128; i++) {
            add(set, "" + i);
        }
        assertThat(set.size()).isEqualTo(128);
        assertThat(set.encoding()).isEqualTo("listpack");
        add(set, "b");
        assertThat(set.encoding()).isEqualTo("hashtable");

        SetValue integers = new SetValue(settings);
        for (int i = 0; i < 128; i++) {
            add(integers, "" + i);
        }
        add(integers, "a");
        assertThat(integers.encoding()).isEqualTo("hashtable");
        SetValue large = new SetValue(settings);
        add(large, "a".repeat(65));
        assertThat(large.encoding()).isEqualTo("hashtable");
        assertThat(new SetValue(settings, 513).encoding()).isEqualTo("hashtable");
    }

    @Test
    void aListIsOneListpackUpTo8KibAndAgainBelowHalfOfIt() {
        ListValue list = new ListValue(settings);
        while (list.encoding().equals("listpack")) {
            list.addLast(new byte[100], 0, 100);
        }
        assertThat(list.size()).isBetween(75, 82);
        assertThat(list.encoding()).isEqualTo("quicklist");
        while (list.encoding().equals("quicklist")) {
            list.pollLast();
        }
        assertThat(list.size()).isBetween(35, 41);
        ListValue large = new ListValue(settings);
        large.addLast(new byte[9_000], 0, 9_000);
        assertThat(large.encoding()).isEqualTo("quicklist");
    }

    @Test
    void aSortedSetIsPackedUpTo128MembersAnd64Bytes() {
        SortedSetValue set = new SortedSetValue(settings);
        for (int i = 0; i < 128; i++) {
            set.put(bytes("m" + i), 0, bytes("m" + i).length, i);
        }
        assertThat(set.encoding()).isEqualTo("listpack");
        set.put(bytes("m128"), 0, 4, 1);
        assertThat(set.encoding()).isEqualTo("skiplist");
        SortedSetValue large = new SortedSetValue(settings);
        large.put(new byte[65], 0, 65, 1);
        assertThat(large.encoding()).isEqualTo("skiplist");
    }

    @Test
    void aStreamBeginsABlockAfter100EntriesOr4Kib() {
        StreamValue stream = new StreamValue(settings);
        for (int i = 1; i <= 100; i++) {
            stream.append(i, 0, 1, StreamValue.Parts.of(bytes("f"), bytes("v")));
        }
        assertThat(stream.blocks()).isEqualTo(1);
        stream.append(101, 0, 1, StreamValue.Parts.of(bytes("f"), bytes("v")));
        assertThat(stream.blocks()).isEqualTo(2);
        stream.append(102, 0, 1, StreamValue.Parts.of(bytes("f"), new byte[4_096]));
        assertThat(stream.blocks()).isEqualTo(3);
    }

    private static void put(HashValue hash, String field, String value, long expiry) {
        byte[] f = bytes(field);
        byte[] v = bytes(value);
        hash.put(f, 0, f.length, v, 0, v.length, expiry, 0);
    }

    private static void add(SetValue set, String member) {
        set.add(bytes(member), 0, bytes(member).length);
    }
}
