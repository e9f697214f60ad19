package dev.caisson.store.resp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NumbersTest {
    @ParameterizedTest
    @ValueSource(strings = {"0", "7", "-1", "10", "9223372036854775807", "-9223372036854775808", "1234567890123456789"})
    void readsAndWritesIntegersInOneWay(String text) {
        assertThat(Numbers.isInteger(bytes(text), 0, text.length())).isTrue();
        assertThat(Numbers.parseInteger(bytes(text), 0, text.length())).isEqualTo(Long.parseLong(text));
        assertThat(Numbers.format(Long.parseLong(text))).isEqualTo(bytes(text));
        assertThat(Numbers.length(Long.parseLong(text))).isEqualTo(text.length());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "-",
                "+1",
                "-0",
                "00",
                "01",
                "-01",
                " 1",
                "1 ",
                "1.0",
                "1e3",
                "0x1",
                "9223372036854775808",
                "-9223372036854775809",
                "10000000000000000000",
                "99999999999999999999",
                "1\0"
            })
    void refusesWhatRedisCallsNoInteger(String text) {
        assertThat(Numbers.isInteger(bytes(text), 0, text.length())).isFalse();
        assertThatThrownBy(() -> Numbers.parseInteger(bytes(text), 0, text.length()))
                .isSameAs(ErrorReply.NOT_INTEGER);
    }

    @Test
    void readsIntegersInsideOfAnArray() {
        assertThat(Numbers.parseInteger(bytes("x-42y"), 1, 3)).isEqualTo(-42);
    }

    // what redis-server 7.0.15 makes of ZADD k <text> m, read back
    @ParameterizedTest
    @CsvSource({
        "1, 1",
        "-0, -0.0",
        "1.5, 1.5",
        ".5, 0.5",
        "5., 5",
        "-.5e1, -5",
        "1e3, 1000",
        "1E+3, 1000",
        "1e-3, 0.001",
        "007, 7",
        "+1, 1",
        "inf, Infinity",
        "+inf, Infinity",
        "-inf, -Infinity",
        "INF, Infinity",
        "Infinity, Infinity",
        "-iNfInItY, -Infinity",
        "0x10, 16",
        "0x1p3, 8",
        "0X.8, 0.5",
        "-0x1.8P1, -3",
        "0e-999, 0",
        "4.9e-324, 4.9E-324",
        "1.7976931348623157e308, 1.7976931348623157E308",
        "9223372036854775807, 9.223372036854775807E18"
    })
    void readsWhatStrtodReads(String text, double value) {
        assertThat(Numbers.parseDouble(bytes(text), 0, text.length())).isEqualTo(value);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "-",
                ".",
                "e5",
                "1e",
                "1e+",
                " 1",
                "1 ",
                "1d",
                "1f",
                "1.5.2",
                "nan",
                "NaN",
                "-nan",
                "0x",
                "0x.p1",
                "0x1p",
                "in",
                "infinit",
                "1e309",
                "-1e309",
                "1e-400",
                "0x1p99999",
                "1,5",
                "١",
                "1\0"
            })
    void refusesWhatRedisCallsNoFloat(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        assertThatThrownBy(() -> Numbers.parseDouble(bytes, 0, bytes.length)).isSameAs(ErrorReply.NOT_FLOAT);
    }

    @Test
    void refusesFloatsOfAbsurdLength() {
        byte[] longest = bytes("1." + "0".repeat(Numbers.LONGEST_FLOAT_BYTES - 2));
        assertThat(Numbers.parseDouble(longest, 0, longest.length)).isEqualTo(1);
        byte[] longer = bytes("1." + "0".repeat(Numbers.LONGEST_FLOAT_BYTES - 1));
        assertThatThrownBy(() -> Numbers.parseDouble(longer, 0, longer.length)).isSameAs(ErrorReply.NOT_FLOAT);
    }

    // Redis 7.4's layout: integers to 2^52 plain, then its shortest-digits routine
    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "-0.0, -0",
        "3, 3",
        "-3, -3",
        "0.1, 0.1",
        "-0.1, -0.1",
        "3.14, 3.14",
        "100, 100",
        "4503599627370496, 4503599627370496",
        "9007199254740993, 9007199254740992",
        "1e17, 100000000000000000",
        "1e21, 1e+21",
        "1.5e21, 1.5e+21",
        "1.2345678901234568e20, 123456789012345680000",
        "0.001, 0.001",
        "0.0001, 0.0001",
        "0.000001, 0.000001",
        "0.0000001, 1e-7",
        "1.5e-7, 1.5e-7",
        "0.00012345678, 1.2345678e-4",
        "0.00012345, 1.2345e-4",
        "12345.5, 12345.5",
        "12345.678901, 12345.678901",
        "12345.6789012, 1.23456789012e+4",
        "1234.56789012345, 1234.56789012345",
        "1.7976931348623157e308, 1.7976931348623157e+308",
        "2.2250738585072014e-308, 2.2250738585072014e-308",
        "4.9e-324, 5e-324",
        "9.9e-324, 1e-323",
        "Infinity, inf",
        "-Infinity, -inf",
        "NaN, nan"
    })
    void writesDoublesAsRedis74(double value, String text) {
        assertThat(new String(Numbers.format(value), StandardCharsets.US_ASCII)).isEqualTo(text);
    }

    @Test
    void hasRedisChecksum() {
        assertThat(Numbers.crc64(bytes("123456789"))).isEqualTo(0xe9c6d914c4b8d9caL);
        assertThat(Numbers.crc64(bytes(""))).isZero();
        assertThat(Numbers.crc64(bytes("GET k"))).isEqualTo(0x380d3c1e1f9803f0L);
        byte[] digits = bytes("0123456789");
        assertThat(Numbers.crc64(Numbers.crc64(0, digits, 1, 4), digits, 5, 5)).isEqualTo(0xe9c6d914c4b8d9caL);
    }

    // what redis-server 7.0.15 on x86-64 answers to SET k <a>, INCRBYFLOAT k <b>
    @ParameterizedTest
    @CsvSource({
        "3.0, 1.000000000000000005, 4.00000000000000001",
        "1, 0.1, 1.1",
        "10.5, 0.1, 10.6",
        "0, 0, 0",
        "-1, 1, 0",
        "0, -0, 0",
        "5.0e3, 2.0e2, 5200",
        "1, 1e-17, 1.00000000000000001",
        "1, 1e-19, 1",
        "17179869184, 1.5, 17179869185.5",
        "1e20, 0.1, 100000000000000000000",
        "0x10, 0x.8, 16.5",
        "0.1, 0.2, 0.3",
        "1e17, 0.01, 100000000000000000.0078125"
    })
    void addsAsALongDoubleDoes(String a, String b, String sum) {
        LongDouble result = longDouble(a).plus(longDouble(b));
        assertThat(result.infinite()).isFalse();
        assertThat(result.toString()).isEqualTo(sum);
    }

    @Test
    void longDoublesBecomeInfinite() {
        assertThat(longDouble("inf").infinite()).isTrue();
        assertThat(longDouble("-Infinity").plus(longDouble("1")).toString()).isEqualTo("-inf");
        assertThat(longDouble("1e4932").plus(longDouble("1e4932")).infinite()).isTrue();
        assertThat(longDouble("1.18e4932").infinite()).isFalse();
        assertThat(longDouble("1e4000").plus(LongDouble.of(1)).toString())
                .hasSize(4000)
                .startsWith("9999999999999999999965463873099623784932");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "nan", "1e4933", "-1e4933", "1e-5000", "1e999999999999", "1e-999999999999", "0x1p16384", "1 "
            })
    void refusesWhatIsNoLongDouble(String text) {
        assertThatThrownBy(() -> longDouble(text)).isSameAs(ErrorReply.NOT_FLOAT);
    }

    private static LongDouble longDouble(String text) {
        return LongDouble.parse(bytes(text), 0, text.length());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
