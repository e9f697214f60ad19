package dev.caisson.cli;

import com.google.protobuf.DynamicMessage;
import dev.caisson.gateway.generic.GenericMethod;
import dev.caisson.scope.Scope;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.Status;
import java.io.IOException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One call: requests out, replies in, both at the pace of the slower side. Belongs to the thread that runs it; requests
 * of a stream are read by a thread that the scope owns. Ends when the call ends; a scope that closes earlier cancels it.
 */
final class Conversation {
    /*
     * Threads: the owner takes events and writes replies; the sender reads requests and sends; the channel's callbacks only
     * put events, which never blocks: at most one reply is asked for at a time, besides the headers and the end.
     * Back-pressure: the sender waits for `ready`, which onReady releases; a reply is requested when the last one is written.
     */
    private sealed interface Event {
        record Headers(Metadata headers) implements Event {}

        record Reply(DynamicMessage message) implements Event {}

        record End(Status status, Metadata trailers) implements Event {}
    }

    /**
     * How the call ended.
     *
     * @param answered whether the server sent anything before: then it was reached
     */
    record End(Status status, Metadata trailers, boolean answered) {}

    private final Scope scope;
    private final GenericMethod method;
    private final Narrator narrator;
    private final ClientCall<DynamicMessage, DynamicMessage> call;
    private final BlockingQueue<Event> events = new ArrayBlockingQueue<>(8);
    private final Semaphore ready = new Semaphore(0);
    private final AtomicReference<@Nullable Throwable> sendFailure = new AtomicReference<>();
    private final AtomicLong sent = new AtomicLong();
    private volatile boolean ended;

    Conversation(Scope scope, Channel channel, GenericMethod method, CallOptions options, Narrator narrator) {
        this.scope = scope;
        this.method = method;
        this.narrator = narrator;
        this.call = channel.newCall(method.grpc(), options);
    }

    /** Sends one request and hands on the replies. */
    End one(DynamicMessage request, Consumer<DynamicMessage> replies) throws Exception {
        return run(null, request, replies);
    }

    /** Sends requests as they come and hands on the replies meanwhile. */
    End stream(CallCommand.Requests requests, Consumer<DynamicMessage> replies) throws Exception {
        return run(requests, null, replies);
    }

    private End run(
            CallCommand.@Nullable Requests requests, @Nullable DynamicMessage only, Consumer<DynamicMessage> replies)
            throws Exception {
        narrator.starts(method);
        scope.onClose("cancel the call", () -> {
            if (!ended) {
                call.cancel("interrupted", null);
            }
        });
        call.start(new Listener(), new Metadata());
        call.request(1);
        Sender sender = null;
        if (only != null) {
            call.sendMessage(only);
            sent.incrementAndGet();
            call.halfClose();
        } else if (requests != null) {
            sender = scope.own(new Sender(() -> send(requests)), "requests");
        }
        try {
            return receive(replies);
        } finally {
            ended = true;
            call.cancel("the command is over", null); // nothing, if the call has ended
            if (sender != null) {
                sender.close();
            }
        }
    }

    private End receive(Consumer<DynamicMessage> replies) throws Exception {
        long received = 0;
        boolean answered = false;
        while (true) {
            switch (events.take()) {
                case Event.Headers headers -> {
                    answered = true;
                    narrator.headers(headers.headers());
                }
                case Event.Reply reply -> {
                    received++;
                    replies.accept(reply.message());
                    call.request(1);
                }
                case Event.End end -> {
                    ended = true;
                    narrator.ended(end.status(), end.trailers(), sent.get(), received);
                    Throwable failure = sendFailure.get();
                    if (failure instanceof Exception wrongRequest) {
                        throw wrongRequest;
                    }
                    return new End(
                            end.status(),
                            end.trailers(),
                            answered || !end.trailers().keys().isEmpty());
                }
            }
        }
    }

    /** Runs in the sender: reads, waits until the call takes it, sends. */
    private void send(CallCommand.Requests requests) {
        try {
            for (DynamicMessage request = next(requests); request != null; request = next(requests)) {
                while (!call.isReady()) {
                    ready.acquire();
                    ready.drainPermits();
                    if (ended) {
                        return;
                    }
                }
                call.sendMessage(request);
                sent.incrementAndGet();
            }
            call.halfClose();
        } catch (InterruptedException | IllegalStateException e) {
            // the call has ended, or the command: what it ended with is told there
        }
    }

    /** The next request; one that cannot be read ends the call, and is the reason that the command gives. */
    private @Nullable DynamicMessage next(CallCommand.Requests requests) {
        try {
            return requests.next();
        } catch (IOException | RuntimeException e) {
            if (!ended && sendFailure.compareAndSet(null, e)) {
                call.cancel("the next request cannot be sent", e);
            }
            throw new IllegalStateException("no further request", e);
        }
    }

    /**
     * The thread that reads requests. A platform thread, because only that can be interrupted while it reads standard
     * input: the JDK wakes no virtual thread from a read of a pipe or terminal.
     */
    private static final class Sender implements AutoCloseable {
        private static final long CLOSE_MILLIS = 2_000;

        private final Thread thread;

        Sender(Runnable body) {
            thread = Thread.ofPlatform().daemon().name("caisson requests").start(body);
        }

        @Override
        public void close() throws InterruptedException {
            thread.interrupt();
            thread.join(CLOSE_MILLIS);
        }
    }

    private final class Listener extends ClientCall.Listener<DynamicMessage> {
        @Override
        public void onReady() {
            ready.release();
        }

        @Override
        public void onHeaders(Metadata headers) {
            events.offer(new Event.Headers(headers));
        }

        @Override
        public void onMessage(DynamicMessage message) {
            events.offer(new Event.Reply(message));
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            events.offer(new Event.End(status, trailers));
            ready.release();
        }
    }
}
