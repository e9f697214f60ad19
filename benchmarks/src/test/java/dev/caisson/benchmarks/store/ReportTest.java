package dev.caisson.benchmarks.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How figures are read, paired and judged. */
class ReportTest {
    private static final Load LOAD = new Load("set", 16, 50);

    private static Sample rate(double perSecond) {
        return new Sample(perSecond, 1, 1);
    }

    @Test
    void readsRedisBenchmarkByTheNamesOfItsColumns() throws IOException {
        Sample sample = RedisBenchmark.parse("""
                "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
                "SET","123456.79","0.204","0.064","0.199","0.303","0.407","1.295"
                """, 2.5);
        assertThat(sample).isEqualTo(new Sample(123456.79, 0.407, 2.5));
        assertThatThrownBy(() -> RedisBenchmark.parse("Error from server: no", 1))
                .isInstanceOf(IOException.class);
    }

    @Test
    void spreadLeavesOutATenthOnEachSide() {
        Spread spread = Spread.of(List.of(9.0, 1.0, 8.0, 2.0, 7.0, 3.0, 6.0, 4.0, 5.0, 100.0));
        assertThat(spread).isEqualTo(new Spread(2, 5.5, 9));
        assertThat(Spread.of(List.of(3.0, 1.0, 2.0))).isEqualTo(new Spread(1, 2, 3));
        assertThat(spread.holds(2)).isTrue();
        assertThat(spread.holds(9.1)).isFalse();
    }

    @Test
    void ratiosAreTakenWithinARound() {
        Report report = new Report(Options.parse(new String[0]));
        // the machine slows down tenfold: a ratio of medians would be nonsense
        report.add(LOAD, new Report.Round(rate(1000), rate(2000), rate(1000)));
        report.add(LOAD, new Report.Round(rate(100), rate(200), rate(100)));
        report.add(LOAD, new Report.Round(rate(10), rate(20), rate(10)));
        assertThat(report.lines(LOAD))
                .contains("ours / redis 2.00 (2.00 to 2.00)")
                .contains("2.00x; goal >= 1.2: met");
    }

    @Test
    void whatRedisDiffersFromItselfByIsTheSame() {
        Report report = new Report(Options.parse(new String[0]));
        report.add(LOAD, new Report.Round(rate(100), rate(130), rate(90)));
        report.add(LOAD, new Report.Round(rate(100), rate(120), rate(140)));
        assertThat(report.lines(LOAD)).contains("same; goal >= 1.2: NOT MET");
    }

    @Test
    void onlyAFullRunIsWrittenToTheDocs() {
        assertThat(Options.parse(new String[0]).page()).isEqualTo(Path.of("docs", "benchmarks-store.md"));
        Options some = Options.parse(new String[] {"--only", "p1-"});
        assertThat(some.page()).isEqualTo(Path.of("benchmarks", "target", "benchmarks-store.md"));
        assertThat(some.loads())
                .extracting(Load::key)
                .containsExactly("set-p1-c50", "get-p1-c50", "set-p1-c500", "get-p1-c500");
        assertThat(some.memory()).isFalse();
        assertThatThrownBy(() -> Options.parse(new String[] {"--only", "nonsense"}))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
