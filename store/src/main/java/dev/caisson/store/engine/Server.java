package dev.caisson.store.engine;

import dev.caisson.store.engine.Shard.Figure;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * What all loops of a store share and commands may ask: its settings, its commands, who is connected. Thread-safe.
 *
 * <p>One for each store; made with it, and gone with it.
 */
public final class Server {
    /** The version that clients are told: the Redis whose behaviour this is. */
    public static final String REDIS_VERSION = "7.4.0";

    /**
     * What tells this run of a store from others.
     *
     * @param runId 40 hexadecimal digits that no other run has
     * @param startedAtMillis when it was opened, milliseconds since 1970
     */
    public record Identity(String runId, long startedAtMillis) {}

    private final CommandTable commands;
    private final Settings settings;
    private final Configuration configuration;
    private final Shard[] shards;
    private final Budget budget;
    private final Audience audience;
    private final Users users;
    private final String runId;
    private final long startedAtMillis;
    private final Map<Long, Session> sessions = new ConcurrentHashMap<>();
    private Persistence persistence = Persistence.NONE;

    private final LongAdder accepted = new LongAdder();
    private final LongAdder refused = new LongAdder();
    private final LongAdder lagged = new LongAdder();

    /**
     * @param shards one for each loop, whose changes are published from now on as {@code notify-keyspace-events} says
     * @param loops runs code on a loop
     */
    public Server(CommandTable commands, Settings settings, Shard[] shards, Audience.Loops loops, Identity identity) {
        this.commands = commands;
        this.settings = settings;
        this.shards = shards.clone();
        this.runId = identity.runId();
        this.startedAtMillis = identity.startedAtMillis();
        this.budget = new Budget(settings, this.shards);
        this.users = new Users(commands);
        this.audience = new Audience(shards.length, loops);
        this.configuration = new Configuration(settings, shards.length, users::password);
        for (Shard shard : shards) {
            shard.listener(new KeyspaceEvents(this));
        }
    }

    public CommandTable commands() {
        return commands;
    }

    public Settings settings() {
        return settings;
    }

    /** What memory is counted against. */
    public Budget budget() {
        return budget;
    }

    /** What CONFIG shows and sets. */
    public Configuration configuration() {
        return configuration;
    }

    /** Who is subscribed to what. */
    public Audience audience() {
        return audience;
    }

    /** 40 hexadecimal digits. */
    public String runId() {
        return runId;
    }

    /** Milliseconds since 1970. */
    public long startedAtMillis() {
        return startedAtMillis;
    }

    /** How many shards it has, one for each loop. */
    public int shardCount() {
        return shards.length;
    }

    /** A figure, summed over the shards, as of their last turn. */
    public long figure(Figure figure) {
        long sum = 0;
        for (Shard shard : shards) {
            sum += shard.figure(figure);
        }
        return sum;
    }

    /** Its log and snapshots; those of a store in memory do nothing. */
    public Persistence persistence() {
        return persistence;
    }

    /** Sets who writes; once, before use. */
    public void persistence(Persistence writer) {
        persistence = writer;
    }

    // ---- users

    /** Who may enter and do what. */
    public Users users() {
        return users;
    }

    /** Ends the clients of a user whose subscriptions or watches its rules do not permit any more. */
    void endForbidden(User user) {
        for (Session each : sessions()) {
            if (each.account() == user && each.subscriptions() + each.watchCount() > 0) {
                audience.later(each.loop(), () -> {
                    if (each.account() == user && each.isForbidden()) {
                        each.kill();
                    }
                });
            }
        }
    }

    // ---- clients

    /** A client has come. */
    public void opened(Session session) {
        sessions.put(session.id(), session);
        accepted.increment();
    }

    /** A client came when there were too many. */
    public void refused() {
        refused.increment();
    }

    /** A client was closed because it did not read its messages. */
    public void lagged() {
        lagged.increment();
    }

    /** How many clients were closed because they did not read their messages, since the figures were reset. */
    public long laggards() {
        return lagged.sum();
    }

    /** A client has gone. */
    public void ended(Session session) {
        sessions.remove(session.id(), session);
    }

    /** The client of this number; null if it is gone. */
    public @Nullable Session session(long id) {
        return sessions.get(id);
    }

    /** All clients, in the order in which they came. */
    public List<Session> sessions() {
        List<Session> all = new ArrayList<>(sessions.values());
        all.sort(Comparator.comparingLong(Session::id));
        return all;
    }

    /** How many clients there are. */
    public int sessionCount() {
        return sessions.size();
    }

    /** How many clients have come since the figures were reset. */
    public long accepted() {
        return accepted.sum();
    }

    /** How many clients were turned away since the figures were reset. */
    public long refusals() {
        return refused.sum();
    }

    /** Begins the counts anew (CONFIG RESETSTAT); those of the shards are for the owners of the shards to reset. */
    void resetCounts() {
        accepted.reset();
        refused.reset();
        lagged.reset();
        for (Command command : commands.all()) {
            command.usage.reset();
            command.subcommands.values().forEach(sub -> sub.usage.reset());
        }
    }
}
