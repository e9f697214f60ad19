package dev.caisson.gateway.generic;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class NearestNamesTest {
    @Test
    void findsATypingError() {
        assertThat(NearestNames.of("helloworld.Greetr", List.of("helloworld.Greeter", "grpc.health.v1.Health")))
                .containsExactly("helloworld.Greeter");
    }

    @Test
    void findsAServiceByItsLastPartAlone() {
        assertThat(NearestNames.of("Greeter", List.of("helloworld.Greeter", "grpc.health.v1.Health")))
                .containsExactly("helloworld.Greeter");
    }

    @Test
    void offersNothingWhereNothingIsNear() {
        assertThat(NearestNames.of("Completely", List.of("helloworld.Greeter"))).isEmpty();
    }

    @Test
    void countsSwappedNeighboursOnce() {
        assertThat(NearestNames.distance("SayHlelo", "SayHello")).isEqualTo(1);
        assertThat(NearestNames.distance("", "abc")).isEqualTo(3);
        assertThat(NearestNames.distance("kitten", "sitting")).isEqualTo(3);
    }

    @Test
    void looksAtABoundedNumberOfBoundedNames() {
        List<String> many = IntStream.range(0, NearestNames.MAX_CANDIDATES + 1)
                .mapToObj(i -> i == NearestNames.MAX_CANDIDATES ? "wanted" : "x".repeat(1_000))
                .toList();
        assertThat(NearestNames.of("wanted", many)).isEmpty();
        assertThat(NearestNames.of("y".repeat(100_000), List.of("z".repeat(100_000))))
                .isEmpty();
    }

    @Test
    void asksAsAPersonWould() {
        assertThat(NearestNames.question(List.of("a"))).isEqualTo("; did you mean a?");
        assertThat(NearestNames.question(List.of("a", "b", "c"))).isEqualTo("; did you mean a, b or c?");
        assertThat(NearestNames.question(List.of())).isEmpty();
    }
}
