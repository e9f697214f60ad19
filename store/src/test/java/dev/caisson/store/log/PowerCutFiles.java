package dev.caisson.store.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import java.util.random.RandomGenerator;

/**
 * A folder whose power can be cut. Of a file, what was forced survives for sure; of the rest a random prefix, torn anywhere,
 * or, as a disk may do, random pages of it. Of the names, those survive that were there when the folder was forced, and a
 * random prefix of the changes since.
 *
 * <p>It also fails on demand: writes that take less than they were given, ENOSPC, EIO on write, force, rename. After a force
 * that failed, some of its bytes are on the disk and the others never will be, though reading still shows them and the next
 * force says yes: that is how systems behave.
 *
 * <p>One thread.
 */
class PowerCutFiles implements LogFiles {
    /** The machine stopped: nobody may catch this on the way. */
    static final class PowerCut extends Error {
        private static final long serialVersionUID = 1;

        PowerCut() {
            super("the power is off", null, false, false);
        }
    }

    /** How likely each trouble is, for each call. */
    record Trouble(double shortWrite, double noSpace, double writeError, double forceError, double nameError) {
        static final Trouble NONE = new Trouble(0, 0, 0, 0, 0);
        static final Trouble SHORT_WRITES = new Trouble(0.3, 0, 0, 0, 0);
        static final Trouble ALL = new Trouble(0.2, 0.02, 0.02, 0.05, 0.03);
    }

    private static final int PAGE = 512;

    private record Range(int from, int to) {}

    private static final class Inode {
        byte[] seen = new byte[0];
        byte[] kept = new byte[0];
        List<Range> unforced = new ArrayList<>();

        void write(byte[] bytes) {
            int from = seen.length;
            seen = Arrays.copyOf(seen, from + bytes.length);
            System.arraycopy(bytes, 0, seen, from, bytes.length);
            unforced.add(new Range(from, seen.length));
        }

        void keep(int from, int to) {
            if (to > from) {
                kept = Arrays.copyOf(kept, Math.max(kept.length, to));
                System.arraycopy(seen, from, kept, from, to - from);
            }
        }
    }

    /** One change of the names, which happens whole or not at all: a name that is there now, one that is not, or both. */
    private record Naming(String there, Inode inode, String gone) {}

    private final RandomGenerator random;
    private final LongConsumer spend;
    private final Map<String, Inode> names = new LinkedHashMap<>();
    private final Map<String, Inode> keptNames = new LinkedHashMap<>();
    private final List<Naming> unforcedNames = new ArrayList<>();
    private Trouble trouble = Trouble.NONE;
    private Runnable duringForce = () -> {};
    private long maxForceNanos;
    private int callsToCut = Integer.MAX_VALUE;
    private boolean off;
    private boolean locked;

    /** An empty folder; {@code spend} is told how many nanoseconds of virtual time each call takes. */
    PowerCutFiles(RandomGenerator random, LongConsumer spend) {
        this.random = random;
        this.spend = spend;
    }

    void trouble(Trouble now) {
        trouble = now;
    }

    void forcesTakeUpTo(long nanos, Runnable meanwhile) {
        maxForceNanos = nanos;
        duringForce = meanwhile;
    }

    /** Cuts the power in the middle of the n-th call from now. */
    void cutIn(int calls) {
        callsToCut = calls;
    }

    /** The folder as the machine finds it after the cut. */
    void cut() {
        Map<String, Inode> left = new LinkedHashMap<>(keptNames);
        int survive = random.nextInt(unforcedNames.size() + 1);
        for (Naming one : unforcedNames.subList(0, survive)) {
            if (one.gone() != null) {
                left.remove(one.gone());
            }
            if (one.there() != null) {
                left.put(one.there(), one.inode());
            }
        }
        names.clear();
        keptNames.clear();
        unforcedNames.clear();
        boolean torn = random.nextBoolean();
        left.forEach((name, inode) -> {
            Inode after = new Inode();
            survivors(inode, torn);
            after.kept = inode.kept.clone();
            after.seen = inode.kept.clone();
            names.put(name, after);
            keptNames.put(name, after);
        });
        restart();
    }

    /** The folder as a new process finds it after the old one was killed: nothing is lost, and nothing is more forced. */
    void restart() {
        off = false;
        locked = false;
        callsToCut = Integer.MAX_VALUE;
    }

    private void survivors(Inode inode, boolean torn) {
        if (torn) {
            int bytes = inode.unforced.stream().mapToInt(r -> r.to() - r.from()).sum();
            int left = random.nextInt(bytes + 1);
            for (Range range : inode.unforced) {
                int to = Math.min(range.to(), range.from() + left);
                inode.keep(range.from(), to);
                left -= to - range.from();
            }
            return;
        }
        for (Range range : inode.unforced) {
            for (int from = range.from(); from < range.to(); ) {
                int to = Math.min(range.to(), (from / PAGE + 1) * PAGE);
                if (random.nextBoolean()) {
                    inode.keep(from, to);
                }
                from = to;
            }
        }
    }

    private void call() {
        if (off) {
            throw new PowerCut();
        }
        if (--callsToCut <= 0) {
            off = true;
            throw new PowerCut();
        }
        spend.accept(random.nextLong(20_000));
    }

    private boolean happens(double likely) {
        return likely > 0 && random.nextDouble() < likely;
    }

    private Inode inode(String name) throws IOException {
        Inode inode = names.get(name);
        if (inode == null) {
            throw new IOException(name + ": no such file");
        }
        return inode;
    }

    /** The bytes of a file as a process sees them, to be changed by a test that damages. */
    byte[] bytes(String name) throws IOException {
        return inode(name).seen;
    }

    void replace(String name, byte[] bytes) {
        Inode inode = new Inode();
        inode.seen = bytes.clone();
        inode.kept = bytes.clone();
        names.put(name, inode);
        keptNames.put(name, inode);
    }

    /** Another folder with the same files, all of them forced. */
    PowerCutFiles copy() {
        PowerCutFiles other = new PowerCutFiles(random, spend);
        names.forEach((name, inode) -> other.replace(name, inode.seen));
        return other;
    }

    @Override
    public List<String> list() {
        call();
        return List.copyOf(names.keySet());
    }

    @Override
    public LogFile create(String name) throws IOException {
        call();
        if (names.containsKey(name)) {
            throw new IOException(name + ": file exists");
        }
        if (happens(trouble.nameError())) {
            throw new IOException("EIO: create " + name);
        }
        Inode inode = new Inode();
        names.put(name, inode);
        unforcedNames.add(new Naming(name, inode, null));
        return new Opened(inode);
    }

    @Override
    public LogFile open(String name) throws IOException {
        call();
        return new Opened(inode(name));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        call();
        Inode inode = inode(from);
        if (happens(trouble.nameError())) {
            throw new IOException("EIO: rename " + from);
        }
        names.remove(from);
        names.put(to, inode);
        unforcedNames.add(new Naming(to, inode, from));
    }

    @Override
    public void delete(String name) {
        call();
        if (names.remove(name) != null) {
            unforcedNames.add(new Naming(null, null, name));
        }
    }

    @Override
    public void forceFolder() throws IOException {
        call();
        if (happens(trouble.forceError())) {
            throw new IOException("EIO: force the folder");
        }
        keptNames.clear();
        keptNames.putAll(names);
        unforcedNames.clear();
    }

    @Override
    public AutoCloseable lock() throws IOException {
        if (locked) {
            throw new IOException("the folder is in use");
        }
        locked = true;
        return () -> locked = false;
    }

    @Override
    public String describe(String name) {
        return "folder/" + name;
    }

    @Override
    public String describe() {
        return "folder";
    }

    /** Overridden by a double that only says it forced. */
    void persist(Inodes file) {
        file.keepAll();
    }

    /** What a double may do with a file that is forced. */
    interface Inodes {
        void keepAll();
    }

    private final class Opened implements LogFile {
        private final Inode inode;

        Opened(Inode inode) {
            this.inode = inode;
        }

        @Override
        public int write(ByteBuffer bytes) throws IOException {
            if (callsToCut == 1) {
                take(bytes, random.nextInt(bytes.remaining() + 1)); // the power goes in the middle of it
            }
            call();
            if (happens(trouble.writeError())) {
                throw new IOException("EIO: write");
            }
            if (happens(trouble.noSpace())) {
                take(bytes, random.nextInt(bytes.remaining()));
                throw new IOException("ENOSPC: no space left on device");
            }
            return take(
                    bytes, happens(trouble.shortWrite()) ? 1 + random.nextInt(bytes.remaining()) : bytes.remaining());
        }

        private int take(ByteBuffer bytes, int count) {
            byte[] part = new byte[count];
            bytes.get(part);
            inode.write(part);
            return count;
        }

        @Override
        public void force() throws IOException {
            call();
            if (maxForceNanos > 0) {
                duringForce.run();
                spend.accept(random.nextLong(maxForceNanos));
            }
            if (happens(trouble.forceError())) {
                survivors(inode, random.nextBoolean());
                inode.unforced.clear(); // the system calls those pages clean from now on
                throw new IOException("EIO: force");
            }
            persist(() -> {
                for (Range range : inode.unforced) {
                    inode.keep(range.from(), range.to());
                }
                inode.unforced.clear();
            });
        }

        @Override
        public long size() {
            call();
            return inode.seen.length;
        }

        @Override
        public int read(ByteBuffer into, long position) {
            call();
            if (position >= inode.seen.length) {
                return -1;
            }
            int count = (int) Math.min(into.remaining(), inode.seen.length - position);
            into.put(inode.seen, (int) position, count);
            return count;
        }

        @Override
        public void close() {}
    }
}
