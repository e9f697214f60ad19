package dev.caisson.store.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class ArgsTest {
    @Test
    void areSlicesOfOneArray() {
        Args args = Args.of("SET", "k", "", "é");
        assertThat(args.count()).isEqualTo(4);
        assertThat(args.text(0)).isEqualTo("SET");
        assertThat(args.length(2)).isZero();
        assertThat(args.copy(3)).containsExactly(0xe9);
        assertThat(new String(args.bytes(), args.offset(1), args.length(1), ISO_8859_1))
                .isEqualTo("k");
        assertThat(args).hasToString("SET k  é");
    }

    @Test
    void canBeLookedAtFromTheMiddle() {
        assertThat(Args.of("a", "b", "c").from(1)).hasToString("b c");
        assertThat(Args.of("a").from(1).count()).isZero();
    }

    @Test
    void compareWordsIgnoringCase() {
        Args args = Args.of("gEt", "HOST:", "GETX", "G\u00c5T");
        assertThat(args.is(0, "GET")).isTrue();
        assertThat(args.is(1, "HOST:")).isTrue();
        assertThat(args.is(2, "GET")).isFalse();
        assertThat(args.is(3, "GET")).isFalse();
        assertThat(Args.of("host\u001a").is(0, "HOST:")).isFalse();
    }

    @Test
    void readNumbersStrictly() {
        Args args = Args.of("x", "-12", "1.5", " 1");
        assertThat(args.integer(1)).isEqualTo(-12);
        assertThat(args.number(2)).isEqualTo(1.5);
        assertThatThrownBy(() -> args.integer(2)).isSameAs(ErrorReply.NOT_INTEGER);
        assertThatThrownBy(() -> args.number(3)).isSameAs(ErrorReply.NOT_FLOAT);
    }

    @Test
    void detachedOnesDoNotChangeWithTheirReader() throws RespException {
        RespReader reader = new RespReader();
        byte[] bytes = "ECHO one\r\nECHO two\r\n".getBytes(ISO_8859_1);
        reader.feed(bytes, 0, bytes.length);
        assertThat(reader.next()).isTrue();
        Args kept = reader.args().detach();
        assertThat(reader.next()).isTrue();
        reader.feed(new byte[100_000], 0, 100_000);
        assertThat(kept).hasToString("ECHO one");
        assertThat(kept.bytes()).hasSize(7);
    }

    @Test
    void grow() {
        Args args = Args.of(new byte[0][]);
        args.reset(new byte[] {'a', 'b'});
        for (int i = 0; i < 5000; i++) {
            args.add(i & 1, 1);
        }
        assertThat(args.count()).isEqualTo(5000);
        assertThat(args.text(4999)).isEqualTo("b");
        args.reset(new byte[0]);
        assertThat(args.count()).isZero();
        assertThat(args.memory()).isLessThan(8L * Args.KEPT_ARGUMENTS);
    }

    @Test
    void refuseWhatIsOutside() {
        Args args = Args.of("a");
        assertThatThrownBy(() -> args.offset(1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> args.add(0, 2)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> args.add(-1, 1)).isInstanceOf(IndexOutOfBoundsException.class);
    }

    @Test
    void anErrorHasACode() {
        assertThat(ErrorReply.WRONGTYPE.code()).isEqualTo("WRONGTYPE");
        assertThat(new ErrorReply("BUSY").code()).isEqualTo("BUSY");
        assertThat(ErrorReply.SYNTAX.getStackTrace()).isEmpty();
    }
}
