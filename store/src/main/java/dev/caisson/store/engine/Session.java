package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the store knows of one client: a connection, a client in this process, or the replay of the log. Belongs to the
 * loop of its connection; only what says so may be called from other threads. What CLIENT LIST shows may be read by any
 * thread, which may see it a moment late.
 */
public abstract class Session {
    /** A key watched for a transaction, and its version then. */
    public record Watched(Key key, int shard, long version) {}

    /** Commands between MULTI and EXEC. */
    static final class Transaction {
        final List<Queued> commands = new ArrayList<>();
        /** A command was refused: EXEC answers EXECABORT. */
        boolean broken;
    }

    record Queued(Command command, Args args) {}

    private final long id;
    private final long createdAtMillis;
    private volatile int protocol = 2;
    private volatile String name = "";
    private volatile String libraryName = "";
    private volatile String libraryVersion = "";
    /** Null while it may do everything: a client in this process, or the replay of the log. */
    private volatile @Nullable User account;

    private volatile boolean authenticated = true;
    /* Written with each command; plain, because a late value does no harm and a fence would cost. */
    private long activeAtMillis;
    private @Nullable Command last;

    @Nullable
    Transaction transaction;

    final List<Watched> watched = new ArrayList<>();
    private final Map<Vector, Watcher> watchers = new HashMap<>();
    private final Map<String, List<Watcher>> byFingerprint = new HashMap<>();

    private final Set<Key> channels = new LinkedHashSet<>(2);
    private final Set<Key> patterns = new LinkedHashSet<>(2);
    private final Set<Key> shardChannels = new LinkedHashSet<>(2);
    private final Set<Key> monitoring = new LinkedHashSet<>(2);

    /** CLIENT NO-TOUCH: reads do not count as use. */
    boolean noTouch;
    /** CLIENT NO-EVICT: kept and shown; no client is evicted here. */
    boolean noEvict;

    protected Session(long id, long createdAtMillis) {
        this.id = id;
        this.createdAtMillis = createdAtMillis;
        this.activeAtMillis = createdAtMillis;
    }

    /** A number that no other client of this store had or will have. */
    public final long id() {
        return id;
    }

    public final long createdAtMillis() {
        return createdAtMillis;
    }

    /** 2 or 3. */
    public final int protocol() {
        return protocol;
    }

    public void protocol(int protocol) {
        this.protocol = protocol;
    }

    /** The user that it is before it has said anything; null if no rules hold for it. */
    public @Nullable User firstUser(Users users) {
        return users.initial();
    }

    /** The protocol that it speaks before it has said anything. */
    public int firstProtocol() {
        return 2;
    }

    /** As set by CLIENT SETNAME; empty if never. */
    public final String name() {
        return name;
    }

    public final void name(String name) {
        this.name = name;
    }

    /** The client's library, as set by CLIENT SETINFO; empty if never. */
    public final String libraryName() {
        return libraryName;
    }

    public final void libraryName(String name) {
        this.libraryName = name;
    }

    /** The version of the client's library, as set by CLIENT SETINFO; empty if never. */
    public final String libraryVersion() {
        return libraryVersion;
    }

    public final void libraryVersion(String version) {
        this.libraryVersion = version;
    }

    /** A request has come. */
    public final void active(long nowMillis, Command command) {
        activeAtMillis = nowMillis;
        last = command;
    }

    /** When its last request came, milliseconds since 1970. */
    public final long activeAtMillis() {
        return activeAtMillis;
    }

    /** The command that it sent last; null if none. */
    public final @Nullable Command lastCommand() {
        return last;
    }

    /** The name of its ACL user. */
    public final String user() {
        User now = account;
        return now == null ? "default" : now.name();
    }

    /** Its ACL user; null if no rules hold for it. */
    public final @Nullable User account() {
        return account;
    }

    /** Whether it is subscribed to, or watches, what its user may not hear any more. On its loop. */
    final boolean isForbidden() {
        User now = account;
        if (now == null) {
            return false;
        }
        for (Channels.Kind kind : Channels.Kind.values()) {
            for (Key name : joined(kind)) {
                if (!now.permits(kind, name)) {
                    return true;
                }
            }
        }
        for (Watcher watcher : watchers.values()) {
            WatchedQuery query = watcher.query();
            if (now.find(query.command, query.args).verdict() != Selector.Verdict.ALLOWED) {
                return true;
            }
        }
        return false;
    }

    public final boolean authenticated() {
        return authenticated;
    }

    /** Becomes that user; {@code authenticated}: and may send commands. */
    public void authenticate(@Nullable User user, boolean authenticated) {
        this.account = user;
        this.authenticated = authenticated;
    }

    /** Whether it is between MULTI and EXEC. */
    public final boolean inTransaction() {
        return transaction != null;
    }

    /** Whether it has queued a command that writes. */
    public final boolean willWrite() {
        return transaction != null
                && transaction.commands.stream().anyMatch(each -> each.command().is(Command.WRITE));
    }

    /** Channels and patterns that it is subscribed to. */
    public final int subscriptions() {
        return channels() + patterns() + shardChannels();
    }

    /** Channels that it is subscribed to. */
    public final int channels() {
        return channels.size();
    }

    /** Patterns of channels that it is subscribed to. */
    public final int patterns() {
        return patterns.size();
    }

    /** Shard channels that it is subscribed to. */
    public final int shardChannels() {
        return shardChannels.size();
    }

    /** What it is subscribed to of one kind; {@link Channels} alone changes it. */
    final Set<Key> joined(Channels.Kind kind) {
        return switch (kind) {
            case CHANNEL -> channels;
            case PATTERN -> patterns;
            case SHARD -> shardChannels;
            case MONITOR -> monitoring;
        };
    }

    /** Whether MONITOR tells it of all commands. */
    final boolean isMonitor() {
        return !monitoring.isEmpty();
    }

    /** Sends what was not asked for, whole replies only, after what has been written. On its loop. */
    public abstract void push(byte[] bytes);

    /** Whether it is a client in this process, which has exactly one reply for each request. */
    public boolean inProcess() {
        return false;
    }

    /** Ends the connection once what is written has been sent. Any thread. */
    public abstract void closeWhenSent();

    // ---- watched queries

    /** The number of the loop that this session belongs to. */
    public abstract int loop();

    /** Has the watcher taken from its query, on the home shard of that. */
    protected abstract void left(Watcher watcher, int home);

    /** Queries that it watches. */
    public final int watchCount() {
        return watchers.size();
    }

    final @Nullable Watcher watcher(Vector vector) {
        return watchers.get(vector);
    }

    final void startWatching(Vector vector, Watcher watcher) {
        watchers.put(vector, watcher);
        byFingerprint
                .computeIfAbsent(watcher.query().fingerprint, any -> new ArrayList<>(1))
                .add(watcher);
    }

    /** Ends the watches of this fingerprint (and command, if one is given); returns how many. Nothing is pushed after. */
    final int stopWatching(String fingerprint, @Nullable Command command) {
        int ended = 0;
        for (Watcher watcher : List.copyOf(byFingerprint.getOrDefault(fingerprint, List.of()))) {
            if (command == null || watcher.query().command == command) {
                stopWatching(watcher);
                ended++;
            }
        }
        return ended;
    }

    /** Ends one watch. */
    public final void stopWatching(Watcher watcher) {
        if (!watcher.watching()) {
            return;
        }
        watcher.stop();
        watchers.remove(watcher.query().vector);
        List<Watcher> same = byFingerprint.get(watcher.query().fingerprint);
        if (same != null && same.remove(watcher) && same.isEmpty()) {
            byFingerprint.remove(watcher.query().fingerprint);
        }
        left(watcher, watcher.query().home());
    }

    /** Ends all watches: the client is gone, or was reset. */
    public final void stopWatching() {
        List.copyOf(watchers.values()).forEach(this::stopWatching);
    }

    // ---- what is shown of it

    /** Ends the connection at once. Any thread. */
    public abstract void kill();

    /** Where the client is, such as {@code 127.0.0.1:40312}. Any thread. */
    public abstract String address();

    /** Where the client has connected to. Any thread. */
    public abstract String localAddress();

    /** Bytes of requests that have arrived and were not taken. */
    public abstract int heldBytes();

    /** How many commands wait for EXEC; -1 outside of a transaction. */
    final int queuedCommands() {
        Transaction open = transaction;
        return open == null ? -1 : open.commands.size();
    }

    // ---- replies that are not wanted

    /** Which replies the client wants, as CLIENT REPLY has it. */
    enum Replies {
        ALL,
        NONE,
        /** All but that to the running command and to the next. */
        NOT_NEXT,
        /** All but the next. */
        NOT_THIS
    }

    private Replies replies = Replies.ALL;

    /** The running command confirms a subscription: that is sent, whichever replies are wanted. */
    private boolean confirms;

    final void replies(Replies wanted) {
        replies = wanted;
    }

    final void confirms() {
        confirms = true;
    }

    /** A reply is complete: whether it is to be dropped. Called once for each, in order. */
    protected final boolean swallows() {
        boolean sent = confirms;
        confirms = false;
        switch (replies) {
            case ALL -> {
                return false;
            }
            case NOT_NEXT -> replies = Replies.NOT_THIS;
            case NOT_THIS -> replies = Replies.ALL;
            case NONE -> {}
        }
        return !sent;
    }

    // ---- waiting

    /* Written by the loop of the session; INFO and CLIENT UNBLOCK read it from others. */
    private volatile @Nullable Waiter waiter;

    /** The running command waits, instead of a reply. */
    final void waits(Waiter waiter) {
        this.waiter = waiter;
    }

    /** What it waits for; null if it does not. */
    public final @Nullable Waiter waiter() {
        return waiter;
    }

    /** Ends its waiting, if it waits, with this error or, for null, as if the time were over; returns whether it did. Any thread. */
    public boolean unblock(@Nullable String error) {
        return false; // only what has a connection waits
    }

    /** The waiting is over. */
    public final void waitsNoMore() {
        waiter = null;
    }

    /** The waiter got its element: the reply. Any thread. */
    protected abstract void served(Waiter waiter, byte[] reply);

    // ---- transactions, for the dispatcher

    /** Forgets the transaction and what it watched there; returns the watched keys, which the caller ends in their shards. */
    public final List<Watched> abandonTransaction() {
        List<Watched> had = List.copyOf(watched);
        watched.clear();
        transaction = null;
        return had;
    }

    /** What EXEC answers where it is refused itself, which ends the transaction. */
    public static ErrorReply execRefused(ErrorReply refused) {
        String line = refused.line();
        return new ErrorReply("EXECABORT Transaction discarded because of: " + line.substring(line.indexOf(' ') + 1));
    }

    /** Marks the transaction, if there is one, as failed: a command was refused. */
    public final void breakTransaction() {
        if (transaction != null) {
            transaction.broken = true;
        }
    }

    /**
     * Keeps a command for EXEC.
     *
     * @throws ErrorReply if the transaction has {@value TransactionCommands#MAX_QUEUED} commands already; it is then broken
     */
    public final void queue(Command command, Args args) {
        Transaction open = transaction;
        if (open == null) {
            throw new IllegalStateException("no transaction");
        }
        if (open.commands.size() >= TransactionCommands.MAX_QUEUED) {
            open.broken = true;
            throw new ErrorReply("ERR a transaction holds at most " + TransactionCommands.MAX_QUEUED
                    + " commands; send EXEC earlier");
        }
        open.commands.add(new Queued(command, args.detach()));
    }
}
