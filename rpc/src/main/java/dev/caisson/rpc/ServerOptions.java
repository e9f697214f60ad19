package dev.caisson.rpc;

import dev.caisson.rpc.http2.Http2Options;
import io.grpc.CompressorRegistry;
import io.grpc.DecompressorRegistry;
import io.grpc.HandlerRegistry;
import io.grpc.ServerCallExecutorSupplier;
import io.grpc.ServerStreamTracer;
import io.grpc.ServerTransportFilter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** What a {@link CaissonServerBuilder} collected. Immutable; the arrays are not written to. */
record ServerOptions(
        Http2Options http2,
        int maxInboundMessageSize,
        Unsent.Limits unsent,
        CompressorRegistry compressors,
        DecompressorRegistry decompressors,
        byte[] advertisedEncodings,
        ServerStreamTracer.Factory[] tracers,
        List<ServerTransportFilter> filters,
        @Nullable HandlerRegistry fallback,
        @Nullable Executor executor,
        boolean direct,
        @Nullable ServerCallExecutorSupplier executorSupplier,
        boolean interruptHandlers,
        Timeouts timeouts) {

    /** Of connections; a value of {@link #NEVER} turns one off. */
    record Timeouts(
            Duration handshake,
            Duration keepAliveTime,
            Duration keepAliveTimeout,
            Duration permitKeepAliveTime,
            boolean permitKeepAliveWithoutCalls,
            Duration maxIdle,
            Duration maxAge,
            Duration maxAgeGrace) {
        static final Duration NEVER = Duration.ofNanos(Long.MAX_VALUE);

        static boolean limited(Duration duration) {
            return duration.compareTo(NEVER) < 0;
        }

        static final Timeouts STANDARD = new Timeouts(
                Duration.ofSeconds(20),
                Duration.ofHours(2),
                Duration.ofSeconds(20),
                Duration.ofMinutes(5),
                false,
                NEVER,
                NEVER,
                NEVER);

        Timeouts withHandshake(Duration d) {
            return new Timeouts(
                    d,
                    keepAliveTime,
                    keepAliveTimeout,
                    permitKeepAliveTime,
                    permitKeepAliveWithoutCalls,
                    maxIdle,
                    maxAge,
                    maxAgeGrace);
        }

        Timeouts withKeepAliveTime(Duration d) {
            return new Timeouts(
                    handshake,
                    d,
                    keepAliveTimeout,
                    permitKeepAliveTime,
                    permitKeepAliveWithoutCalls,
                    maxIdle,
                    maxAge,
                    maxAgeGrace);
        }

        Timeouts withKeepAliveTimeout(Duration d) {
            return new Timeouts(
                    handshake,
                    keepAliveTime,
                    d,
                    permitKeepAliveTime,
                    permitKeepAliveWithoutCalls,
                    maxIdle,
                    maxAge,
                    maxAgeGrace);
        }

        Timeouts withMaxIdle(Duration d) {
            return new Timeouts(
                    handshake,
                    keepAliveTime,
                    keepAliveTimeout,
                    permitKeepAliveTime,
                    permitKeepAliveWithoutCalls,
                    d,
                    maxAge,
                    maxAgeGrace);
        }

        Timeouts withMaxAge(Duration d) {
            return new Timeouts(
                    handshake,
                    keepAliveTime,
                    keepAliveTimeout,
                    permitKeepAliveTime,
                    permitKeepAliveWithoutCalls,
                    maxIdle,
                    d,
                    maxAgeGrace);
        }

        Timeouts withMaxAgeGrace(Duration d) {
            return new Timeouts(
                    handshake,
                    keepAliveTime,
                    keepAliveTimeout,
                    permitKeepAliveTime,
                    permitKeepAliveWithoutCalls,
                    maxIdle,
                    maxAge,
                    d);
        }

        Timeouts withPermitKeepAlive(Duration d, boolean withoutCalls) {
            return new Timeouts(
                    handshake, keepAliveTime, keepAliveTimeout, d, withoutCalls, maxIdle, maxAge, maxAgeGrace);
        }
    }
}
