package dev.caisson.store.log;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;

/** The files of a real folder. Holds nothing open by itself. */
public final class FolderFiles implements LogFiles {
    /*
     * The lock is a POSIX record lock: it belongs to the process, and closing ANY descriptor of the locked file gives it up.
     * So the file `lock` is opened once only, its holder stands in a file of its own, and a second log in this process is
     * recognised by that file before `lock` is touched.
     */
    private static final String LOCK = "lock";

    private static final String HOLDER = "lock.holder";

    private final Path folder;

    private FolderFiles(Path folder) {
        this.folder = folder;
    }

    /**
     * The files of a folder, which is made if it is missing.
     *
     * @throws IOException if it can not be made, or is no folder
     */
    public static FolderFiles of(Path folder) throws IOException {
        Files.createDirectories(folder);
        return new FolderFiles(folder.toAbsolutePath().normalize());
    }

    @Override
    public List<String> list() throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.filter(Files::isRegularFile)
                    .map(entry -> entry.getFileName().toString())
                    .toList();
        }
    }

    @Override
    public LogFile create(String name) throws IOException {
        return new ChannelFile(FileChannel.open(
                folder.resolve(name),
                StandardOpenOption.CREATE_NEW,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE));
    }

    @Override
    public LogFile open(String name) throws IOException {
        return new ChannelFile(FileChannel.open(folder.resolve(name), StandardOpenOption.READ));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        Files.move(folder.resolve(from), folder.resolve(to), StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void delete(String name) throws IOException {
        Files.deleteIfExists(folder.resolve(name));
    }

    @Override
    public void forceFolder() throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    @Override
    public String describe(String name) {
        return folder.resolve(name).toString();
    }

    @Override
    public String describe() {
        return folder.toString();
    }

    @Override
    public AutoCloseable lock() throws IOException {
        String me = thisProcess();
        if (me.equals(holder())) {
            throw inUse("by another log of this process (" + me + ")");
        }
        FileChannel channel =
                FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock lock = channel.tryLock();
            if (lock == null) {
                String holder = holder();
                throw inUse(holder.isEmpty() ? "by another process" : "by " + holder);
            }
            Files.writeString(folder.resolve(HOLDER), me);
        } catch (OverlappingFileLockException mine) {
            channel.close();
            throw inUse("by another log of this process (" + me + ")");
        } catch (IOException | RuntimeException failure) {
            channel.close();
            throw failure;
        }
        return () -> {
            try (channel) {
                Files.deleteIfExists(folder.resolve(HOLDER));
            }
        };
    }

    private IOException inUse(String holder) {
        return new IOException("the folder " + folder + " is in use " + holder
                + "; stop that one, or give this store a folder of its own");
    }

    private String holder() throws IOException {
        try {
            return new String(Files.readAllBytes(folder.resolve(HOLDER)), StandardCharsets.UTF_8);
        } catch (NoSuchFileException none) {
            return "";
        }
    }

    /** Process ids come again, in a container at once; with the time of the start they do not. */
    private static String thisProcess() {
        ProcessHandle self = ProcessHandle.current();
        return "process " + self.pid()
                + self.info().startInstant().map(FolderFiles::since).orElse("");
    }

    private static String since(Instant start) {
        return ", started " + start;
    }

    private static final class ChannelFile implements LogFile {
        private final FileChannel channel;

        ChannelFile(FileChannel channel) {
            this.channel = channel;
        }

        @Override
        public int write(ByteBuffer bytes) throws IOException {
            return channel.write(bytes);
        }

        @Override
        public void force() throws IOException {
            channel.force(false); // fdatasync: the data, and of the metadata what is needed to read them, so the size
        }

        @Override
        public long size() throws IOException {
            return channel.size();
        }

        @Override
        public int read(ByteBuffer into, long position) throws IOException {
            return channel.read(into, position);
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
