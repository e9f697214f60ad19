package dev.caisson.store;

import dev.caisson.store.engine.Command;
import dev.caisson.store.engine.Errors;
import dev.caisson.store.engine.Session;
import dev.caisson.store.engine.Waiter;
import dev.caisson.store.engine.Waiting;
import dev.caisson.store.engine.WatchedQuery;
import dev.caisson.store.engine.Watcher;
import dev.caisson.store.resp.Args;
import dev.caisson.store.resp.ErrorReply;
import dev.caisson.store.resp.RespWriter;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Takes the requests of one client, has each run where its keys are, and gives the replies back in order.
 *
 * <pre>
 *   READY ──a command needs several shards, or all earlier ones done──► STALLED ──it has run──► READY
 *     └──────────────────────────────close──────────────────────────────────┴──────────────────► CLOSED
 * </pre>
 *
 * <ul>
 *   <li>Keys of this loop's own shard: answered straight into the output.
 *   <li>Keys of one other shard: into the batch for that shard, which leaves at the end of the read burst.
 *   <li>Keys of several shards, or a command that touches the session: the shards are borrowed ({@link Borrow}); until it
 *       has run, no further request is taken.
 *   <li>A command without keys waits for all earlier ones, so it sees what they did.
 * </ul>
 *
 * <p>Belongs to its loop; batches under way read what it fixed for them before.
 */
abstract class Conversation extends Session implements Borrow.Borrower {
    /** How many replies may be on their way; further requests wait unread. */
    static final int MAX_PIPELINED = 65_536;
    /** Bytes of output of a burst after which it is handed on although the burst goes on. */
    static final int HAND_ON_BYTES = 256 << 10;

    /** Output of messages that a client may leave unread; past it the client is closed, as Redis closes it. */
    static final long MAX_UNREAD_BYTES = 32L << 20;

    final Store store;
    final Loop loop;
    final RespWriter out = new RespWriter();
    /** Where replies wait for the log; null for a store in memory. */
    private final @Nullable Outbox outbox;
    /** What is in {@link #out}. */
    private final ReplyMarks marks;

    /** For each reply that is not in {@link #out} yet, in order: the batch that has or gets it. */
    private final ArrayDeque<Batch> order = new ArrayDeque<>();
    /** The batch being filled for each shard; made when first needed. */
    private final @Nullable Batch[] filling;
    /** The batch of each shard that has not run to its end: one at a time, so that none overtakes what another has left. */
    private final @Nullable Batch[] underWay;
    /** Batches to be used again; at most two for each shard. */
    private final ArrayDeque<Batch> spare = new ArrayDeque<>();

    private boolean stalled;
    private boolean closed;
    private boolean draining;
    /** What runs when the shards were borrowed, or all earlier commands are done. */
    private @Nullable Command parked;

    private @Nullable Args parkedArgs;
    /** Whether {@link #parked} waits for earlier replies before it asks for shards. */
    private boolean waitsForEarlier;

    Conversation(Store store, Loop loop, long id) {
        super(id, store.now());
        this.store = store;
        this.loop = loop;
        this.filling = new Batch[store.loops().length];
        Journal journal = store.journal();
        this.outbox = journal == null ? null : new Outbox(this, journal);
        this.marks = new ReplyMarks(journal != null);
        this.underWay = new Batch[store.loops().length];
    }

    // ---- what kinds of clients differ in

    /** The next request that has arrived, or null; bad bytes are dealt with here. */
    abstract @Nullable Args next();

    /** Sends this output; the array is used again. */
    abstract void send(byte[] output, int length);

    /** Output that the client has not read, bytes; may be 0 while it is little. */
    abstract long unread();

    /** Whether the client takes no more output for now; requests then wait. */
    abstract boolean isClogged();

    /** A burst is over: looks whether to read on, and whether to close. */
    abstract void settle();

    /** It has ended: gives back what was counted for it. */
    void gone() {}

    // ---- taking requests

    /** Takes the requests that have arrived. */
    final void take() {
        while (!stalled && !closed && order.size() < MAX_PIPELINED && !cannotTake() && !holdsMuch()) {
            Args args = next();
            if (args == null) {
                break;
            }
            dispatch(args);
            if (out.length() >= HAND_ON_BYTES) {
                handOn();
            }
        }
    }

    /** Sends what is in {@link #out}, as soon as it may go, and empties it. */
    private void handOn() {
        Outbox box = outbox;
        if (box != null) {
            loop.commit(); // what this output tells of is in the log first
        }
        byte[] output = out.array();
        int length = out.length();
        out.reset(); // before sending, which may have this called again: when the channel takes output again
        if (box != null) {
            box.pass(output, length, marks);
        } else {
            send(output, length);
        }
    }

    /** More records are safe: sends what may go now; returns whether nothing is left. */
    final boolean released() {
        Outbox box = outbox;
        if (box == null || closed) {
            return true;
        }
        boolean wasFull = box.isFull();
        boolean left = box.release();
        if (wasFull && !box.isFull()) {
            unclogged();
        } else {
            settle();
        }
        return !left;
    }

    private boolean cannotTake() {
        Outbox box = outbox;
        return isClogged() || box != null && box.isFull();
    }

    /** Whether replies made here wait in number for earlier ones from other loops. */
    private boolean holdsMuch() {
        return local != null && local.replyBytes() >= Batch.MOST_REPLY_BYTES;
    }

    /** Ends a read burst: batches leave, output is sent. */
    final void endBurst() {
        submit();
        loop.commit();
        if (out.length() > 0) {
            handOn();
        }
        settle();
    }

    /** Goes on after a stall, or when the client takes output again. */
    @Override
    public final void goOn() {
        if (waiter() != null) {
            return;
        }
        stalled = false;
        resume();
    }

    final void resume() {
        if (closed || draining) {
            return;
        }
        draining = true; // what is delivered meanwhile does not come here again
        try {
            loop.begin();
            take();
            endBurst();
        } finally {
            draining = false;
        }
    }

    private void submit() {
        for (int i = 0; i < filling.length; i++) {
            Batch batch = filling[i];
            if (batch != null && underWay[i] == null) {
                filling[i] = null;
                underWay[i] = batch;
                batch.loop.submit(batch);
            }
        }
    }

    /** Sends the batches for the rest whose replies have gone out, and those that waited for them. */
    private void goOnWithBatches() {
        if (closed || cannotTake()) {
            return;
        }
        for (Batch batch : underWay) {
            if (batch != null && batch.isPaused()) {
                batch.goOn();
            }
        }
        submit();
    }

    private void dispatch(Args args) {
        Command command;
        try {
            command = find(args);
            active(loop.call.now(), command);
            check(command, args);
        } catch (ErrorReply refused) {
            if (args.is(0, "EXEC")) {
                abandon();
                refuse(execRefused(refused));
            } else {
                breakTransaction();
                refuse(refused);
            }
            return;
        }
        if (inTransaction() && !command.is(Command.NOT_QUEUED)) {
            try {
                if (command.is(Command.NO_MULTI)) {
                    breakTransaction();
                    throw new ErrorReply("ERR Command not allowed inside a transaction");
                }
                queue(command, args);
                sink().simple("QUEUED");
                sealed(false);
            } catch (ErrorReply refused) {
                refuse(refused);
            }
            return;
        }
        long shards = command.shards(args, this, store.sharding());
        boolean home = shards == 0 || command.is(Command.HOME);
        if (home && !order.isEmpty()) {
            park(command, args, true);
        } else if (shards == 0) {
            run(command, args, false);
        } else if ((shards & (shards - 1)) == 0) {
            Loop owner = store.loops()[Long.numberOfTrailingZeros(shards)];
            if (owner == loop && loop.isHome() && underWay[loop.index] == null && filling[loop.index] == null) {
                run(command, args, true);
            } else if (home) {
                park(command, args, false);
            } else {
                batch(owner).add(command, args);
                order.add(batch(owner));
            }
        } else {
            park(command, args, !order.isEmpty()); // a batch that was cut short must not be overtaken
        }
    }

    private Command find(Args args) {
        Command command = store.commands().find(args);
        if (command == null) {
            throw unknown(args);
        }
        if (!command.subcommands().isEmpty() && args.count() > 1) {
            Command sub = command.subcommands().get(args.text(1).toLowerCase(Locale.ROOT));
            if (sub == null) {
                throw new ErrorReply("ERR unknown subcommand '" + printable(args.text(1), 128) + "'. Try "
                        + command.name() + " HELP.");
            }
            command = sub;
        }
        if (!command.arityFits(args.count())) {
            command.usage().rejected();
            throw Errors.arity(command.fullName());
        }
        return command;
    }

    private static ErrorReply unknown(Args args) {
        StringBuilder with = new StringBuilder();
        for (int i = 1; i < args.count() && with.length() < 128; i++) {
            String argument = printable(args.text(i), 128 - with.length());
            with.append('\'').append(argument).append("' ");
        }
        return new ErrorReply(
                "ERR unknown command '" + printable(args.text(0), 128) + "', with args beginning with: " + with);
    }

    private static String printable(String text, int most) {
        String cut = text.length() > most ? text.substring(0, most) : text;
        return cut.replace('\r', ' ').replace('\n', ' ');
    }

    private void check(Command command, Args args) {
        if (!authenticated() && !command.is(Command.NO_AUTH)) {
            command.usage().rejected();
            throw new ErrorReply(Errors.NO_AUTH);
        }
        if (account() != null) {
            store.server().users().check(this, command, args, inTransaction() ? "multi" : "toplevel", loop.call.now());
        }
        if (protocol() == 2 && subscriptions() + watchCount() > 0 && !command.is(Command.WHILE_SUBSCRIBED)) {
            throw new ErrorReply("ERR Can't execute '" + command.fullName()
                    + "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context");
        }
        Journal journal = store.journal();
        if (journal != null
                && (command.is(Command.WRITE) || willWrite() && command.name().equals("EXEC"))) {
            String refusal = journal.refusal();
            if (refusal != null) {
                command.usage().rejected();
                throw new ErrorReply(refusal);
            }
        }
    }

    // ---- running

    private void run(Command command, Args args, boolean own) {
        loop.call.borrowed(0);
        int before = loop.call.effects().length();
        loop.call.execute(command, args, this, sink(), own ? loop.shard : null);
        ran(loop.call.effects().length() != before);
    }

    /** A command has run here: its reply is complete, or it waits. */
    private void ran(boolean wrote) {
        Waiter waiter = waiter();
        if (waiter == null) {
            sealed(wrote);
            return;
        }
        stalled = true;
        if (waiter.timeoutMillis() > 0) {
            timeout = loop.executor.schedule(
                    () -> giveUp(waiter, Waiting.State.TIMED_OUT), waiter.timeoutMillis(), TimeUnit.MILLISECONDS);
        }
    }

    /** Sets a command aside until earlier ones are done or shards are here. */
    private void park(Command command, Args args, boolean afterEarlier) {
        stalled = true;
        parked = command;
        parkedArgs = args.detach();
        waitsForEarlier = afterEarlier;
        submit();
        if (!afterEarlier) {
            borrow(command, parkedArgs);
        }
    }

    private void borrow(Command command, Args args) {
        shards = command.shards(args, this, store.sharding());
        if (shards == 0) {
            borrowed();
            goOn();
        } else {
            new Borrow(this, loop, shards).start();
        }
    }

    private long shards;
    private @Nullable ScheduledFuture<?> timeout;

    /** The shards of the parked command are here. */
    @Override
    public final void borrowed() {
        Command command = parked;
        Args args = parkedArgs;
        parked = null;
        parkedArgs = null;
        if (command == null || args == null || closed) {
            return;
        }
        loop.begin().borrowed(shards);
        int before = loop.call.effects().length();
        loop.call.execute(command, args, this, sink(), null);
        ran(loop.call.effects().length() != before);
        loop.commit();
    }

    // ---- replies

    /** Where the next reply is written: the output, or behind those that are still on their way. */
    private RespWriter sink() {
        if (order.isEmpty()) {
            out.protocol(protocol());
            begun = out.length();
            return out;
        }
        return localBatch().local();
    }

    /** The reply begun on {@link #sink} is complete. */
    private void sealed(boolean wrote) {
        if (order.isEmpty()) {
            written(begun);
            marks.add(out.length(), wrote);
        } else {
            Batch local = localBatch();
            local.sealed(wrote);
            order.add(local);
        }
    }

    /** Where in {@link #out} the reply begins that is being made there. */
    private int begun;

    /** A reply is complete in {@link #out}: it goes again if the client wants none. */
    private void written(int from) {
        if (swallows()) {
            out.truncate(from);
        }
    }

    private @Nullable Batch local;

    private Batch localBatch() {
        Batch batch = local;
        if (batch == null) {
            batch = fresh(loop);
            local = batch;
        }
        return batch;
    }

    /** Answers with an error, after the replies that are still on their way. */
    final void refuse(ErrorReply refused) {
        sink().error(refused);
        sealed(false);
    }

    private Batch batch(Loop owner) {
        Batch batch = filling[owner.index];
        if (batch == null) {
            batch = fresh(owner);
            filling[owner.index] = batch;
        }
        return batch;
    }

    private Batch fresh(Loop owner) {
        for (int i = spare.size(); i > 0; i--) {
            Batch batch = spare.remove();
            if (batch.loop == owner) {
                return batch;
            }
            spare.add(batch);
        }
        return new Batch(this, owner);
    }

    /** A batch has come back: what can be given now, in order, is given. */
    final void cameBack(Batch batch) {
        if (batch.hasRun()) {
            underWay[batch.loop.index] = null;
        }
        delivered();
    }

    private void delivered() {
        if (closed) {
            order.clear();
            return;
        }
        for (Batch batch; (batch = order.peek()) != null && batch.hasReply(); ) {
            order.remove();
            int from = out.length();
            boolean wrote = batch.nextWrote();
            boolean all = batch.take(out);
            written(from);
            marks.add(out.length(), wrote);
            if (all) {
                batch.reset();
                if (batch == local) {
                    local = null;
                }
                if (spare.size() < 2 * filling.length) {
                    spare.add(batch);
                }
            }
            if (out.length() >= HAND_ON_BYTES) {
                handOn();
            }
        }
        if (out.length() > 0) {
            handOn();
        }
        goOnWithBatches();
        if (order.isEmpty() && waitsForEarlier && parked != null && parkedArgs != null) {
            waitsForEarlier = false;
            borrow(parked, parkedArgs);
        } else if (!stalled) {
            resume();
        } else {
            settle();
        }
    }

    // ---- waiting

    @Override
    protected final void served(Waiter waiter, byte[] reply) {
        loop.execute(() -> {
            if (Long.bitCount(waiter.shards()) > 1) {
                forget(waiter); // who served it has only the shard of one key
            }
            wake(waiter, reply);
        });
    }

    /** Ends the waiting without an element. On this loop. */
    private void giveUp(Waiter waiter, Waiting.State how) {
        if (waiter.end(how)) {
            forget(waiter);
            wake(waiter, nothing(null));
        }
    }

    @Override
    public final boolean unblock(@Nullable String error) {
        Waiter waiter = waiter();
        if (waiter == null || !waiter.end(Waiting.State.UNBLOCKED)) {
            return false;
        }
        forget(waiter);
        served(waiter, nothing(error));
        return true;
    }

    /** The reply of one who got nothing. */
    private byte[] nothing(@Nullable String error) {
        RespWriter reply = new RespWriter();
        reply.protocol(protocol());
        if (error != null) {
            reply.error(error);
        } else {
            reply.nilArray();
        }
        return Arrays.copyOf(reply.array(), reply.length());
    }

    private void forget(Waiter waiter) {
        for (long left = waiter.shards(); left != 0; left &= left - 1) {
            store.loops()[Long.numberOfTrailingZeros(left)].submit(at -> {
                at.shard.waiters().forget(waiter);
                at.commit();
            });
        }
    }

    private void wake(Waiter waiter, byte[] reply) {
        if (waiter() != waiter || closed) {
            return;
        }
        waitsNoMore();
        ScheduledFuture<?> timer = timeout;
        if (timer != null) {
            timer.cancel(false);
            timeout = null;
        }
        out.raw(reply, 0, reply.length);
        written(out.length() - reply.length);
        marks.add(out.length(), true);
        goOn();
    }

    /** Lets a client that waits go, because the store drains. On this loop. */
    final void stopWaiting() {
        Waiter waiter = waiter();
        if (waiter != null) {
            giveUp(waiter, Waiting.State.TIMED_OUT);
        }
    }

    // ---- pushes

    /** Pushes for a client that takes no output: the latest of each watch. Bounded by the watches of the client. */
    private final Map<Watcher, WatchedQuery.Push> late = new LinkedHashMap<>();

    private boolean toSend;

    @Override
    public final int loop() {
        return loop.index;
    }

    @Override
    protected final void left(Watcher watcher, int home) {
        late.remove(watcher);
        store.loops()[home].submit(at -> {
            at.shard.watches().leave(watcher);
            at.commit();
        });
    }

    /** A watched query has changed. On this loop, between replies. */
    final void push(Watcher watcher, WatchedQuery.Push push) {
        if (!watcher.watching()) {
            return;
        }
        if (cannotTake()) {
            late.put(watcher, push);
            return;
        }
        byte[] bytes = push.bytesFor(watcher);
        out.raw(bytes, 0, bytes.length);
        marks.add(out.length(), false);
        if (push.isLast()) {
            stopWatching(watcher);
        }
        if (!toSend) {
            toSend = true;
            loop.execute(this::sendPushes);
        }
    }

    /** A message for a subscriber, which is neither coalesced nor dropped: a client that lags too far is closed. */
    @Override
    public final void push(byte[] bytes) {
        if (closed) {
            return;
        }
        if (unread() > MAX_UNREAD_BYTES) {
            store.server().lagged();
            kill();
            return;
        }
        out.raw(bytes, 0, bytes.length);
        marks.add(out.length(), false);
        if (out.length() >= HAND_ON_BYTES) {
            handOn();
        } else if (!toSend) {
            toSend = true;
            loop.execute(this::sendPushes);
        }
    }

    private void sendPushes() {
        toSend = false;
        if (!closed && out.length() > 0) {
            handOn();
        }
    }

    /** The client takes output again: what was held back for it goes first. */
    final void unclogged() {
        while (!late.isEmpty() && !cannotTake()) {
            Map.Entry<Watcher, WatchedQuery.Push> first =
                    late.entrySet().iterator().next();
            late.remove(first.getKey());
            push(first.getKey(), first.getValue());
        }
        goOnWithBatches();
        resume();
    }

    // ---- the end

    /** Whether further requests are taken. */
    final boolean isTaking() {
        return !stalled && order.size() < MAX_PIPELINED && (outbox == null || !outbox.isFull());
    }

    final boolean isClosed() {
        return closed;
    }

    /** Whether nothing of it is under way. */
    final boolean isIdle() {
        return order.isEmpty() && !stalled && (outbox == null || outbox.isEmpty());
    }

    /** The client is gone: what it watches is given up. On its loop. */
    final void ended() {
        if (closed) {
            return;
        }
        closed = true;
        gone();
        if (outbox != null) {
            outbox.drop();
        }
        Waiter waiter = waiter();
        if (waiter != null) {
            waiter.end(Waiting.State.CLOSED);
            forget(waiter);
            ScheduledFuture<?> timer = timeout;
            if (timer != null) {
                timer.cancel(false);
            }
        }
        stopWatching();
        late.clear();
        store.server().ended(this);
        store.server().audience().of(loop.index).leave(this);
        abandon();
    }

    /** Gives up the transaction and what it watches. */
    private void abandon() {
        for (Watched each : abandonTransaction()) {
            store.loops()[each.shard()].submit(at -> at.shard.unwatch(each.key()));
        }
    }
}
