package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class BackoffTest {
    @Test
    void growsByTheFactorUpToTheMaximum() {
        Backoff backoff = new Backoff(() -> 0.5);
        assertThat(backoff.nextNanos()).isEqualTo(TimeUnit.MILLISECONDS.toNanos(1000));
        assertThat(backoff.nextNanos()).isEqualTo(TimeUnit.MILLISECONDS.toNanos(1600));
        assertThat(backoff.nextNanos()).isEqualTo(TimeUnit.MILLISECONDS.toNanos(2560));
        for (int i = 0; i < 20; i++) {
            backoff.nextNanos();
        }
        assertThat(backoff.nextNanos()).isEqualTo(TimeUnit.SECONDS.toNanos(120));
        backoff.reset();
        assertThat(backoff.nextNanos()).isEqualTo(TimeUnit.SECONDS.toNanos(1));
    }

    @Test
    void variesByAFifthEitherWay() {
        assertThat(new Backoff(() -> 0).nextNanos()).isEqualTo(TimeUnit.MILLISECONDS.toNanos(800));
        assertThat(new Backoff(() -> 1).nextNanos()).isEqualTo(TimeUnit.MILLISECONDS.toNanos(1200));
    }
}
