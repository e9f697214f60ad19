package dev.caisson.store;

import dev.caisson.store.engine.Session;
import dev.caisson.store.engine.User;
import dev.caisson.store.engine.Users;
import dev.caisson.store.engine.Waiter;
import dev.caisson.store.engine.Watcher;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.Reply;
import dev.caisson.store.resp.RespDecoder;
import dev.caisson.store.resp.RespException;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A client in this process: the same order and the same rules as on a socket, without the socket. Speaks RESP3. */
final class LocalConversation extends Conversation {
    private record Request(Args args, CompletableFuture<Reply> reply) {}

    /* Arrived, not taken. Loop only, as all fields but `inFlight`. */
    private final ArrayDeque<Request> requests = new ArrayDeque<>();
    /* Taken, not answered. */
    private final ArrayDeque<CompletableFuture<Reply>> replies = new ArrayDeque<>();
    private final RespDecoder decoder = new RespDecoder();
    private final Consumer<Reply> pushes;
    /** Requests that were given and not answered; any thread. */
    private final AtomicInteger inFlight = new AtomicInteger();

    private boolean closing;

    LocalConversation(Store store, Loop loop, long id, Consumer<Reply> pushes) {
        super(store, loop, id);
        this.pushes = pushes;
        protocol(3);
    }

    /** Any thread. */
    CompletableFuture<Reply> request(Args args) {
        CompletableFuture<Reply> reply = new CompletableFuture<>();
        if (inFlight.incrementAndGet() > MAX_PIPELINED) {
            inFlight.decrementAndGet();
            reply.completeExceptionally(new IllegalStateException("more than " + MAX_PIPELINED
                    + " requests of one client are unanswered; wait for replies, or use more clients"));
            return reply;
        }
        if (!loop.tryExecute(() -> arrived(new Request(args, reply)))) {
            reply.completeExceptionally(new ClosedChannelException());
        }
        return reply;
    }

    private void arrived(Request request) {
        if (isClosed() || closing) {
            request.reply.completeExceptionally(new ClosedChannelException());
            return;
        }
        requests.add(request);
        resume();
    }

    @Override
    @Nullable
    Args next() {
        Request request = requests.poll();
        if (request == null) {
            return null;
        }
        replies.add(request.reply);
        return request.args;
    }

    @Override
    void send(byte[] output, int length) {
        try {
            decoder.feed(output, 0, length);
            for (Reply reply; (reply = decoder.next()) != null; ) {
                if (reply instanceof Reply.Push push) {
                    pushes.accept(push);
                } else {
                    inFlight.decrementAndGet();
                    replies.remove().complete(reply);
                }
            }
        } catch (RespException ours) {
            throw new IllegalStateException("the store wrote a reply that is none", ours);
        }
    }

    @Override
    boolean isClogged() {
        return false;
    }

    @Override
    void settle() {
        if (closing && isIdle() && !isClosed()) {
            end();
        }
    }

    @Override
    long unread() {
        return 0; // what is sent is read at once
    }

    @Override
    public boolean inProcess() {
        return true;
    }

    @Override
    public void closeWhenSent() {
        loop.execute(() -> {
            closing = true;
            settle();
        });
    }

    @Override
    public void kill() {
        loop.execute(this::end);
    }

    @Override
    public String address() {
        return "in-process:" + id();
    }

    @Override
    public String localAddress() {
        return "in-process:0";
    }

    @Override
    public int heldBytes() {
        return 0;
    }

    /** Who is in this process needs no leave; it may become a user with AUTH. */
    @Override
    public @Nullable User firstUser(Users users) {
        return null;
    }

    @Override
    public int firstProtocol() {
        return 3;
    }

    /** @throws ErrorReply for another than RESP3, in which what is pushed could not be told from replies */
    @Override
    public void protocol(int protocol) {
        if (protocol != 3) {
            throw new ErrorReply("NOPROTO a client in process speaks RESP3 only");
        }
        super.protocol(protocol);
    }

    /** On the loop. */
    void end() {
        ended();
        ClosedChannelException gone = new ClosedChannelException();
        replies.forEach(reply -> reply.completeExceptionally(gone));
        requests.forEach(request -> request.reply.completeExceptionally(gone));
        replies.clear();
        requests.clear();
    }

    /** The session of a loop that runs no command for anybody yet. */
    static final class Nobody extends Session {
        Nobody(long now) {
            super(0, now);
        }

        @Override
        public void push(byte[] bytes) {}

        @Override
        public void closeWhenSent() {}

        @Override
        public int loop() {
            return -1;
        }

        @Override
        protected void left(Watcher watcher, int home) {}

        @Override
        public void kill() {}

        @Override
        public String address() {
            return "";
        }

        @Override
        public String localAddress() {
            return "";
        }

        @Override
        public int heldBytes() {
            return 0;
        }

        @Override
        protected void served(Waiter waiter, byte[] reply) {}
    }

    @Override
    public String toString() {
        return "client " + id() + " in this process";
    }
}
