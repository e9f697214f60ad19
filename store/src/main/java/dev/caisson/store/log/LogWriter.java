package dev.caisson.store.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Writes and forces, one {@link #step} at a time: a thread calls it in production, a simulation with a virtual clock in
 * tests. Nothing here starts a thread or looks at a clock.
 *
 * <pre>
 *              a write or force failed
 *   WRITING ----------------------------> FAILING --+ retryEvery: again, into a new segment
 *      ^                                    |  ^    |
 *      '------ written and forced ----------'  '----'
 * </pre>
 *
 * <pre>
 *   queue --take--> waiting --write--> written --force--> safe: released
 *                      ^                  |
 *                      '---- a failure ---'
 * </pre>
 */
final class LogWriter {
    /*
     * Ownership: all but the volatile fields belongs to the stepping thread. A ticket's bytes are kept until they are safe, so
     * that after a failure everything that is in doubt can be written again, to a new file. The file whose write or force
     * failed is closed and never written or believed again: the next segment begins with the first record that is not safe,
     * and recovery reads the old one only up to there.
     */

    /** With {@link Sync#EVERYSEC} and {@link Sync#NO}, records gather that long before they are written. */
    static final long GATHER_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    static final long SECOND_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** What {@link #step} returns when only a new ticket gives it something to do. */
    static final long NOTHING_TO_DO = Long.MAX_VALUE;

    /** More than this many bytes are written without gathering. */
    static final long GATHER_BYTES = 256 << 10;

    private static final int STAGING_BYTES = 256 << 10;

    private final LogFiles files;
    private final LogOptions options;
    private final Tickets tickets;
    private final LogMeter meter;
    private final ArrayDeque<Ticket> waiting = new ArrayDeque<>();
    private final ArrayDeque<Ticket> written = new ArrayDeque<>();
    private final ByteBuffer staging = ByteBuffer.allocateDirect(STAGING_BYTES);

    private @Nullable LogFile segment;
    private byte[] salt = Binary.salt(0);
    private long segmentSize;
    private long writtenTo;
    private long writtenBytes;
    private long retryAt;

    private volatile long durable;
    private volatile @Nullable LogFailure failure;
    /** When the oldest record that is not safe was appended; {@code Long.MAX_VALUE} if all are. */
    private volatile long oldestNanos = Long.MAX_VALUE;
    /** The first index of the segment that is being written; {@code Long.MAX_VALUE} for none. */
    private volatile long openSegment = Long.MAX_VALUE;

    /** The last index in the segment that was closed last. */
    private volatile long closedTo;

    private volatile long forceTo;
    private volatile long rotateAfter;

    LogWriter(LogFiles files, LogOptions options, Tickets tickets, LogMeter meter) {
        this.files = files;
        this.options = options;
        this.tickets = tickets;
        this.meter = meter;
        durable = tickets.last();
        writtenTo = durable;
        closedTo = durable;
    }

    // ---- any thread

    long durable() {
        return durable;
    }

    @Nullable
    LogFailure failure() {
        return failure;
    }

    /** Whether no segment that holds a later record than that index can have begun before or at it. */
    boolean cutIsDone(long index) {
        return closedTo <= index && openSegment > index;
    }

    /** Whether the oldest record that is not safe has waited longer than {@link Sync#EVERYSEC} may. */
    private boolean behind(long now) {
        long oldest = oldestNanos;
        return oldest != Long.MAX_VALUE && now - oldest > 2 * SECOND_NANOS;
    }

    /** What is known of a record and all before it. */
    Fate fate(long index, long now) {
        if (index <= durable) {
            return Fate.KEPT;
        }
        LogFailure broken = failure;
        if (broken != null && index <= broken.upTo()) {
            return index <= durable ? Fate.KEPT : Fate.DOUBTFUL;
        }
        return switch (options.sync()) {
            case ALWAYS -> Fate.PENDING;
            case EVERYSEC -> behind(now) ? Fate.PENDING : Fate.KEPT;
            case NO -> Fate.KEPT;
        };
    }

    /** Asks for the records up to an index to be forced whatever the policy, and for none of them to share a segment with later ones. */
    void cutAfter(long index) {
        rotateAfter = Math.max(rotateAfter, index);
        forceTo = Math.max(forceTo, index);
    }

    // ---- the stepping thread

    /** Whether somebody asked for a force or a cut that is not done. */
    boolean asked() {
        return failure == null && (forceTo > durable || rotationDue());
    }

    /**
     * Does what is due.
     *
     * @param now by the monotonic clock, in nanoseconds
     * @return after how many nanoseconds there is something to do again; see {@link #gathering} for whether a new ticket is
     *     worth waking for before
     */
    long step(long now) {
        tickets.take(waiting);
        noteOldest();
        if (failure != null) {
            return retryAt - now > 0 ? retryAt - now : attempt(now, true);
        }
        if (waiting.isEmpty() && written.isEmpty() && forceTo <= durable && !rotationDue()) {
            return NOTHING_TO_DO;
        }
        return attempt(now, false);
    }

    /** Whether a step left tickets unwritten on purpose, for others to join them. */
    boolean gathering() {
        return !waiting.isEmpty();
    }

    private long attempt(long now, boolean again) {
        try {
            return again ? tryAgain() : work(now);
        } catch (IOException | RuntimeException | OutOfMemoryError broken) {
            fail(now, broken);
            return Math.max(1, retryAt - now);
        }
    }

    private long tryAgain() throws IOException {
        writeAll();
        force();
        failure = null;
        meter.recovered();
        meter.wakeAll();
        return 0;
    }

    private long work(long now) throws IOException {
        boolean forceAsked = forceTo > durable || rotationDue();
        long gatherFor = forceAsked ? 0 : gatherFor(now);
        if (gatherFor <= 0) {
            writeAll();
        }
        long forceIn = forceAsked ? 0 : forceIn(now);
        if (forceIn <= 0) {
            force();
            if (rotationDue()) {
                closeSegment();
            }
            forceIn = NOTHING_TO_DO;
        }
        return waiting.isEmpty() ? forceIn : Math.min(gatherFor, forceIn);
    }

    private long gatherFor(long now) {
        if (waiting.isEmpty()) {
            return NOTHING_TO_DO;
        }
        if (options.sync() == Sync.ALWAYS || meter.unwrittenBytes() >= GATHER_BYTES) {
            return 0;
        }
        return waiting.getFirst().nanos + GATHER_NANOS - now;
    }

    private long forceIn(long now) {
        if (written.isEmpty()) {
            return NOTHING_TO_DO;
        }
        return switch (options.sync()) {
            case ALWAYS -> 0;
            case EVERYSEC -> writtenBytes >= options.forceBytes() ? 0 : written.getFirst().nanos + SECOND_NANOS - now;
            case NO -> writtenBytes >= options.forceBytes() ? 0 : NOTHING_TO_DO;
        };
    }

    private boolean rotationDue() {
        return segment != null && openSegment <= rotateAfter && writtenTo >= rotateAfter;
    }

    private void writeAll() throws IOException {
        int staged = 0;
        while (staged < waiting.size()) {
            staged = 0;
            for (Ticket ticket : waiting) {
                if (segmentFull(ticket)) {
                    break;
                }
                if (segment == null) {
                    beginSegment(ticket.first);
                }
                stage(ticket);
                staged++;
            }
            flushStaging();
            for (; staged > 0; staged--) {
                wrote(waiting.removeFirst());
            }
            if (!waiting.isEmpty()) {
                closeSegment();
            }
        }
    }

    private boolean segmentFull(Ticket next) {
        return segment != null
                && (segmentSize >= options.segmentBytes() || openSegment <= rotateAfter && next.first > rotateAfter);
    }

    private void stage(Ticket ticket) throws IOException {
        Ticket.Records records = ticket.records();
        Segment.stamp(records, ticket.first, durable, salt);
        segmentSize += records.length();
        for (int at = 0; at < records.length(); ) {
            int part = Math.min(staging.remaining(), records.length() - at);
            staging.put(records.bytes(), at, part);
            at += part;
            if (!staging.hasRemaining()) {
                flushStaging();
            }
        }
    }

    private void flushStaging() throws IOException {
        LogFile file = segment;
        if (file != null && staging.position() > 0) {
            FolderWriting.writeFully(file, staging.flip());
        }
        staging.clear();
    }

    private void wrote(Ticket ticket) {
        writtenTo = ticket.last;
        written.addLast(ticket);
        int bytes = ticket.records().length();
        writtenBytes += bytes;
        meter.wrote(bytes);
    }

    private void release(Ticket ticket) {
        int bytes = ticket.records().length();
        ticket.release();
        meter.safe(bytes);
    }

    /** A segment is begun when all before it is forced; its header and its name are on the disk before its first record. */
    private void beginSegment(long first) throws IOException {
        String name = Segment.name(first);
        files.delete(name); // one whose first write failed
        LogFile file = files.create(name);
        segment = file;
        openSegment = first;
        salt = Binary.salt(options.salts().getAsLong());
        segmentSize = FileHeader.BYTES;
        FolderWriting.writeFully(file, ByteBuffer.wrap(new FileHeader(Segment.MAGIC, first, salt).encoded()));
        file.force();
        files.forceFolder();
        meter.began();
    }

    private void force() throws IOException {
        LogFile file = segment;
        if (file != null && writtenTo > durable) {
            long began = options.nanos().getAsLong();
            file.force();
            meter.forced(options.nanos().getAsLong() - began);
        }
        if (writtenTo > durable) {
            durable = writtenTo;
            written.forEach(this::release);
            written.clear();
            writtenBytes = 0;
            noteOldest();
            meter.wakeAll();
        }
    }

    private void closeSegment() throws IOException {
        LogFile file = segment;
        if (file != null) {
            force();
            segment = null;
            closedTo = writtenTo;
            openSegment = Long.MAX_VALUE;
            file.close();
        }
    }

    private void noteOldest() {
        Ticket oldest = written.isEmpty() ? waiting.peekFirst() : written.peekFirst();
        oldestNanos = oldest == null ? Long.MAX_VALUE : oldest.nanos;
    }

    private void fail(long now, Throwable broken) {
        LogFile file = segment;
        String name = openSegment == Long.MAX_VALUE ? files.describe() : files.describe(Segment.name(openSegment));
        segment = null;
        openSegment = Long.MAX_VALUE;
        staging.clear();
        if (file != null) {
            try {
                file.close();
            } catch (IOException second) {
                broken.addSuppressed(second);
            }
        }
        while (!written.isEmpty()) {
            waiting.addFirst(written.removeLast());
        }
        meter.wrote(-writtenBytes);
        writtenBytes = 0;
        writtenTo = durable;
        retryAt = now + options.retryEvery().toNanos();
        String what = broken.getMessage();
        String reason = "writing " + name + " failed: " + (what == null ? broken.toString() : what);
        failure = new LogFailure(reason, tickets.last());
        meter.failed(reason, broken);
        meter.wakeAll();
    }

    /**
     * Writes and forces what is left, seals the segment and closes it. Nothing is appended any more.
     *
     * @throws IOException if that fails; what was not safe stays in doubt
     */
    void finish() throws IOException {
        tickets.close(waiting);
        noteOldest();
        try {
            writeAll();
            force();
            LogFile file = segment;
            if (file != null) {
                FolderWriting.writeFully(file, ByteBuffer.wrap(Segment.seal(durable, salt)));
                file.force();
            }
            failure = null;
        } catch (IOException | RuntimeException broken) {
            fail(options.nanos().getAsLong(), broken);
            throw broken;
        } finally {
            abandon();
            meter.wakeAll();
        }
    }

    private void abandon() {
        LogFile file = segment;
        segment = null;
        openSegment = Long.MAX_VALUE;
        if (file != null) {
            try {
                file.close();
            } catch (IOException lost) {
                meter.failed("closing a segment failed: " + lost.getMessage(), lost);
            }
        }
        waiting.forEach(this::release);
        waiting.clear();
    }
}
