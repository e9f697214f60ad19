package dev.caisson.benchmarks.rpc;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.caisson.benchmarks.greeter.GreeterGrpc;
import dev.caisson.benchmarks.greeter.HelloReply;
import dev.caisson.benchmarks.greeter.HelloRequest;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import java.util.logging.LogManager;
import org.jspecify.annotations.Nullable;

/**
 * The process around one {@link Caller}: asynchronous stubs over a number of channels, a number of calls in flight on each,
 * every call with a deadline, through one interceptor. Prints {@code ready}, then answers the lines that {@link LoadGenerator}
 * answers, in the same words.
 */
final class BenchClient {
    private static final HelloRequest REQUEST =
            HelloRequest.newBuilder().setName(LoadGenerator.NAME).build();
    private static final String EXPECTED = "Hello " + LoadGenerator.NAME;
    private static final int DEADLINE_SECONDS = 30;
    private static final int DRAIN_SECONDS = 30;

    private final LongAdder calls = new LongAdder();
    private final LongAdder errors = new LongAdder();
    private final Phaser open = new Phaser(1);
    private final List<Line> lines = new ArrayList<>();
    private volatile boolean stopping;
    private volatile @Nullable String odd;

    private BenchClient() {}

    public static void main(String[] args) throws Exception {
        LogManager.getLogManager().reset(); // as in BenchServer
        Caller caller = Caller.valueOf(args[0]);
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        System.out.println("ready");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            if (!words[0].equals("start")) {
                throw new IOException("not a command here: " + line);
            }
            new BenchClient().converse(caller, words, in);
        }
        System.exit(0); // whatever a peer leaves running must not keep the process
    }

    private void converse(Caller caller, String[] start, BufferedReader in) throws Exception {
        int port = Integer.parseInt(start[1]);
        List<ManagedChannel> channels = new ArrayList<>();
        try {
            for (int i = 0; i < Integer.parseInt(start[2]); i++) {
                ManagedChannel channel = caller.open(port);
                channels.add(channel);
                Line line = new Line(channel);
                lines.add(line);
                for (int slot = 0; slot < Integer.parseInt(start[3]); slot++) {
                    open.register();
                    line.call();
                }
            }
            System.out.println("started");
            for (String asked = in.readLine(); asked != null; asked = in.readLine()) {
                if (asked.equals("mark")) {
                    System.out.println(counts());
                } else if (asked.equals("stop")) {
                    stop();
                    System.out.println("stopped " + errors.sum() + " " + odd);
                    return;
                } else {
                    throw new IOException("not a command: " + asked);
                }
            }
        } finally {
            for (ManagedChannel channel : channels) {
                channel.shutdownNow().awaitTermination(DRAIN_SECONDS, TimeUnit.SECONDS);
            }
        }
    }

    private void stop() throws Exception {
        stopping = true;
        int phase = open.arrive();
        try {
            open.awaitAdvanceInterruptibly(phase, DRAIN_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new IOException(open.getUnarrivedParties() + " calls got no reply within 30 s", e);
        }
    }

    private String counts() {
        Latencies all = new Latencies();
        lines.forEach(line -> line.drainTo(all));
        return "counts " + calls.sum() + " " + errors.sum() + " " + all.percentile(0.50) + " " + all.percentile(0.99)
                + " " + Usage.now().line();
    }

    /** The calls of one channel. With direct executors its loop alone comes here, so the lock costs next to nothing. */
    private final class Line {
        private final GreeterGrpc.GreeterStub stub;
        private final Latencies latencies = new Latencies();

        Line(ManagedChannel channel) {
            Metadata caller = new Metadata();
            caller.put(Metadata.Key.of("caller", Metadata.ASCII_STRING_MARSHALLER), "bench");
            stub = GreeterGrpc.newStub(channel).withInterceptors(MetadataUtils.newAttachHeadersInterceptor(caller));
        }

        void call() {
            stub.withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS).sayHello(REQUEST, new Reply(this));
        }

        synchronized void took(long nanos) {
            latencies.add(nanos);
        }

        synchronized void drainTo(Latencies all) {
            all.addAll(latencies);
            latencies.clear();
        }
    }

    private final class Reply implements StreamObserver<HelloReply> {
        private final Line line;
        private final long began = System.nanoTime();
        private boolean right;

        Reply(Line line) {
            this.line = line;
        }

        @Override
        public void onNext(HelloReply reply) {
            right = reply.getMessage().equals(EXPECTED);
        }

        @Override
        public void onError(Throwable t) {
            right = false;
            odd = t.toString();
            onCompleted();
        }

        @Override
        public void onCompleted() {
            line.took(System.nanoTime() - began);
            calls.increment();
            if (!right) {
                errors.increment();
            }
            if (stopping || !right) {
                open.arriveAndDeregister();
            } else {
                line.call();
            }
        }
    }
}
