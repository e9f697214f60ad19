package dev.caisson.rpc;

import dev.caisson.rpc.http2.Header;
import dev.caisson.rpc.http2.HeaderBlock;
import dev.caisson.rpc.http2.HeaderWriter;
import dev.caisson.scope.Scope;
import io.grpc.Attributes;
import io.grpc.Codec;
import io.grpc.Compressor;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.InternalMetadata;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.SecurityLevel;
import io.grpc.ServerCall;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.netty.buffer.ByteBuf;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * The application's side of a server call.
 *
 * <p>Thread-safety, as {@link ServerCall} has it: {@link #request}, {@link #isReady} and {@link #isCancelled} may be called
 * from any thread; the others by one thread at a time.
 */
final class ServerStreamCall<Q, R> extends ServerCall<Q, R> {
    /*
     * The loop owns the stream; what the application sends goes there. While the call runs inline and only the loop has
     * touched it, it is done at once. From the first use on another thread all goes through the connection's queue, so that
     * nothing overtakes. A reply of one message is kept here until close, and crosses in one task.
     *
     * `headers`, `reply`, `closeCalled`, ... belong to the thread that sends. `backlog` is shared: the sender adds what it
     * hands over to the loop, the loop takes away what left the stream's queue. What is sent on the loop is counted only as
     * far as it stays in the queue.
     */
    private static final VarHandle BACKLOG;

    static {
        try {
            BACKLOG = MethodHandles.lookup().findVarHandle(ServerStreamCall.class, "backlog", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** Bytes under way above which {@link #isReady} says no; the same as grpc-java's. */
    static final int READY_BYTES = Unsent.FREE_BYTES;

    private final ServerStream stream;
    private final ServerMethod<Q, R> method;
    private final Context.CancellableContext context;
    private final CallEvents<Q, R> events;
    private final Unsent unsent;
    private final byte @Nullable [] authority;
    private final byte @Nullable [] acceptedEncodings;

    // sender
    private @Nullable HeaderWriter headers;
    private boolean headersCalled;
    private boolean messageCalled;
    private volatile boolean closeCalled;
    private boolean smallReply = true;
    private @Nullable ByteBuf reply;
    private Compressor compressor = Codec.Identity.NONE;
    private @Nullable String encoding;
    private boolean compressMessages = true;
    private int readyBytes;

    // shared
    private volatile boolean cancelled;
    /** The call was ended over the handler's head, which is about to be told. */
    private volatile boolean endedByItself;

    private volatile boolean crossed;

    @SuppressWarnings("UnusedVariable") // through BACKLOG
    private volatile long backlog;

    // loop
    private long queuedSeen;
    private int inbound;
    private int outbound;

    ServerStreamCall(
            ServerStream stream, ServerMethod<Q, R> method, HeaderBlock request, Context.CancellableContext context) {
        this.stream = stream;
        this.method = method;
        this.context = context;
        this.authority = request.value(Header.AUTHORITY);
        this.acceptedEncodings = request.value(Header.GRPC_ACCEPT_ENCODING);
        this.unsent = stream.owner().unsent();
        this.readyBytes = Math.min(READY_BYTES, unsent.limits().call());
        this.events = new CallEvents<>(this, stream);
    }

    CallEvents<Q, R> events() {
        return events;
    }

    ServerCall.Listener<Q> startHandler(Metadata requestHeaders) {
        return method.handler().startCall(this, requestHeaders);
    }

    /** Runs {@code work} with the call's context, and its scope for whoever asks. */
    void inContext(Runnable work) {
        Context before = context.attach();
        try {
            Scope.runWith(events, work);
        } finally {
            context.detach(before);
        }
    }

    void cancelContext(Status status) {
        Throwable reason = ServerStream.cancellation(status);
        context.cancel(reason);
        events.cancel(reason);
        events.end();
    }

    void endContext() {
        context.cancel(null);
        events.end();
    }

    @Nullable
    Deadline deadline() {
        return context.getDeadline();
    }

    // ---- io.grpc.ServerCall

    @Override
    public void request(int n) {
        if (n < 1) {
            throw new IllegalArgumentException("request(" + n + "): ask for at least one message");
        }
        if (events.want(n)) {
            return;
        }
        if (direct()) {
            stream.request(n);
        } else {
            submit(new Connection.Task() {
                @Override
                void run(boolean open) {
                    if (open) {
                        stream.request(n);
                    }
                }
            });
        }
    }

    @Override
    public void sendHeaders(Metadata metadata) {
        check(!headersCalled, "sendHeaders was called already");
        check(!closeCalled, "the call is closed");
        headersCalled = true;
        HeaderWriter writer = headerWriter(metadata);
        if (direct()) {
            stream.sendResponseHeaders(writer);
        } else if (method.sendsOneMessage()) {
            headers = writer;
        } else {
            submit(new Connection.Task() {
                @Override
                void run(boolean open) {
                    if (open) {
                        stream.sendResponseHeaders(writer);
                    }
                }
            });
        }
    }

    /** Null stands for the plain header list, which the connection keeps encoded. */
    private @Nullable HeaderWriter headerWriter(Metadata metadata) {
        String chosen = encoding;
        if (chosen != null && !clientAccepts(chosen)) {
            chosen = null;
            compressor = Codec.Identity.NONE;
        }
        if (chosen == null && InternalMetadata.headerCount(metadata) == 0) {
            return null;
        }
        String named = chosen;
        byte[] advertised = stream.owner().server().options().advertisedEncodings();
        return (encoder, out) -> {
            ServerStream.writeHead(encoder, out, advertised);
            if (named != null) {
                encoder.encode(out, Header.GRPC_ENCODING, MetadataCodec.ascii(named), true);
            }
            MetadataCodec.write(encoder, out, metadata);
        };
    }

    private boolean clientAccepts(String name) {
        if (acceptedEncodings == null) {
            return false;
        }
        for (String one : MetadataCodec.text(acceptedEncodings).split(",")) {
            if (one.strip().equals(name)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void sendMessage(R message) {
        check(headersCalled, "sendHeaders has not been called");
        check(!closeCalled, "the call is closed");
        boolean one = method.sendsOneMessage();
        if (one && messageCalled) {
            fail(Status.INTERNAL.withDescription("Too many responses"));
            return;
        }
        messageCalled = true;
        if (cancelled || endedByItself) {
            return;
        }
        Status refused = unsent.refusal(backlog, readyBytes);
        if (refused != null) {
            overrun(refused);
            return;
        }
        ByteBuf framed;
        try {
            framed = MessageFramer.frame(
                    method.descriptor().streamResponse(message),
                    compressMessages ? compressor : Codec.Identity.NONE,
                    Integer.MAX_VALUE - MessageFramer.PREFIX,
                    stream.owner().allocator());
        } catch (RuntimeException e) {
            fail(Status.CANCELLED
                    .withDescription("Server sendMessage() failed with Error")
                    .withCause(e));
            throw e;
        }
        int length = framed.readableBytes();
        if (direct()) {
            stream.sendMessageBytes(framed);
            sent(stream.queuedBytes());
        } else if (one && length <= MessageFramer.SMALL + MessageFramer.PREFIX) {
            reply = framed; // a plain array: nothing is lost if the application never closes
        } else {
            if (one) {
                smallReply = false;
                flushHeaders();
            }
            count(length);
            submit(new Connection.Task() {
                @Override
                void run(boolean open) {
                    if (open) {
                        queuedSeen += length;
                        stream.sendMessageBytes(framed);
                        sent(stream.queuedBytes());
                    } else {
                        framed.release();
                        count(-length);
                    }
                }
            });
        }
    }

    private void overrun(Status status) {
        endedByItself = true;
        if (direct()) {
            stream.overrun(status);
            return;
        }
        submit(new Connection.Task() {
            @Override
            void run(boolean open) {
                if (open) {
                    stream.overrun(status);
                }
            }
        });
    }

    /** A long reply goes ahead of close, and its headers before it. */
    private void flushHeaders() {
        HeaderWriter kept = headers;
        submit(new Connection.Task() {
            @Override
            void run(boolean open) {
                if (open) {
                    stream.sendResponseHeaders(kept);
                }
            }
        });
    }

    /** Returns what waited before. */
    private long count(long more) {
        long before = (long) BACKLOG.getAndAdd(this, more);
        unsent.moved(before, before + more);
        return before;
    }

    /** On the loop: so much of what was handed over still waits. */
    void sent(long queuedNow) {
        long left = queuedSeen - queuedNow;
        if (left == 0) {
            return;
        }
        queuedSeen = queuedNow;
        long before = count(-left);
        if (before >= readyBytes && before - left < readyBytes && !closeCalled && !cancelled && !endedByItself) {
            events.ready();
        }
    }

    @Override
    public boolean isReady() {
        return !closeCalled && !isCancelled() && backlog < readyBytes;
    }

    @Override
    public void setOnReadyThreshold(int bytes) {
        if (bytes <= 0) {
            throw new IllegalArgumentException("the threshold must be above 0 bytes: " + bytes);
        }
        readyBytes = Math.min(bytes, unsent.limits().call());
    }

    @Override
    public void close(Status status, Metadata trailers) {
        check(!closeCalled, "the call is closed already");
        Status told = status;
        if (status.isOk() && method.sendsOneMessage() && !messageCalled) {
            told = Status.INTERNAL.withDescription("Completed without a response");
        }
        finish(told, trailers);
    }

    /** Ends the call for a reason of ours, if the application has not. */
    void fail(Status status) {
        fail(status, new Metadata());
    }

    void fail(Status status, Metadata trailers) {
        finish(status, trailers);
    }

    /** Whoever comes first closes. */
    private synchronized boolean claimClose() {
        if (closeCalled) {
            return false;
        }
        closeCalled = true;
        return true;
    }

    private void finish(Status status, Metadata trailers) {
        if (!claimClose()) {
            return;
        }
        HeaderWriter kept = headers;
        boolean withHeaders = headersCalled;
        ByteBuf message = reply;
        reply = null;
        if (direct()) {
            stream.sendStatus(status, trailers);
            return;
        }
        submit(new Connection.Task() {
            @Override
            void run(boolean open) {
                if (!open) {
                    if (message != null) {
                        message.release();
                    }
                    return;
                }
                if (withHeaders) {
                    stream.sendResponseHeaders(kept);
                }
                if (message != null) {
                    stream.sendMessageBytes(message);
                }
                stream.sendStatus(status, trailers);
            }
        });
    }

    /** The reply was handed over whole and is short enough to count as sent: nothing but completion can follow. */
    boolean repliedWhole() {
        return closeCalled && method.sendsOneMessage() && smallReply && !cancelled;
    }

    @Override
    public boolean isCancelled() {
        return cancelled || endedByItself;
    }

    @Override
    public void setMessageCompression(boolean enabled) {
        compressMessages = enabled;
    }

    @Override
    public void setCompression(String name) {
        check(!headersCalled, "sendHeaders was called already; choose the compression before it");
        Compressor found = stream.owner().server().options().compressors().lookupCompressor(name);
        if (found == null) {
            throw new IllegalArgumentException("Unable to find compressor by name " + name);
        }
        compressor = found;
        encoding = found == Codec.Identity.NONE ? null : name;
    }

    @Override
    public SecurityLevel getSecurityLevel() {
        return stream.owner().secure() ? SecurityLevel.PRIVACY_AND_INTEGRITY : SecurityLevel.NONE;
    }

    @Override
    public Attributes getAttributes() {
        return stream.owner().attributes();
    }

    @Override
    public @Nullable String getAuthority() {
        return authority == null ? null : MetadataCodec.text(authority);
    }

    @Override
    public MethodDescriptor<Q, R> getMethodDescriptor() {
        return method.descriptor();
    }

    // ---- from the loop

    /** Its stream is about to end with a status that the handler did not choose; {@link #cancelledBy} follows. */
    void endsByItself() {
        endedByItself = true;
    }

    void cancelledBy(Status status) {
        if (!cancelled) {
            cancelled = true;
            events.cancel(status);
        }
    }

    /** The stream has left the connection. */
    void ended(boolean settled) {
        sent(0);
        if (!cancelled && !endedByItself && settled) {
            events.complete();
        }
    }

    int nextInbound() {
        return inbound++;
    }

    int nextOutbound() {
        return outbound++;
    }

    ServerStreamTracer.ServerCallInfo<Q, R> tracerView() {
        return new ServerStreamTracer.ServerCallInfo<>() {
            @Override
            public MethodDescriptor<Q, R> getMethodDescriptor() {
                return method.descriptor();
            }

            @Override
            public Attributes getAttributes() {
                return ServerStreamCall.this.getAttributes();
            }

            @Override
            public @Nullable String getAuthority() {
                return ServerStreamCall.this.getAuthority();
            }
        };
    }

    // ---- where it runs

    private boolean direct() {
        if (crossed) {
            return false;
        }
        if (events.inline() && stream.owner().inBurst()) {
            return true;
        }
        crossed = true;
        return false;
    }

    private void submit(Connection.Task task) {
        stream.owner().submit(task);
    }

    private static void check(boolean fact, String otherwise) {
        if (!fact) {
            throw new IllegalStateException(otherwise);
        }
    }
}
