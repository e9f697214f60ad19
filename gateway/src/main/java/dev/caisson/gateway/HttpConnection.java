package dev.caisson.gateway;

import io.grpc.Status;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.DefaultHttpContent;
import io.netty.handler.codec.http.FullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Future;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP/1.1 connection: one request at a time, each given to an {@link Exchange}.
 *
 * <pre>
 *             first bytes         head read
 *   IDLE ───────────────► HEAD ─────────────► EXCHANGE ──(answered, body read, keep-alive)──► IDLE
 *    │ idle timeout         │ 408, 4xx            │ answered, but the body is not read, or not to be kept
 *    ▼                      ▼                     ▼
 *   CLOSED ◄──────────── LINGER ◄─────────────────┘   (nothing more is sent; what still comes is thrown away for 2 s,
 *                                                       so that the client reads the answer and not a reset)
 * </pre>
 */
/*
 * All fields belong to the channel's event loop; the send methods and demand may be called from any thread. Reading is
 * by hand (autoRead off): a body part when the exchange asks for one, which is the back-pressure on the client; and a
 * little ahead of that (of the body, or of pipelined requests), to learn of a client that hangs up.
 *
 * While as much is read ahead as may be, the connection is held back, and looks now and then for a client that is gone:
 * Linux says when all that it sent and its end have arrived unread (CLOSE_WAIT); where its end is stuck behind bytes that
 * its own kernel still holds, a part of an answer that has begun, of no meaning, makes that kernel answer with a reset.
 */
final class HttpConnection extends ChannelDuplexHandler {
    private static final int MAX_AHEAD_PARTS = 64;
    private static final int MAX_AHEAD_BYTES = 64 << 10;
    private static final long LOOK_MILLIS = 250;
    /** Every how many looks a client is sent something, to see whether it is there. */
    private static final int LOOKS_PER_PROBE = 4;

    private static final int TCP_CLOSE_WAIT = 8; // linux/tcp_states.h
    private static final Duration LINGER = Duration.ofSeconds(2);

    private enum State {
        IDLE,
        HEAD,
        EXCHANGE,
        LINGER,
        CLOSED
    }

    private final Gateway gateway;
    private final GatewayOptions options;
    private final Channel channel;
    private final ArrayDeque<Object> ahead = new ArrayDeque<>();
    private int aheadBytes;
    private State state = State.IDLE;
    private @Nullable Exchange exchange;
    private boolean demanded;
    private boolean bodyAsked; // once; the body's clock runs from then
    private boolean bodyRead;
    private boolean keepAlive;
    private boolean continueDue;
    private boolean answering; // the whole answer is handed to the socket
    private long deadlineNanos;
    private boolean deadlineSet;
    private long clockNanos;
    private @Nullable Future<?> clock;
    private @Nullable Future<?> look;
    private int looks;
    private byte[] probe = {}; // what means nothing between two parts of the answer that has begun

    HttpConnection(Gateway gateway, Channel channel) {
        this.gateway = gateway;
        this.options = gateway.options();
        this.channel = channel;
    }

    /** Called by the decoder. */
    void bytesArrived() {
        if (state == State.IDLE) {
            state = State.HEAD;
            within(options.headTimeout());
        }
    }

    // ---------------------------------------------------------------- for the exchange, from any thread

    void demand(Exchange asking) {
        channel.eventLoop().execute(() -> {
            if (!asking.equals(exchange) || demanded || bodyRead) {
                return;
            }
            demanded = true;
            if (!bodyAsked) {
                bodyAsked = true;
                within(options.bodyTimeout());
            }
            pump();
            if (demanded && continueDue) {
                continueDue = false;
                channel.writeAndFlush(new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE));
            }
            readIfWanted();
        });
    }

    boolean writable() {
        return channel.isWritable();
    }

    void sendWhole(FullHttpResponse message) {
        channel.eventLoop().execute(() -> {
            decideKeepAlive(message);
            answering = true;
            channel.writeAndFlush(message).addListener(this::answered);
            within(options.writeTimeout());
        });
    }

    void sendHead(HttpResponse message, byte[] meaningless) {
        channel.eventLoop().execute(() -> {
            decideKeepAlive(message);
            probe = meaningless;
            forever();
            channel.writeAndFlush(message);
        });
    }

    void send(HttpContent part) {
        channel.writeAndFlush(part);
    }

    void sendLast(LastHttpContent last) {
        channel.eventLoop().execute(() -> {
            answering = true;
            probe = new byte[0];
            channel.writeAndFlush(last).addListener(this::answered);
            within(options.writeTimeout());
        });
    }

    void cut() {
        channel.close();
    }

    /** The gateway drains: an idle connection ends now, a busy one after its answer. */
    void drain() {
        channel.eventLoop().execute(() -> {
            keepAlive = false;
            if (state == State.IDLE) {
                channel.close();
            }
        });
    }

    // ---------------------------------------------------------------- from the socket

    /** Begins to read; the handler is in the pipeline. */
    void opened() {
        within(options.idleTimeout());
        channel.read();
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        if (state == State.LINGER || state == State.CLOSED) {
            ReferenceCountUtil.release(message);
            return;
        }
        ahead.add(message);
        aheadBytes += bytes(message);
        pump();
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        readIfWanted();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        Exchange current = exchange;
        if (current != null && channel.isWritable()) {
            current.execute(current::writable);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        state = State.CLOSED;
        forever();
        if (clock != null) {
            clock.cancel(false);
        }
        if (look != null) {
            look.cancel(false);
        }
        releaseAhead();
        Exchange current = exchange;
        if (current != null) {
            exchange = null;
            current.execute(current::hungUp);
        }
        gateway.closed(this);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        // A reset by the client, or a decoder that gave up; either way the connection cannot go on.
        ctx.close();
    }

    private void readIfWanted() {
        boolean wanted = switch (state) {
            case IDLE, HEAD, LINGER -> true;
            case EXCHANGE -> ahead.size() < MAX_AHEAD_PARTS && aheadBytes < MAX_AHEAD_BYTES;
            case CLOSED -> false;
        };
        if (wanted) {
            channel.read();
        } else if (state == State.EXCHANGE && look == null) {
            looks = 0;
            look = channel.eventLoop().schedule(this::look, LOOK_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    private static int bytes(Object message) {
        return message instanceof HttpContent part ? part.content().readableBytes() : 0;
    }

    private Object takeAhead() {
        Object next = ahead.remove();
        aheadBytes -= bytes(next);
        return next;
    }

    /** The connection is held back: is the client still there? */
    private void look() {
        look = null;
        boolean held = state == State.EXCHANGE && !ahead.isEmpty();
        if (!held) {
            return;
        }
        if (channel instanceof EpollSocketChannel socket && socket.tcpInfo().state() == TCP_CLOSE_WAIT) {
            channel.close();
            return;
        }
        if (++looks % LOOKS_PER_PROBE == 0 && probe.length > 0 && channel.isWritable()) {
            channel.writeAndFlush(new DefaultHttpContent(Unpooled.wrappedBuffer(probe)));
        }
        look = channel.eventLoop().schedule(this::look, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private void pump() {
        while (!ahead.isEmpty()) {
            if (exchange == null && (state == State.IDLE || state == State.HEAD)) {
                Object next = takeAhead();
                if (next instanceof HttpRequest request) {
                    head(request);
                } else {
                    ReferenceCountUtil.release(next); // the empty end of a request that was refused
                }
            } else if (exchange != null && !bodyRead && demanded) {
                bodyPart((HttpContent) takeAhead(), exchange);
            } else {
                return;
            }
        }
    }

    private void head(HttpRequest request) {
        state = State.EXCHANGE;
        demanded = false;
        bodyRead = false;
        keepAlive = false;
        answering = false;
        bodyAsked = false;
        forever();
        RequestHead head;
        try {
            head = RequestHead.check(request, options);
        } catch (HttpError e) {
            refuse(e);
            return;
        }
        keepAlive = head.keepAlive() && !gateway.draining();
        continueDue = head.expectsContinue();
        try {
            exchange = gateway.exchange(this, head);
        } catch (HttpError e) {
            new Response(this, head).error(e);
        }
    }

    /** Answers a request whose head is not fit to be kept. */
    private void refuse(HttpError error) {
        RequestHead none = new RequestHead(
                io.netty.handler.codec.http.HttpMethod.GET,
                "/",
                "",
                io.netty.handler.codec.http.EmptyHttpHeaders.INSTANCE,
                false,
                false,
                false,
                java.util.Optional.empty());
        new Response(this, none).error(error);
    }

    private void bodyPart(HttpContent part, Exchange to) {
        demanded = false;
        continueDue = false;
        try {
            if (part.decoderResult().isFailure()) {
                bodyRead = true;
                keepAlive = false;
                HttpError why = RequestHead.undecodable(part.decoderResult().cause());
                to.execute(() -> to.badBody(why));
                return;
            }
            boolean last = part instanceof LastHttpContent;
            byte[] bytes = ByteBufUtil.getBytes(part.content());
            if (last) {
                bodyRead = true;
                forever();
            }
            to.execute(() -> to.body(bytes, last));
        } finally {
            part.release();
        }
    }

    /** The body takes as long as the call it streams into: no clock of its own. */
    void bodyIsStreamed() {
        channel.eventLoop().execute(() -> bodyAsked = true);
    }

    // ---------------------------------------------------------------- the end of an answer

    private void decideKeepAlive(HttpResponse message) {
        // What has arrived of a body nobody asked for costs nothing to skip.
        while (!bodyRead
                && ahead.peek() instanceof HttpContent part
                && !part.decoderResult().isFailure()) {
            bodyRead = part instanceof LastHttpContent;
            ReferenceCountUtil.release(takeAhead());
        }
        boolean streamed = !(message instanceof FullHttpResponse);
        keepAlive &= streamed || bodyRead;
        keepAlive &= !streamed || message.headers().contains(HttpHeaderNames.TRANSFER_ENCODING);
        if (!keepAlive) {
            message.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
        } else if (exchange != null && exchange.head.http10()) {
            message.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.KEEP_ALIVE);
        }
    }

    private void answered(Future<? super Void> written) {
        exchange = null;
        if (!written.isSuccess() || state == State.CLOSED) {
            channel.close();
        } else if (keepAlive && bodyRead && !gateway.draining()) {
            state = State.IDLE;
            within(options.idleTimeout());
            if (!ahead.isEmpty()) {
                bytesArrived();
                pump();
            }
            readIfWanted();
        } else {
            linger();
        }
    }

    private void linger() {
        state = State.LINGER;
        releaseAhead();
        within(LINGER);
        ChannelFuture end = ((DuplexChannel) channel).shutdownOutput();
        end.addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        readIfWanted();
    }

    private void releaseAhead() {
        while (!ahead.isEmpty()) {
            ReferenceCountUtil.release(takeAhead());
        }
    }

    // ---------------------------------------------------------------- clocks

    private void forever() {
        deadlineSet = false;
    }

    private void within(Duration time) {
        deadlineSet = true;
        deadlineNanos = System.nanoTime() + time.toNanos();
        // One clock a connection: it looks at the deadline when it rings and sets itself again; most are never moved.
        if (clock == null || clock.isDone() || clockNanos - deadlineNanos > 0) {
            if (clock != null) {
                clock.cancel(false);
            }
            ringAt(deadlineNanos);
        }
    }

    private void ringAt(long nanos) {
        clockNanos = nanos;
        clock = channel.eventLoop().schedule(this::ring, nanos - System.nanoTime(), TimeUnit.NANOSECONDS);
    }

    private void ring() {
        if (!deadlineSet || state == State.CLOSED) {
            return;
        }
        if (deadlineNanos - System.nanoTime() > 0) {
            ringAt(deadlineNanos);
            return;
        }
        deadlineSet = false;
        switch (state) {
            case HEAD -> {
                state = State.EXCHANGE;
                refuse(HttpError.of(
                        HttpResponseStatus.REQUEST_TIMEOUT,
                        Status.Code.DEADLINE_EXCEEDED,
                        "the request's head took longer than "
                                + options.headTimeout().toMillis() + " ms"));
            }
            case EXCHANGE -> {
                Exchange current = exchange;
                if (current == null || answering || bodyRead) {
                    channel.close(); // the answer is not taken
                } else {
                    HttpError why = HttpError.of(
                            HttpResponseStatus.REQUEST_TIMEOUT,
                            Status.Code.DEADLINE_EXCEEDED,
                            "the request's body took longer than "
                                    + options.bodyTimeout().toMillis() + " ms");
                    current.execute(() -> current.badBody(why));
                    within(options.writeTimeout());
                }
            }
            case IDLE, LINGER, CLOSED -> channel.close();
        }
    }
}
