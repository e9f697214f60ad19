package dev.caisson.store.log;

import dev.caisson.scope.Hold;
import dev.caisson.scope.Kind;
import dev.caisson.scope.Origins;
import dev.caisson.scope.Scope;
import dev.caisson.scope.ScopeOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The log of a store: one order for the records of all shards, and one thread that writes and forces them.
 *
 * <pre>{@code
 * Log log = Log.open(scope, FolderFiles.of(folder), LogOptions.defaults(), engine);
 * String refusal = log.refusal();              // before a command is executed
 * batch.begin(millis, seed); batch.put(...); batch.end();
 * long index = log.append(batch);              // once a turn of the event loop; never blocks
 * if (log.fate(index) == Fate.PENDING) ...     // hold the replies, arm the waker
 * }</pre>
 *
 * <pre>
 *   open: lock, recover --> WRITING <--> FAILING      WRITING: appends are written and forced
 *              |               |            |         FAILING: refused; what is in doubt is tried again, in a new file
 *              v               '----close---'
 *            closed <----------- closing              closing: writes and forces what was appended
 * </pre>
 *
 * What it guarantees:
 *
 * <ul>
 *   <li><b>One order.</b> Records get indices from 1 on without a gap; the order of the indices is the order in the files.
 *   <li><b>Never blocks.</b> {@link #append}, {@link #fate} and {@link #refusal} wait for no lock, thread or disk.
 *   <li><b>Bounded.</b> What waits in memory is counted, and {@link #refusal} speaks up beyond the bound: asked before each
 *       command, it can be passed only by what was being executed at that moment.
 *   <li><b>Safe means safe.</b> {@link Fate#KEPT} is what {@link Sync} promises, and a file whose write or force failed is
 *       never trusted again.
 *   <li><b>No guess.</b> Recovery gives every record up to the last that was safe, in order, or refuses.
 * </ul>
 *
 * <p>Owned by the scope that it is opened in: closing that, or this, joins the thread. Thread-safe.
 */
public final class Log implements AutoCloseable {
    /*
     * The thread sleeps in one of two ways. IDLE: nothing is unwritten, and the next append wakes it. GATHERING: something is
     * unwritten and may wait a few milliseconds for company, so that appends wake it only when there are many bytes. It says
     * how it is going to sleep, looks once more, and then parks; an appender appends, then looks how it sleeps: one of the two
     * sees the other. Both fields are volatile.
     */
    static final Kind LOG = Kind.of("log", Origins.ALWAYS);
    static final Kind THREAD = Kind.of("log thread", Origins.ALWAYS);
    static final Kind FOLDER = Kind.of("locked folder", Origins.ALWAYS);

    private static final System.Logger LOGGER = System.getLogger("dev.caisson.store");

    private static final int AWAKE = 0;
    private static final int GATHERING = 1;
    private static final int IDLE = 2;

    private final Scope scope;
    private final LogFiles files;
    private final LogOptions options;
    private final Recovered recovered;
    private final Tickets tickets;
    private final LogMeter meter;
    private final LogWriter writer;
    private final Thread thread;

    private volatile int sleep = AWAKE;
    private volatile boolean closing;
    private volatile boolean ended;
    private volatile @Nullable Exception endedBy;
    /** What the segments held when the log was opened, less what was appended up to the newest snapshot, in bytes. */
    private volatile long sizeOffset;

    private final AtomicBoolean snapshotRuns = new AtomicBoolean();

    private Log(Scope scope, LogFiles files, LogOptions options, Recovered recovered) {
        this.scope = scope;
        this.files = files;
        this.options = options;
        this.recovered = recovered;
        tickets = Tickets.after(recovered.last());
        meter = new LogMeter(options.budget());
        writer = new LogWriter(files, options, tickets, meter);
        sizeOffset = recovered.logBytes();
        thread = Thread.ofPlatform().name("caisson-log").daemon().unstarted(this::run);
    }

    /**
     * Locks the folder, reads what is there into the sink, and starts the thread.
     *
     * @param owner ends the log when it closes
     * @throws CorruptLogException if a file is damaged where no loss of power explains it; nothing was changed
     * @throws IOException if the folder is in use, or can not be read or written
     */
    public static Log open(Scope owner, LogFiles files, LogOptions options, RecoverySink sink) throws IOException {
        Scope scope =
                owner.child("log " + files.describe(), ScopeOptions.defaults().kind(LOG));
        try {
            scope.hold(FOLDER, files.describe(), files.lock(), (lock, within) -> lock.close());
            Recovered recovered = Recovery.run(files, sink);
            recovered.warnings().forEach(warning -> LOGGER.log(System.Logger.Level.WARNING, warning));
            Log log = new Log(scope, files, options, recovered);
            scope.hold(THREAD, log.thread.getName(), log, Log::end);
            log.thread.start();
            return log;
        } catch (Throwable failure) {
            scope.close(Duration.ofSeconds(10)).failures().forEach(one -> failure.addSuppressed(one.error()));
            throw failure;
        }
    }

    /** What opening found. */
    public Recovered recovered() {
        return recovered;
    }

    /**
     * Why nothing may be written now, for people; null if it may. Ask before a command is executed that may write: an
     * executed command can not be refused any more.
     */
    public @Nullable String refusal() {
        LogFailure failure = writer.failure();
        if (failure != null) {
            return failure.reason();
        }
        if (closing) {
            return "the log is closed";
        }
        long unsafe = meter.unsafeBytes();
        if (unsafe > options.maxUnsafeBytes()) {
            return "the disk is " + unsafe + " bytes behind, more than " + options.maxUnsafeBytes();
        }
        return null;
    }

    /**
     * Takes the records of a batch, which is empty afterwards, and gives them the next indices. Records of one shard must be
     * appended in the order in which they were made; a loop that lends a shard appends before it does.
     *
     * @return the index of the last one
     * @throws IllegalStateException if the log is closed
     */
    public long append(Batch batch) {
        int bytes = batch.length();
        meter.appended(bytes);
        long index = tickets.append(batch, options.nanos().getAsLong());
        if (index == 0) {
            meter.appended(-bytes);
            throw new IllegalStateException("the log is closed: nothing can be appended");
        }
        int how = sleep;
        if (how == IDLE || how == GATHERING && meter.unwrittenBytes() >= LogWriter.GATHER_BYTES) {
            wake();
        }
        return index;
    }

    private void wake() {
        sleep = AWAKE;
        LockSupport.unpark(thread);
    }

    /** The index of the newest record. What anybody has seen of the store by now stands in records up to it. */
    public long lastIndex() {
        return tickets.last();
    }

    /** Up to where everything is forced. */
    public long durableIndex() {
        return writer.durable();
    }

    /** What is known of a record and all before it. */
    public Fate fate(long index) {
        if (ended) {
            return index <= writer.durable() ? Fate.KEPT : Fate.DOUBTFUL;
        }
        return writer.fate(index, options.nanos().getAsLong());
    }

    /** Why records are refused, if a write or force failed and did not succeed since. */
    public @Nullable LogFailure failure() {
        return writer.failure();
    }

    /** Has code run, on the log's thread, after what is safe has changed, whenever it was {@link Waker#arm armed}. The code must not block. */
    public Waker onChange(Runnable code) {
        Waker waker = new Waker(this, code);
        meter.add(waker);
        return waker;
    }

    void forget(Waker waker) {
        meter.remove(waker);
    }

    /**
     * Begins a snapshot of what the records up to {@link #lastIndex} came to. Call it at the one moment when every shard has
     * appended all that it did; the shards then hand over what they held at that moment, in blocks.
     *
     * @throws IllegalStateException if one is being written
     */
    public Snapshot snapshot() {
        if (!snapshotRuns.compareAndSet(false, true)) {
            throw new IllegalStateException("a snapshot is being written");
        }
        long index = tickets.last();
        long appendedBefore = meter.appendedBytes();
        Snapshot snapshot = new Snapshot(index);
        writer.cutAfter(index);
        wake();
        try {
            // joined after the task: a task that is cancelled before it begins tells nobody
            Hold<?> end = scope.onClose("end of snapshot " + index, snapshot::tell);
            scope.fork("snapshot " + index, () -> {
                try {
                    snapshot.write(files, options.salts().getAsLong(), this);
                    sizeOffset = -appendedBefore;
                } finally {
                    snapshotRuns.set(false);
                    end.release();
                    snapshot.tell();
                }
            });
        } catch (RuntimeException closed) {
            snapshotRuns.set(false);
            throw closed;
        }
        return snapshot;
    }

    /** Whether every segment on the disk has records up to that index only, or after it only. */
    boolean cutIsDone(long index) {
        return writer.cutIsDone(index);
    }

    /** The figures of this moment. */
    public LogStats stats() {
        LogFailure failure = writer.failure();
        return new LogStats(
                options.sync(),
                tickets.last(),
                writer.durable(),
                meter.appendedBytes(),
                meter.unsafeBytes(),
                sizeOffset + meter.appendedBytes(),
                meter.forces(),
                Duration.ofNanos(meter.longestForceNanos()),
                meter.failures(),
                failure == null ? "" : failure.reason());
    }

    private void run() {
        try {
            while (!closing) {
                long wait = writer.step(options.nanos().getAsLong());
                if (wait > 0) {
                    rest(wait);
                }
            }
            writer.finish();
        } catch (IOException | RuntimeException | Error failure) {
            endedBy = failure instanceof Exception told ? told : new IllegalStateException(failure);
        } finally {
            ended = true;
            meter.wakeAll();
        }
    }

    private void rest(long nanos) {
        boolean gathering = writer.gathering();
        sleep = gathering ? GATHERING : IDLE;
        boolean news = gathering ? meter.unwrittenBytes() >= LogWriter.GATHER_BYTES : !tickets.isEmpty();
        if (!closing && !writer.asked() && (!news || writer.failure() != null)) {
            LockSupport.parkNanos(this, nanos);
        }
        sleep = AWAKE;
    }

    private void end(Duration within) throws Exception {
        closing = true;
        if (thread.getState() == Thread.State.NEW) {
            return; // the scope closed before it was started
        }
        wake();
        if (!thread.join(within.dividedBy(4).multipliedBy(3))) {
            thread.interrupt(); // gives up the file that it hangs on
            if (!thread.join(within.dividedBy(8))) {
                throw new IOException("the log's thread still writes to " + files.describe());
            }
        }
        Exception failure = endedBy;
        if (failure != null) {
            throw failure;
        }
    }

    /** Writes, forces and seals what was appended, and gives the folder back, within the scope's time. */
    @Override
    public void close() {
        scope.close();
    }

    @Override
    public String toString() {
        return "log " + files.describe() + " (record " + tickets.last() + ", durable " + writer.durable() + ")";
    }
}
