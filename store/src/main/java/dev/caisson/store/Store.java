package dev.caisson.store;

import dev.caisson.scope.Closer;
import dev.caisson.scope.Drainable;
import dev.caisson.scope.Hold;
import dev.caisson.scope.Kind;
import dev.caisson.scope.Origins;
import dev.caisson.scope.Scope;
import dev.caisson.scope.ScopeClosedException;
import dev.caisson.scope.Scoped;
import dev.caisson.store.data.Hashing;
import dev.caisson.store.engine.Budget;
import dev.caisson.store.engine.Call;
import dev.caisson.store.engine.CommandTable;
import dev.caisson.store.engine.Commands;
import dev.caisson.store.engine.Replay;
import dev.caisson.store.engine.Server;
import dev.caisson.store.engine.Session;
import dev.caisson.store.engine.Settings;
import dev.caisson.store.engine.Shard;
import dev.caisson.store.engine.Shard.Figure;
import dev.caisson.store.engine.Sharding;
import dev.caisson.store.engine.User;
import dev.caisson.store.log.FolderFiles;
import dev.caisson.store.log.LogFiles;
import dev.caisson.store.resp.Reply;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A store: keys in memory, spread over event loops, reached by any Redis client or from this process.
 *
 * <pre>{@code
 * try (Scope app = Scope.open("app")) {
 *     Store store = app.own(Store.open(StoreOptions.defaults().port(7379)));
 *     StoreClient client = store.client("orders", push -> {});
 *     client.send("SET", "greeting", "hello");
 * }
 * }</pre>
 *
 * <pre>
 *   OPEN ──drain──► DRAINING (accepts nobody, answers what has arrived) ──close──► CLOSED
 *     └──────────────────────────────close──────────────────────────────────────────^
 * </pre>
 *
 * <p>Thread-safe. Who opens it owns it: threads, sockets and clients end with {@link #close}.
 */
public final class Store implements Drainable, Scoped {
    private static final Kind SOCKET = Kind.of("listening-socket", Origins.ALWAYS);
    private static final Kind CONNECTION = Kind.of("connection", Origins.OFF);
    private static final Kind CLIENT = Kind.of("client", Origins.ALWAYS);
    private static final byte[] TOO_MANY =
            "-ERR max number of clients reached\r\n".getBytes(StandardCharsets.ISO_8859_1);
    /** Output that a client has not read: past the second its requests wait until it is below the first. */
    private static final WriteBufferWaterMark CLOGGED = new WriteBufferWaterMark(256 << 10, 1 << 20);

    private final StoreOptions options;
    private final Scope scope;
    private final Loops threads;
    private final Sharding sharding;
    private final CommandTable commands;
    private final Settings settings;
    private final Server server;
    private final Loop[] loops;
    private final Map<Long, Connection> connections = new ConcurrentHashMap<>();
    private final AtomicLong ids = new AtomicLong();
    /** Both set once, before any loop has anything to do; null for a store in memory. */
    private @Nullable Journal journal;
    /** Null if it does not speak TLS. Read when the socket is bound. */
    private volatile @Nullable SslContext tls;

    private @Nullable Snapshots snapshots;

    private volatile boolean refusing;
    private volatile @Nullable Channel listening;

    private Store(StoreOptions options, Scope scope, Loops threads) {
        this.options = options;
        this.scope = scope;
        this.threads = threads;
        Hashing hashing = Hashing.seeded(new SecureRandom());
        this.sharding = new Sharding(options.loops(), hashing);
        this.commands = Commands.all();
        this.settings = new Settings();
        settings.maxMemoryBytes(options.maxMemoryBytes());
        settings.eviction(options.eviction());
        List<EventLoop> executors = threads.all();
        this.loops = new Loop[options.loops()];
        Shard[] shards = new Shard[loops.length];
        for (int i = 0; i < loops.length; i++) {
            shards[i] = new Shard(i, sharding, hashing);
        }
        this.server = new Server(
                commands,
                settings,
                shards,
                (loop, code) -> loops[loop].execute(code),
                new Server.Identity(runId(), now()));
        server.users().password(options.password());
        server.configuration().show("requirepass", options.password());
        server.configuration().show("maxclients", Integer.toString(options.maxClients()));
        server.configuration().show("bind", options.host());
        for (int i = 0; i < loops.length; i++) {
            Call call = new Call(
                    sharding, shards, server, RandomGenerator.getDefault(), new LocalConversation.Nobody(now()));
            loops[i] = new Loop(this, i, executors.get(i), shards[i], call);
        }
    }

    /**
     * Opens a store.
     *
     * @throws IOException if its port cannot be bound, or its folder cannot be used; the message says which and what to
     *     do, and nothing stays open
     */
    public static Store open(StoreOptions options) throws IOException {
        checkHost(options);
        Scope scope = Scope.open("store");
        boolean opened = false;
        try {
            Scope kept = scope.child("durability"); // closed after the loops, which write to it
            Loops threads = scope.own("loops", () -> Loops.start(options.loops()));
            Store store = new Store(options, scope, threads);
            store.recover(kept);
            scope.hold(
                    Kind.of("clients", Origins.OFF),
                    "accepted connections",
                    store.connections,
                    (accepted, within) -> store.cut());
            for (Loop loop : store.loops) {
                loop.executor.scheduleAtFixedRate(
                        loop::tick, Loop.TICK_MILLIS, Loop.TICK_MILLIS, TimeUnit.MILLISECONDS);
            }
            if (options.port() >= 0) {
                store.listen();
            }
            opened = true;
            return store;
        } finally {
            if (!opened) {
                scope.close();
            }
        }
    }

    /** Reads what the folder holds, before any loop has anything to do. */
    private void recover(Scope kept) throws IOException {
        Path folder = options.folder();
        if (folder == null) {
            return;
        }
        Shard[] shards = new Shard[loops.length];
        for (int i = 0; i < shards.length; i++) {
            shards[i] = loops[i].shard;
        }
        Session nobody = new LocalConversation.Nobody(now());
        Call call = new Call(sharding, shards, server, RandomGenerator.getDefault(), nobody);
        LogFiles files = options.files();
        journal = Journal.open(
                kept,
                files == null ? FolderFiles.of(folder) : files,
                this,
                new Replay(commands, sharding, call, nobody));
        snapshots = new Snapshots(this, journal, options.snapshotAfterBytes());
        server.persistence(snapshots);
        server.configuration().show("dir", folder.toAbsolutePath().normalize().toString());
        server.configuration().show("appendonly", "yes");
        server.configuration().show("appendfsync", options.durability().name().toLowerCase(Locale.ROOT));
    }

    private static String runId() {
        byte[] random = new byte[20];
        new SecureRandom().nextBytes(random);
        return HexFormat.of().formatHex(random);
    }

    private static void checkHost(StoreOptions options) throws IOException {
        InetAddress address = InetAddress.getByName(options.host());
        if (options.port() >= 0
                && !address.isLoopbackAddress()
                && options.password().isEmpty()) {
            throw new IOException("the store does not listen on " + options.host()
                    + " without a password, because everybody there could read and change it; set one, or listen on"
                    + " 127.0.0.1");
        }
    }

    private void listen() throws IOException {
        Tls files = options.tls();
        if (files != null) {
            tls = files.context();
        }
        InetSocketAddress address = new InetSocketAddress(options.host(), options.port());
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(threads.group())
                .channel(threads.serverChannel())
                .option(ChannelOption.SO_BACKLOG, 4096)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, CLOGGED)
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        accept(channel);
                    }
                });
        ChannelFuture bound = bootstrap.bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new IOException(
                    "the store cannot listen on " + options.host() + ":" + options.port() + ": "
                            + bound.cause().getMessage() + "; choose another port, 0 for any free one",
                    bound.cause());
        }
        Channel socket = bound.channel();
        listening = socket;
        server.configuration().show("port", Integer.toString(port()));
        scope.hold(SOCKET, String.valueOf(socket.localAddress()), socket, new Closer<Channel>() {
            @Override
            public void drain(Channel held, Duration within) throws InterruptedException {
                Loops.close(held);
            }

            @Override
            public void close(Channel held, Duration within) throws InterruptedException {
                Loops.close(held);
            }
        });
    }

    private void accept(Channel channel) {
        SslContext secure = tls;
        if (secure != null) {
            channel.pipeline().addLast(secure.newHandler(channel.alloc()));
        }
        if (refusing || connections.size() >= options.maxClients()) {
            server.refused();
            channel.writeAndFlush(Unpooled.wrappedBuffer(TOO_MANY)).addListener(ChannelFutureListener.CLOSE);
            return;
        }
        Connection connection = new Connection(this, loopOf(channel), ids.incrementAndGet(), channel);
        User first = server.users().initial();
        connection.authenticate(first, first.isOpen());
        connections.put(connection.id(), connection);
        server.opened(connection);
        Hold<Connection> hold;
        try {
            hold = scope.hold(CONNECTION, connection.toString(), connection, new Closer<Connection>() {
                @Override
                public void drain(Connection held, Duration within) throws InterruptedException {
                    held.drain();
                    held.channel().closeFuture().await(within.toMillis());
                }

                @Override
                public void close(Connection held, Duration within) {
                    held.channel().close(); // cut() sees to its end
                }
            });
        } catch (ScopeClosedException closing) {
            channel.close();
            connections.remove(connection.id());
            server.ended(connection);
            return;
        }
        channel.closeFuture().addListener(closed -> {
            connection.ended();
            connections.remove(connection.id());
            hold.release();
        });
        channel.pipeline().addLast(connection.handler());
    }

    private Loop loopOf(Channel channel) {
        for (Loop loop : loops) {
            if (loop.executor == channel.eventLoop()) {
                return loop;
            }
        }
        throw new IllegalStateException("a connection on a foreign loop");
    }

    // ---- use

    /**
     * A client in this process. The caller closes it; it ends with the store at the latest.
     *
     * @param name what the census calls it
     * @param pushes hears what comes unasked, such as messages and changes of watched queries, on a loop of the store
     * @throws ScopeClosedException if the store is closing
     */
    public StoreClient client(String name, Consumer<Reply> pushes) {
        long id = ids.incrementAndGet();
        Loop loop = loops[(int) (id % loops.length)];
        LocalConversation conversation = new LocalConversation(this, loop, id, pushes);
        Hold<LocalConversation> hold =
                scope.hold(CLIENT, name, conversation, (held, within) -> held.loop.execute(held::end));
        server.opened(conversation);
        return new StoreClient(conversation, hold::close);
    }

    /** The port it listens on; -1 if it does not. */
    public int port() {
        Channel socket = listening;
        return socket == null ? -1 : ((InetSocketAddress) socket.localAddress()).getPort();
    }

    /** How many connections it has now. */
    public int connections() {
        return connections.size();
    }

    /** A figure, summed over the shards, as of their last turn. */
    public long figure(Figure figure) {
        long sum = 0;
        for (Loop loop : loops) {
            sum += loop.shard.figure(figure);
        }
        return sum;
    }

    @Override
    public Scope scope() {
        return scope;
    }

    // ---- the end

    /** Accepts nobody, answers what has arrived, and waits for the clients to be gone. */
    @Override
    public void drain(Duration within) {
        refusing = true;
    }

    /** Ends clients, sockets and threads; returns when they have ended, or the scope's time to close is over. */
    @Override
    public void close() {
        refusing = true;
        scope.close();
    }

    /** Ends the connections that are left; after the listening socket, before the loops. */
    private void cut() throws InterruptedException {
        refusing = true;
        threads.settle(); // what was accepted is known now
        for (Connection connection : connections.values()) {
            Loops.close(connection.channel());
        }
        threads.settle();
    }

    // ---- for its parts

    StoreOptions options() {
        return options;
    }

    Loop[] loops() {
        return loops;
    }

    Sharding sharding() {
        return sharding;
    }

    CommandTable commands() {
        return commands;
    }

    Settings settings() {
        return settings;
    }

    Server server() {
        return server;
    }

    long now() {
        return options.clock().getAsLong();
    }

    /** Milliseconds that only go forward. */
    long monotonic() {
        return options.monotonicClock().getAsLong();
    }

    /** What is looked after now and then, by the first loop. */
    void tick() {
        Snapshots writer = snapshots;
        if (writer != null) {
            writer.tick();
        }
    }

    /** Its log; null for a store in memory. */
    @Nullable
    Journal journal() {
        return journal;
    }

    /** The loop whose thread this is; null if it is none. */
    @Nullable
    Loop here() {
        for (Loop loop : loops) {
            if (loop.executor.inEventLoop()) {
                return loop;
            }
        }
        return null;
    }

    boolean isLoop() {
        return threads.isLoop();
    }

    /** What memory is counted against. */
    Budget budget() {
        return server.budget();
    }
}
