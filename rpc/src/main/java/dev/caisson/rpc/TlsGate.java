package dev.caisson.rpc;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.lang.System.Logger.Level;

/** Stands in for a connection until TLS is up and both sides have agreed on HTTP/2 (RFC 9113 section 3.2). */
final class TlsGate extends ChannelInboundHandlerAdapter {
    private static final System.Logger LOG = System.getLogger(TlsGate.class.getName());
    private final Connection connection;

    TlsGate(Connection connection) {
        this.connection = connection;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext c, Object event) {
        if (!(event instanceof SslHandshakeCompletionEvent done)) {
            c.fireUserEventTriggered(event);
            return;
        }
        if (!done.isSuccess()) {
            LOG.log(Level.DEBUG, () -> "TLS handshake with " + c.channel().remoteAddress() + " failed", done.cause());
            c.close();
            return;
        }
        SslHandler tls = c.pipeline().get(SslHandler.class);
        String protocol = tls == null ? null : tls.applicationProtocol();
        if (!"h2".equals(protocol)) {
            LOG.log(
                    Level.DEBUG,
                    "{0} speaks {1} over TLS; gRPC needs h2",
                    c.channel().remoteAddress(),
                    protocol == null ? "no protocol that ALPN knows" : protocol);
            c.close();
            return;
        }
        c.pipeline().replace(this, "http2", connection);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext c, Throwable cause) {
        LOG.log(Level.DEBUG, () -> "TLS with " + c.channel().remoteAddress() + " failed", cause);
        c.close();
    }
}
