package dev.caisson.benchmarks.rpc;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.MessageLite;
import dev.caisson.benchmarks.greeter.GreeterGrpc;
import dev.caisson.benchmarks.greeter.HelloReply;
import dev.caisson.benchmarks.greeter.HelloRequest;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.SynchronousQueue;
import org.jspecify.annotations.Nullable;

/**
 * The process that makes the calls: one thread, a fixed number of connections and of calls in flight on each. Prints
 * {@code ready}, then answers lines:
 *
 * <pre>
 * start PORT CONNECTIONS IN_FLIGHT   started
 * mark     counts CALLS ERRORS P50_NANOS P99_NANOS WALL_NANOS CPU_NANOS ALLOCATED_BYTES
 * stop     stopped ERRORS REASON     (after the replies of all calls in flight)
 * </pre>
 *
 * Calls and errors count from {@code start}, the percentiles from the last {@code mark}. What goes wrong is answered by
 * {@code failed REASON} and ends the process.
 */
final class LoadGenerator implements LoadConnection.Tally {
    /** Twelve characters, as in the measurements that the goals were set by. */
    static final String NAME = "world-abcdef";

    private static final long DRAIN_NANOS = 30_000_000_000L;
    private static final long SELECT_MILLIS = 1_000;

    private final Latencies latencies = new Latencies();
    private final SynchronousQueue<String> answers = new SynchronousQueue<>();
    private volatile @Nullable String command;
    private long calls;
    private long errors;

    private LoadGenerator() {}

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
        System.out.println("ready");
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] words = line.split(" ");
            if (!words[0].equals("start")) {
                throw new IOException("not a command here: " + line);
            }
            new LoadGenerator().converse(words, in);
        }
    }

    @Override
    public void replied(boolean right, long nanos) {
        calls++;
        if (!right) {
            errors++;
        }
        latencies.add(nanos);
    }

    private void converse(String[] start, BufferedReader in) throws Exception {
        InetSocketAddress server = new InetSocketAddress("127.0.0.1", Integer.parseInt(start[1]));
        try (Selector selector = Selector.open()) {
            Thread caller = Thread.ofPlatform().daemon().name("calls").start(() -> {
                try {
                    call(selector, server, Integer.parseInt(start[2]), Integer.parseInt(start[3]));
                } catch (IOException | RuntimeException e) {
                    e.printStackTrace();
                    answerQuietly("failed " + e);
                }
            });
            System.out.println(answers.take());
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                command = line;
                selector.wakeup();
                String answer = answers.take();
                System.out.println(answer);
                if (!answer.startsWith("counts ")) {
                    break;
                }
            }
            caller.join();
        }
    }

    private void call(Selector selector, InetSocketAddress server, int connections, int inFlight) throws IOException {
        List<LoadConnection> open = new ArrayList<>();
        try {
            LoadConnection.Exchange exchange = exchange();
            for (int i = 0; i < connections; i++) {
                LoadConnection connection = new LoadConnection(server, inFlight, exchange);
                open.add(connection);
                connection.socket().register(selector, SelectionKey.OP_READ, connection);
            }
            answerQuietly("started");
            long stopBy = Long.MAX_VALUE;
            while (true) {
                selector.select(this::ready, SELECT_MILLIS);
                String asked = command;
                if (asked != null && asked.equals("mark")) {
                    command = null;
                    answerQuietly(counts());
                } else if (asked != null && asked.equals("stop")) {
                    command = null;
                    stopBy = System.nanoTime() + DRAIN_NANOS;
                    open.forEach(LoadConnection::stop);
                } else if (asked != null) {
                    throw new IOException("not a command: " + asked);
                }
                if (stopBy != Long.MAX_VALUE) {
                    if (open.stream().allMatch(LoadConnection::done)) {
                        answerQuietly(
                                "stopped " + errors + " " + open.getFirst().odd());
                        return;
                    }
                    if (System.nanoTime() > stopBy) {
                        int left =
                                open.stream().mapToInt(LoadConnection::inFlight).sum();
                        throw new IOException(left + " calls got no reply within 30 s");
                    }
                }
            }
        } finally {
            for (LoadConnection connection : open) {
                connection.close();
            }
        }
    }

    private void ready(SelectionKey key) {
        LoadConnection connection = (LoadConnection) key.attachment();
        try {
            if (key.isReadable()) {
                connection.onReadable(this);
            } else {
                connection.flush();
            }
            key.interestOps(connection.flushed() ? SelectionKey.OP_READ : SelectionKey.OP_READ | SelectionKey.OP_WRITE);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private String counts() {
        String line = "counts " + calls + " " + errors + " " + latencies.percentile(0.50) + " "
                + latencies.percentile(0.99) + " " + Usage.now().line();
        latencies.clear();
        return line;
    }

    private void answerQuietly(String answer) {
        try {
            answers.put(answer);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static LoadConnection.Exchange exchange() {
        return new LoadConnection.Exchange(
                HeaderBlocks.first("/" + GreeterGrpc.getSayHelloMethod().getFullMethodName()),
                HeaderBlocks.later(),
                grpcFrame(HelloRequest.newBuilder().setName(NAME).build()),
                grpcFrame(HelloReply.newBuilder().setMessage("Hello " + NAME).build()));
    }

    /** Not compressed (one byte), length (four), message. */
    static byte[] grpcFrame(MessageLite message) {
        byte[] bytes = message.toByteArray();
        return ByteBuffer.allocate(5 + bytes.length)
                .put((byte) 0)
                .putInt(bytes.length)
                .put(bytes)
                .array();
    }
}
