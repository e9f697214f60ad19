package dev.caisson.store.engine;

import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.RespException;
import dev.caisson.store.resp.RespReader;
import dev.caisson.store.resp.RespWriter;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Applies what the log holds: resolved commands, through the same handlers that made them. Whoever calls it has all shards.
 */
public final class Replay {
    private final CommandTable commands;
    private final Sharding sharding;
    private final Call call;
    private final Session nobody;
    private final RespReader reader = new RespReader();
    private final RespWriter reply = new RespWriter();
    private long applied;

    /** {@code call} is one of its own, over all shards; {@code nobody} stands for the client. */
    public Replay(CommandTable commands, Sharding sharding, Call call, Session nobody) {
        this.commands = commands;
        this.sharding = sharding;
        this.call = call;
        this.nobody = nobody;
        reader.authenticated(true);
        call.replaying(true);
    }

    /**
     * Runs the commands, which are whole, at the time at which they were run first.
     *
     * @throws IllegalStateException if one of them cannot be run: it was written by a newer version, or by mistake
     */
    public void apply(long millis, byte[] bytes, int offset, int length) {
        call.now(millis);
        reader.feed(bytes, offset, length);
        try {
            while (reader.next()) {
                run(reader.args());
            }
        } catch (RespException broken) {
            throw new IllegalStateException("the log holds what is no command: " + broken.getMessage(), broken);
        }
        if (reader.held() > 0) {
            throw new IllegalStateException("the log holds a part of a command: " + reader.held() + " bytes");
        }
    }

    private void run(Args args) {
        Command command = commands.find(args);
        if (command != null && !command.subcommands().isEmpty() && args.count() > 1) {
            command = command.subcommands().get(args.text(1).toLowerCase(Locale.ROOT));
        }
        if (command == null || !command.arityFits(args.count())) {
            throw new IllegalStateException("the log holds an unknown command: " + args.text(0));
        }
        reply.reset();
        call.borrowed(sharding.all());
        call.execute(command, args, nobody, reply, null);
        if (reply.length() > 0 && reply.array()[0] == '-') {
            String error = new String(reply.array(), 1, reply.length() - 3, StandardCharsets.ISO_8859_1);
            throw new IllegalStateException("a command of the log failed: " + args.text(0) + ": " + error);
        }
        applied++;
    }

    /** How many commands were run. */
    public long applied() {
        return applied;
    }
}
