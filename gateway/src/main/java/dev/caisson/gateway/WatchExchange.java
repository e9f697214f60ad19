package dev.caisson.gateway;

import io.netty.handler.codec.http.DefaultHttpHeaders;
import io.netty.handler.codec.http.EmptyHttpHeaders;
import java.time.Duration;

/**
 * {@code GET /api/tree/events}: the tree as server-sent events. First {@code tree} with all of it, then {@code change}
 * whenever something came or went; a comment now and then, so that a client that is gone is noticed.
 */
final class WatchExchange extends Exchange {
    private static final Duration LOOK_EVERY = Duration.ofMillis(400);
    private static final Duration SPEAK_EVERY = Duration.ofSeconds(15);

    private final Gateway gateway;

    WatchExchange(Gateway gateway, HttpConnection connection, RequestHead head) {
        super(connection, head);
        this.gateway = gateway;
    }

    @Override
    String name() {
        return "watch tree";
    }

    @Override
    void start() throws InterruptedException {
        response.begin("text/event-stream", new DefaultHttpHeaders(), ":\n\n");
        TreeFeed.Tree told = gateway.tree().tree();
        response.write("retry: 1000\nevent: tree\ndata: " + told.toJson() + "\n\n");
        long spoken = System.nanoTime();
        while (!finished() && !gateway.draining()) {
            Runnable event = poll(LOOK_EVERY);
            if (event != null) {
                event.run();
                continue;
            }
            long silent = System.nanoTime() - spoken;
            if (!response.writable()) {
                // A reader that does not read: it is sent nothing, and after a while it is cut.
                if (silent > gateway.options().writeTimeout().toNanos()) {
                    response.cut();
                    finish();
                }
                continue;
            }
            TreeFeed.Tree now = gateway.tree().tree();
            String change = now.changesSince(told)
                    .map(json -> "event: change\ndata: " + json + "\n\n")
                    .orElse("");
            if (!change.isEmpty() || silent > SPEAK_EVERY.toNanos()) {
                response.write(change.isEmpty() ? ": nothing new\n\n" : change);
                spoken = System.nanoTime();
                told = now;
            }
        }
        if (!finished()) {
            response.end(EmptyHttpHeaders.INSTANCE);
            finish();
        }
    }

    @Override
    void released() {
        gateway.watcherEnded();
    }
}
