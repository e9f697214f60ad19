package dev.caisson.gateway;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.codec.http.HttpMessage;
import io.netty.handler.codec.http.HttpRequestDecoder;

/**
 * Netty's request decoder, less forgiving: two ways to tell a body's length in one request are refused, because a proxy
 * before us may choose the other one (RFC 9112 section 6.1, request smuggling). Tells the connection of the first bytes,
 * so that a head which never ends has its own clock.
 */
final class RequestDecoder extends HttpRequestDecoder {
    private final Runnable bytesArrived;

    RequestDecoder(GatewayOptions options, Runnable bytesArrived) {
        super(new HttpDecoderConfig()
                .setMaxInitialLineLength(options.maxRequestLineBytes())
                .setMaxHeaderSize(options.maxHeaderBytes())
                .setMaxChunkSize(64 << 10)
                .setAllowDuplicateContentLengths(false)
                .setUseRfc9112TransferEncoding(true)
                .setStrictLineParsing(true));
        this.bytesArrived = bytesArrived;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) throws Exception {
        if (message instanceof ByteBuf) {
            bytesArrived.run();
        }
        super.channelRead(ctx, message);
    }

    @Override
    protected void handleTransferEncodingChunkedWithContentLength(HttpMessage message) {
        throw new IllegalArgumentException("both Content-Length and Transfer-Encoding; send one of them");
    }
}
