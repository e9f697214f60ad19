package dev.caisson.store;

import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.Reply;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A client in the process of its store: skips the wire, keeps the rules. Requests run in the order they are given; their
 * replies come in RESP3's types. Thread-safe; whoever asked {@link Store#client} for it closes it.
 *
 * <p>Futures complete, and pushes arrive, on a loop of the store: code there must not block.
 */
public final class StoreClient implements AutoCloseable {
    private final LocalConversation conversation;
    private final Runnable release;

    StoreClient(LocalConversation conversation, Runnable release) {
        this.conversation = conversation;
        this.release = release;
    }

    /**
     * Sends a command.
     *
     * @return its reply; a {@link Reply.ErrorLine} is a reply too. Fails with ClosedChannelException if the client or the store
     *     is closed, with IllegalStateException if too many are unanswered
     */
    public CompletableFuture<Reply> send(String... latin1) {
        return conversation.request(Args.of(latin1));
    }

    /** As {@link #send(String...)}, for any bytes. */
    public CompletableFuture<Reply> send(byte[]... arguments) {
        return conversation.request(Args.of(arguments));
    }

    /**
     * Sends a command and waits for its reply.
     *
     * @throws ErrorReply if that is an error
     * @throws IllegalStateException if the calling thread is a loop of the store, which would wait for itself
     * @throws TimeoutException if no reply comes in time; the command may still run
     */
    public Reply call(long timeout, TimeUnit unit, String... latin1) throws InterruptedException, TimeoutException {
        if (conversation.store.isLoop()) {
            throw new IllegalStateException(
                    "a loop of the store must not wait for it; use send and go on in its future");
        }
        try {
            Reply reply = send(latin1).get(timeout, unit);
            if (reply instanceof Reply.ErrorLine error) {
                throw new ErrorReply(error.line());
            }
            return reply;
        } catch (ExecutionException failed) {
            throw new CompletionException(failed.getCause());
        }
    }

    /** Ends what it watches and listens to; requests without a reply fail. */
    @Override
    public void close() {
        release.run();
    }

    /** How the store ends it. On any thread. */
    void end() {
        conversation.loop.execute(conversation::end);
    }
}
