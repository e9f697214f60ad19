package dev.caisson.store.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.jspecify.annotations.Nullable;

/** What goes in comes out at any split, and nonsense does no harm. jqwik prints the seed of what fails. */
class RespProperties {
    private static final RespLimits SMALL = new RespLimits(5000, 50, 200, 20_000, 4);

    // ---- requests

    @Property(tries = 500)
    void requestsComeOutAsTheyWentIn(@ForAll long seed) throws RespException {
        Random random = new Random(seed);
        List<List<String>> requests = new ArrayList<>();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (int i = random.nextInt(20); i >= 0; i--) {
            List<String> request = new ArrayList<>();
            int count = random.nextInt(30) == 0 ? random.nextInt(3000) : random.nextInt(5);
            int longest = random.nextInt(30) == 0 && count < 5 ? 100_000 : 30;
            for (int j = 0; j <= count; j++) {
                request.add(text(random, random.nextInt(longest)));
            }
            requests.add(request);
            if (longest == 30 && request.stream().allMatch(RespProperties::isPlain) && random.nextInt(3) == 0) {
                bytes.writeBytes(
                        (String.join(" ", request) + (random.nextBoolean() ? "\r\n" : "\n")).getBytes(ISO_8859_1));
                continue;
            }
            bytes.writeBytes(("*" + request.size() + "\r\n").getBytes(ISO_8859_1));
            for (String argument : request) {
                bytes.writeBytes(("$" + argument.length() + "\r\n" + argument + "\r\n").getBytes(ISO_8859_1));
            }
        }
        assertThat(read(bytes.toByteArray(), random, RespLimits.REDIS)).isEqualTo(new Outcome(requests, null));
    }

    @Property
    void anyTextComesThroughInlineQuotes(@ForAll long seed) throws RespException {
        Random random = new Random(seed);
        List<String> request = new ArrayList<>();
        StringBuilder line = new StringBuilder();
        for (int i = random.nextInt(5); i >= 0; i--) {
            String argument = text(random, random.nextInt(20));
            request.add(argument);
            line.append(" \"");
            for (int j = 0; j < argument.length(); j++) {
                char c = argument.charAt(j);
                if (c == '"' || c == '\\' || c == '\n' || c == '\r' || random.nextInt(4) == 0) {
                    line.append(String.format("\\x%02x", (int) c));
                } else {
                    line.append(c);
                }
            }
            line.append('"');
        }
        byte[] bytes = line.append("\r\n").toString().getBytes(ISO_8859_1);
        assertThat(read(bytes, random, RespLimits.REDIS)).isEqualTo(new Outcome(List.of(request), null));
    }

    @Property
    void requestsAndErrorsDoNotDependOnSplits(@ForAll long seed) {
        Random random = new Random(seed);
        byte[] nonsense = nonsense(random, "*$\r\n0123459-+ \"'\\xPIN\0G");
        RespReader atOnce = new RespReader(SMALL);
        atOnce.feed(nonsense, 0, nonsense.length);
        Outcome expected = new Outcome(new ArrayList<>(), null).drain(atOnce);
        assertThat(read(nonsense, random, SMALL)).isEqualTo(expected);
    }

    // ---- replies

    @Property
    void repliesComeOutAsTheyWentIn(@ForAll long seed) throws RespException {
        Random random = new Random(seed);
        RespWriter writer = new RespWriter();
        writer.protocol(3);
        List<Reply> replies = new ArrayList<>();
        for (int i = random.nextInt(10); i >= 0; i--) {
            Reply reply = random.nextInt(8) == 0 ? new Reply.Push(replies(random, 0)) : reply(random, 0);
            replies.add(reply);
            write(reply, writer, random);
        }
        assertThat(decode(writer, random)).isEqualTo(replies);
    }

    @Property
    void resp2IsTheImageOfResp3(@ForAll long seed) throws RespException {
        Random random = new Random(seed);
        RespWriter writer = new RespWriter();
        List<Reply> expected = new ArrayList<>();
        for (int i = random.nextInt(10); i >= 0; i--) {
            Reply reply = random.nextInt(8) == 0 ? new Reply.Push(replies(random, 0)) : reply(random, 0);
            expected.add(resp2(reply));
            write(reply, writer, random);
        }
        assertThat(decode(writer, random)).isEqualTo(expected);
    }

    @Property
    void nonsenseHurtsNoDecoder(@ForAll long seed) {
        Random random = new Random(seed);
        byte[] nonsense = nonsense(random, "*$%~>|=!(,:+-_#\r\n0123tfinf.");
        RespDecoder decoder = new RespDecoder(SMALL);
        int arrived = 0;
        try {
            while (arrived < nonsense.length) {
                int piece = Math.min(nonsense.length - arrived, 1 + random.nextInt(100));
                decoder.feed(nonsense, arrived, piece);
                arrived += piece;
                while (decoder.next() != null) {
                    assertThat(arrived).isPositive();
                }
                assertThat(decoder.memory()).isLessThanOrEqualTo(2L * arrived + 2 * Input.INITIAL_BYTES);
            }
        } catch (RespException e) {
            assertThat(e).hasMessageStartingWith("Protocol error: ");
        }
    }

    // ---- numbers

    @Property(tries = 5000)
    void integersReadBack(@ForAll long value) {
        byte[] bytes = Numbers.format(value);
        assertThat(new String(bytes, ISO_8859_1)).isEqualTo(Long.toString(value));
        assertThat(Numbers.parseInteger(bytes, 0, bytes.length)).isEqualTo(value);
    }

    @Property(tries = 5000)
    void integerSyntaxIsThatOfALong(@ForAll long seed) {
        Random random = new Random(seed);
        String text = random.nextBoolean()
                ? new BigInteger(65, random)
                        .subtract(BigInteger.ONE.shiftLeft(64))
                        .toString()
                : nonsense(random, 4, "-+0123456789 .");
        assertThat(Numbers.isInteger(text.getBytes(ISO_8859_1), 0, text.length()))
                .isEqualTo(isLong(text));
    }

    @Property(tries = 5000)
    void doublesReadBackFromTheFewestDigits(@ForAll long bits) {
        double value = Double.longBitsToDouble(bits);
        byte[] bytes = Numbers.format(value);
        String text = new String(bytes, ISO_8859_1);
        if (Double.isNaN(value)) {
            assertThat(text).isEqualTo("nan");
            return;
        }
        assertThat(Numbers.parseDouble(bytes, 0, bytes.length)).isEqualTo(value);
        if (value == Math.rint(value) && Math.abs(value) < 0x1p62) {
            assertThat(text).isEqualTo(value == 0 && 1 / value < 0 ? "-0" : Long.toString((long) value));
        } else if (!Double.isInfinite(value)) {
            assertThat(digits(text)).isLessThanOrEqualTo(digits(Double.toString(value)));
        }
    }

    @Property(tries = 5000)
    void shortDecimalsAreWrittenAsTheyWereRead(@ForAll long seed) {
        Random random = new Random(seed);
        String text = random.nextInt(9999) + "." + random.nextInt(9999) + (1 + random.nextInt(9));
        byte[] bytes = text.getBytes(ISO_8859_1);
        assertThat(new String(Numbers.format(Numbers.parseDouble(bytes, 0, bytes.length)), ISO_8859_1))
                .isEqualTo(text);
    }

    @Property(tries = 5000)
    void floatSyntaxRefusesWhatJavaRefuses(@ForAll long seed) {
        Random random = new Random(seed);
        String text = nonsense(random, 8, "0123456789..eE+-xXpPaf");
        Double parsed = null;
        try {
            parsed = Numbers.parseDouble(text.getBytes(ISO_8859_1), 0, text.length());
        } catch (ErrorReply e) {
            assertThat(e).isSameAs(ErrorReply.NOT_FLOAT);
        }
        boolean hexadecimal = text.contains("x") || text.contains("X");
        if (parsed != null && !hexadecimal) {
            assertThat(Double.parseDouble(text)).isEqualTo(parsed);
        } else if (parsed == null && text.matches("[-+]?\\d+(\\.\\d*)?([eE][-+]?\\d)?")) {
            throw new AssertionError("refused " + text);
        }
    }

    @Property
    void longDoublesAgreeWithExactSums(@ForAll long seed) {
        Random random = new Random(seed);
        BigDecimal a = new BigDecimal(BigInteger.valueOf(random.nextLong() >> random.nextInt(60)), random.nextInt(12));
        BigDecimal b = new BigDecimal(BigInteger.valueOf(random.nextLong() >> random.nextInt(60)), random.nextInt(12));
        BigDecimal sum = new BigDecimal(longDouble(a).plus(longDouble(b)).toString());
        BigDecimal step = a.abs().max(b.abs()).max(BigDecimal.ONE).scaleByPowerOfTen(-18);
        assertThat(sum).isCloseTo(a.add(b), within(step));
        assertThat(longDouble(sum).toString()).as("reads back").isEqualTo(sum.toPlainString());
    }

    private static LongDouble longDouble(BigDecimal value) {
        byte[] bytes = value.toString().getBytes(ISO_8859_1);
        return LongDouble.parse(bytes, 0, bytes.length);
    }

    private static boolean isLong(String text) {
        try {
            return Long.toString(Long.parseLong(text)).equals(text);
        } catch (NumberFormatException e) {
            return false;
        }
    }

    private static int digits(String text) {
        String digits = text.replaceAll("[eE].*", "").replace(".", "").replaceAll("^-?0*", "");
        return digits.replaceAll("0*$", "").length();
    }

    // ---- what is fed and what comes out

    /** The requests that were read, and the error that ended it, if any. */
    private record Outcome(
            List<List<String>> requests, @Nullable String error) {
        Outcome drain(RespReader reader) {
            try {
                while (reader.next()) {
                    Args args = reader.args();
                    List<String> request = new ArrayList<>();
                    for (int i = 0; i < args.count(); i++) {
                        request.add(args.text(i));
                    }
                    requests.add(request);
                }
                return this;
            } catch (RespException e) {
                return new Outcome(requests, e.getMessage());
            }
        }
    }

    private static Outcome read(byte[] bytes, Random random, RespLimits limits) {
        RespReader reader = new RespReader(limits);
        Outcome outcome = new Outcome(new ArrayList<>(), null);
        int arrived = 0;
        int largest = 1 + random.nextInt(random.nextBoolean() ? 10 + bytes.length / 100 : 10_000);
        while (arrived < bytes.length && outcome.error() == null) {
            int piece = Math.min(bytes.length - arrived, 1 + random.nextInt(largest));
            if (random.nextBoolean()) {
                reader.feed(bytes, arrived, piece);
            } else {
                byte[] room = reader.buffer(piece);
                System.arraycopy(bytes, arrived, room, reader.position(), piece);
                reader.filled(piece);
            }
            arrived += piece;
            outcome = outcome.drain(reader);
            if (random.nextInt(20) == 0) {
                reader.trim();
            }
            // 16 bytes for each argument, and an argument is at least "$0\r\n\r\n"
            assertThat(reader.memory()).isLessThanOrEqualTo(2L * arrived + 16L * arrived / 6 + largest + 20_000);
        }
        return outcome;
    }

    private static List<Reply> decode(RespWriter writer, Random random) throws RespException {
        RespDecoder decoder = new RespDecoder();
        List<Reply> replies = new ArrayList<>();
        int arrived = 0;
        int largest = 1 + random.nextInt(random.nextBoolean() ? 10 : 10_000);
        while (arrived < writer.length()) {
            int piece = Math.min(writer.length() - arrived, 1 + random.nextInt(largest));
            decoder.feed(writer.array(), arrived, piece);
            arrived += piece;
            for (Reply reply = decoder.next(); reply != null; reply = decoder.next()) {
                replies.add(reply);
            }
        }
        return replies;
    }

    // ---- what is made up

    private static boolean isPlain(String argument) {
        return !argument.isEmpty() && argument.matches("[a-z0-9]+");
    }

    private static String text(Random random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        if (random.nextBoolean()) {
            for (int i = 0; i < length; i++) {
                bytes[i] = (byte) ('a' + (bytes[i] & 15));
            }
        }
        return new String(bytes, ISO_8859_1);
    }

    private static String nonsense(Random random, int longest, String alphabet) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(longest); i >= 0; i--) {
            text.append(alphabet.charAt(random.nextInt(alphabet.length())));
        }
        return text.toString();
    }

    /** Random bytes, characters of the protocol, and valid beginnings, mixed. */
    private static byte[] nonsense(Random random, String alphabet) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(30); i >= 0; i--) {
            switch (random.nextInt(6)) {
                case 0 -> text.append(text(random, random.nextInt(300)));
                case 1 -> text.append(nonsense(random, 40, alphabet));
                case 2 -> text.append("*").append(random.nextInt(5)).append("\r\n");
                case 3 ->
                    text.append(alphabet.charAt(random.nextInt(alphabet.length())))
                            .append(random.nextInt(12) - 1)
                            .append("\r\n");
                case 4 -> {
                    String argument = text(random, random.nextInt(100));
                    text.append("$")
                            .append(argument.length())
                            .append("\r\n")
                            .append(argument)
                            .append("\r\n");
                }
                default -> text.append("*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n");
            }
        }
        return text.toString().getBytes(ISO_8859_1);
    }

    private static List<Reply> replies(Random random, int depth) {
        Reply[] replies = new Reply[random.nextInt(6)];
        Arrays.setAll(replies, i -> reply(random, depth + 1));
        return List.of(replies);
    }

    private static Reply reply(Random random, int depth) {
        int kinds = depth < 4 ? 12 : 9;
        return switch (random.nextInt(kinds)) {
            case 0 -> Reply.NIL;
            case 1 -> new Reply.Simple(oneLine(random));
            case 2 -> new Reply.ErrorLine("ERR " + oneLine(random));
            case 3 -> new Reply.Int(random.nextLong() >> random.nextInt(64));
            case 4 ->
                new Reply.Bulk(text(random, random.nextInt(random.nextInt(200) == 0 ? 70_000 : 50))
                        .getBytes(ISO_8859_1));
            case 5 ->
                new Reply.DoubleReply(random.nextInt(5) == 0 ? Double.NEGATIVE_INFINITY : random.nextGaussian() * 1e5);
            case 6 -> new Reply.Bool(random.nextBoolean());
            case 7 -> new Reply.BigNumber(new BigInteger(200, random));
            case 8 -> new Reply.Verbatim("txt", text(random, random.nextInt(50)));
            case 9 -> new Reply.Array(replies(random, depth));
            case 10 -> new Reply.SetReply(replies(random, depth));
            default -> {
                List<Reply.Pair> pairs = new ArrayList<>();
                for (Reply key : replies(random, depth)) {
                    pairs.add(new Reply.Pair(key, reply(random, depth + 1)));
                }
                yield new Reply.MapReply(pairs);
            }
        };
    }

    private static String oneLine(Random random) {
        return text(random, random.nextInt(30)).replace('\r', '.').replace('\n', '.');
    }

    private static void write(Reply reply, RespWriter out, Random random) {
        if (random.nextInt(10) == 0 && out.protocol() == 3) {
            int attribute = out.length();
            out.simple("attribute").array(1).nil();
            out.mapAt(attribute, 1);
            out.array()[attribute] = '|';
        }
        switch (reply) {
            case Reply.Nil nil -> {
                if (random.nextBoolean()) {
                    out.nil();
                } else {
                    out.nilArray();
                }
            }
            case Reply.Simple simple -> out.simple(simple.text());
            case Reply.ErrorLine error -> out.error(error.line());
            case Reply.Int integer -> out.integer(integer.value());
            case Reply.Bulk bulk -> out.bulk(bulk.bytes());
            case Reply.DoubleReply number -> out.number(number.value());
            case Reply.Bool bool -> out.bool(bool.value());
            case Reply.BigNumber number -> out.bigNumber(number.value().toString());
            case Reply.Verbatim verbatim -> out.verbatim(verbatim.format(), verbatim.text());
            case Reply.Array array -> {
                int mark = out.mark();
                array.elements().forEach(element -> write(element, out, random));
                out.arrayAt(mark, array.elements().size());
            }
            case Reply.SetReply set -> {
                int mark = out.mark();
                set.elements().forEach(element -> write(element, out, random));
                out.setAt(mark, set.elements().size());
            }
            case Reply.Push push -> {
                out.push(push.elements().size());
                push.elements().forEach(element -> write(element, out, random));
            }
            case Reply.MapReply map -> {
                out.map(map.pairs().size());
                for (Reply.Pair pair : map.pairs()) {
                    write(pair.key(), out, random);
                    write(pair.value(), out, random);
                }
            }
        }
    }

    private static List<Reply> resp2(List<Reply> replies) {
        return replies.stream().map(RespProperties::resp2).toList();
    }

    private static Reply resp2(Reply reply) {
        return switch (reply) {
            case Reply.DoubleReply number -> new Reply.Bulk(Numbers.format(number.value()));
            case Reply.Bool bool -> new Reply.Int(bool.value() ? 1 : 0);
            case Reply.BigNumber number ->
                new Reply.Bulk(number.value().toString().getBytes(ISO_8859_1));
            case Reply.Verbatim verbatim -> new Reply.Bulk(verbatim.text().getBytes(ISO_8859_1));
            case Reply.Array array -> new Reply.Array(resp2(array.elements()));
            case Reply.SetReply set -> new Reply.Array(resp2(set.elements()));
            case Reply.Push push -> new Reply.Array(resp2(push.elements()));
            case Reply.MapReply map -> {
                List<Reply> flat = new ArrayList<>();
                for (Reply.Pair pair : map.pairs()) {
                    flat.add(resp2(pair.key()));
                    flat.add(resp2(pair.value()));
                }
                yield new Reply.Array(flat);
            }
            default -> reply;
        };
    }
}
