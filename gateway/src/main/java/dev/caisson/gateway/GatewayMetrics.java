package dev.caisson.gateway;

import dev.caisson.scope.Scope;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

/**
 * What {@code /metrics} tells. Thread-safe. The number of time series is bounded: calls are labelled by a target and a
 * method only once a server has said that it has the method, and what a target added goes with it.
 */
final class GatewayMetrics implements AutoCloseable {
    private static final String CALLS = "caisson.gateway.calls";
    /** Stands for what the gateway did not find: a label made of the request would be the client's to multiply. */
    static final String UNKNOWN = "unknown";

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final MultiGauge resources = MultiGauge.builder("caisson.resources")
            .description("Live resources of this process, by kind")
            .register(registry);

    void gauge(String name, String description, Supplier<Number> value) {
        // The supplier belongs to the gateway, which closes this registry: held strongly on purpose.
        Gauge.builder(name, value)
                .description(description)
                .strongReference(true)
                .register(registry);
    }

    /** A call, or an attempt at one, has ended. */
    void called(String target, String method, String status, long nanos) {
        Timer.builder(CALLS)
                .description("Calls through the gateway, from the request's head to the answer's end")
                .tags("target", target, "method", method, "status", status)
                .publishPercentileHistogram(false)
                .serviceLevelObjectives(
                        Duration.ofMillis(1),
                        Duration.ofMillis(5),
                        Duration.ofMillis(25),
                        Duration.ofMillis(100),
                        Duration.ofMillis(500),
                        Duration.ofSeconds(2),
                        Duration.ofSeconds(10))
                .register(registry)
                .record(Duration.ofNanos(nanos));
    }

    /** The target was closed; what was counted for it goes. */
    void forget(TargetName target) {
        String label = target.toString();
        List<Meter> gone = registry.getMeters().stream()
                .filter(meter -> meter.getId().getName().equals(CALLS))
                .filter(meter -> label.equals(meter.getId().getTag("target")))
                .toList();
        gone.forEach(registry::remove);
    }

    /** Prometheus text, version 0.0.4; the census is taken now. */
    String scrape() {
        resources.register(
                Scope.census().counts().entrySet().stream()
                        .map(kind -> MultiGauge.Row.of(Tags.of("kind", kind.getKey()), kind.getValue()))
                        .toList(),
                true);
        return registry.scrape();
    }

    @Override
    public void close() {
        registry.close();
    }
}
