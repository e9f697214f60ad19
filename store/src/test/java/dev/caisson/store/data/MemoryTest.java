package dev.caisson.store.data;

import static dev.caisson.store.data.Samples.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.lang.reflect.Array;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Random;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What values say they weigh, against a walk over all their objects and against the JVM's own histogram of the heap. */
class MemoryTest {
    private static final ValueSettings SETTINGS = ValueSettings.standard(new Hashing(1, 2));

    /** Makes a value of about so many elements, with some of them removed and changed again. */
    private record Kind(String name, IntFunction<Value> make) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Kind> kinds() {
        return Stream.of(
                new Kind("hash", n -> hash(n, false)),
                new Kind("hash whose fields expire", n -> hash(n, true)),
                new Kind("set of integers", n -> set(n, "")),
                new Kind("set", n -> set(n, "member-")),
                new Kind("list", MemoryTest::list),
                new Kind("sorted set", MemoryTest::sortedSet),
                new Kind("stream", MemoryTest::stream));
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void isTheSumOfTheObjects(Kind kind) {
        for (int n : new int[] {1, 10, 100, 128, 129, 200, 512, 600, 5_000}) {
            Value value = kind.make.apply(n);
            double weighed = weigh(value);
            assertThat(value.memory() / weighed).as("%d elements", n).isBetween(0.97, 1.03);
            Value copy = value.copy();
            assertThat(copy.memory() / (double) weigh(copy)).as("copy of %d", n).isBetween(0.97, 1.03);
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void isWhatTheHeapHasMore(Kind kind) throws Exception {
        assertThat(kind.make.apply(1_000).memory()).isPositive(); // its classes are loaded now
        long before = heapBytes();
        Value value = kind.make.apply(200_000);
        long more = heapBytes() - before;
        assertThat(value.memory() / (double) more).isBetween(0.85, 1.15);
    }

    /** A field that expires and is written again and again: what waits for its time must not keep the former values. */
    @Test
    void doesNotKeepFormerValuesOfFieldsThatExpire() {
        HashValue hash = hash(700, true);
        byte[] field = bytes("large");
        byte[] value = new byte[100_000];
        for (int i = 0; i < 1_000; i++) {
            hash.put(field, 0, field.length, value, 0, value.length, 1_000_000 + i, 0);
            assertThat(hash.memory()).isLessThan(400_000);
        }
        assertThat(hash.memory() / (double) weigh(hash)).isBetween(0.97, 1.03);
    }

    @Test
    void goesBackWhenElementsGo() {
        HashValue hash = hash(5_000, false);
        for (int i = 0; i < 5_000; i++) {
            byte[] field = bytes("field" + i);
            hash.remove(field, 0, field.length, 0);
        }
        assertThat(hash.size()).isZero();
        assertThat(hash.memory() / (double) weigh(hash)).isBetween(0.97, 1.03);
        assertThat(hash.memory()).isLessThan(20_000);
    }

    private static HashValue hash(int n, boolean expiring) {
        HashValue hash = new HashValue(SETTINGS);
        for (int i = 0; i < n; i++) {
            byte[] field = bytes("field" + i);
            byte[] value = bytes("value" + i * 31L);
            long expiry = expiring && i % 2 == 0 ? 1_000 + i : HashValue.NEVER;
            hash.put(field, 0, field.length, value, 0, value.length, expiry, 0);
            if (i % 7 == 6) {
                hash.remove(field, 0, field.length, 0);
            }
        }
        return hash;
    }

    private static SetValue set(int n, String prefix) {
        SetValue set = new SetValue(SETTINGS);
        for (int i = 0; i < n; i++) {
            byte[] member = bytes(prefix + i * 7);
            set.add(member, 0, member.length);
            if (i % 7 == 6) {
                set.remove(member, 0, member.length);
            }
        }
        return set;
    }

    private static ListValue list(int n) {
        ListValue list = new ListValue(SETTINGS);
        Random random = new Random(1);
        for (int i = 0; i < n; i++) {
            byte[] element = random.nextInt(500) == 0 ? new byte[10_000] : bytes("element" + i);
            if (i % 3 == 0) {
                list.addFirst(element, 0, element.length);
            } else {
                list.addLast(element, 0, element.length);
            }
            if (i % 50 == 49) {
                list.insertAt(Math.min(list.size(), 100), element, 0, element.length);
                list.pollFirst();
            }
        }
        return list;
    }

    private static SortedSetValue sortedSet(int n) {
        SortedSetValue set = new SortedSetValue(SETTINGS);
        for (int i = 0; i < n; i++) {
            byte[] member = bytes("member" + i);
            set.put(member, 0, member.length, i % 100);
            set.put(member, 0, member.length, i % 77);
            if (i % 7 == 6) {
                set.remove(member, 0, member.length);
            }
        }
        return set;
    }

    private static StreamValue stream(int n) {
        StreamValue stream = new StreamValue(SETTINGS);
        for (int i = 1; i <= n; i++) {
            stream.append(
                    i,
                    0,
                    2,
                    StreamValue.Parts.of(bytes("sensor"), bytes("s" + i % 10), bytes("value"), bytes("" + i * 17L)));
            if (i % 7 == 6) {
                stream.delete(i - 3, 0);
            }
        }
        return stream;
    }

    /** The bytes of all objects below one, but for what its kind shares: settings and hash. */
    private static long weigh(Object root) {
        long bytes = 0;
        Set<Object> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        ArrayDeque<Object> left = new ArrayDeque<>();
        seen.add(SETTINGS);
        seen.add(SETTINGS.hashing());
        left.add(root);
        while (!left.isEmpty()) {
            Object object = left.poll();
            if (!seen.add(object)) {
                continue;
            }
            Class<?> type = object.getClass();
            bytes += type.isArray() ? arrayBytes(object, left) : objectBytes(object, type, left);
        }
        return bytes;
    }

    private static long arrayBytes(Object array, ArrayDeque<Object> left) {
        Class<?> of = array.getClass().componentType();
        int length = Array.getLength(array);
        if (!of.isPrimitive()) {
            for (Object element : (Object[]) array) {
                if (element != null) {
                    left.add(element);
                }
            }
        }
        return (16 + (long) length * width(of) + 7) & ~7L;
    }

    private static long objectBytes(Object object, Class<?> type, ArrayDeque<Object> left) {
        long bytes = 12;
        for (Class<?> part = type; part != Object.class; part = part.getSuperclass()) {
            for (Field field : part.getDeclaredFields()) {
                if (Modifier.isStatic(field.getModifiers())) {
                    continue;
                }
                bytes += width(field.getType());
                if (!field.getType().isPrimitive()) {
                    field.setAccessible(true);
                    try {
                        Object value = field.get(object);
                        if (value != null) {
                            left.add(value);
                        }
                    } catch (IllegalAccessException e) {
                        throw new LinkageError(field.toString(), e);
                    }
                }
            }
        }
        return (bytes + 7) & ~7L;
    }

    private static int width(Class<?> type) {
        return type == long.class || type == double.class
                ? 8
                : type == byte.class || type == boolean.class ? 1 : type == short.class || type == char.class ? 2 : 4;
    }

    /** The bytes of all live objects, from the histogram that jcmd prints. */
    private static long heapBytes() throws Exception {
        String histogram = (String) ManagementFactory.getPlatformMBeanServer()
                .invoke(
                        new ObjectName("com.sun.management:type=DiagnosticCommand"),
                        "gcClassHistogram",
                        new Object[] {new String[0]},
                        new String[] {String[].class.getName()});
        String total = histogram
                .lines()
                .filter(line -> line.startsWith("Total"))
                .findFirst()
                .orElseThrow();
        return Long.parseLong(total.trim().split("\\s+")[2]);
    }
}
