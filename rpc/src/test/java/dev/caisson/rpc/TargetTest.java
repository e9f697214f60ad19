package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.rpc.Target.HostPort;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TargetTest {
    private static final Set<String> SCHEMES = Set.of("dns", "ipv4", "ipv6", "zoo");

    @ParameterizedTest
    @CsvSource({
        "localhost:80,dns:///localhost:80",
        "localhost,dns:///localhost",
        "127.0.0.1:80,dns:///127.0.0.1:80",
        "[::1]:80,dns:///%5B::1%5D:80",
        "dns:///a.b:1,dns:///a.b:1",
        "dns:a.b:1,dns:a.b:1",
        "dns://8.8.8.8/a.b:1,dns://8.8.8.8/a.b:1",
        "ipv4:127.0.0.1:80,ipv4:127.0.0.1:80",
        "zoo://ensemble/service,zoo://ensemble/service",
    })
    void readsTargets(String text, String uri) {
        assertThat(Target.parse(text, SCHEMES::contains).uri()).hasToString(uri);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "unix:/tmp/x", "unix:///tmp/x", "etcd://somewhere/x"})
    void refusesWhatNobodyResolves(String text) {
        assertThatThrownBy(() -> Target.parse(text, SCHEMES::contains))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("target");
    }

    @ParameterizedTest
    @CsvSource({
        "localhost:80,localhost,80",
        "localhost,localhost,443",
        "[::1]:80,::1,80",
        "[::1],::1,443",
        "::1,::1,443",
        "127.0.0.1:65535,127.0.0.1,65535",
    })
    void readsHostsAndPorts(String text, String host, int port) {
        assertThat(HostPort.parse(text, 443)).isEqualTo(new HostPort(host, port));
    }

    @ParameterizedTest
    @ValueSource(strings = {"host:", "host:x", "host:65536", "host:-1", ":80", "[::1", "[::1]80", "host:999999999999"})
    void saysWhatIsWrongWithAnAddress(String text) {
        assertThatThrownBy(() -> HostPort.parse(text, 443))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(text);
    }
}
