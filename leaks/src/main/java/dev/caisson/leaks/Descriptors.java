package dev.caisson.leaks;

import java.io.IOException;
import java.nio.channels.Pipe;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * Open sockets, pipes, files and selectors, from {@code /proc/self/fd}; where that does not exist nothing is checked, and
 * this is said once.
 *
 * <p>Left out, because the JVM opens them when it likes: jars and other archives, native libraries, the JDK's own files,
 * devices, {@code /proc} and {@code /sys}, and anonymous inodes but for selectors. A selector is an epoll descriptor that
 * watches an event descriptor, by which another thread wakes it; the JDK's pollers, which wait for virtual threads and are
 * kept for good, watch none.
 */
final class Descriptors implements Probe {
    private static final System.Logger LOG = System.getLogger(Descriptors.class.getName());
    private static final Path OPEN = Path.of("/proc/self/fd");
    private static final List<String> LAZY_ENDS = List.of(".jar", ".zip", ".war", ".jmod", ".so", ".jsa", "/modules");

    private final String javaHome = System.getProperty("java.home", "/nowhere") + "/";
    private final AtomicBoolean told = new AtomicBoolean();
    private final boolean works = Files.isDirectory(OPEN);

    Descriptors() {
        if (works) {
            openWhatTheJdkKeeps();
        }
    }

    @Override
    public LeakKind kind() {
        return LeakKind.DESCRIPTOR;
    }

    @Override
    public Set<String> ids() {
        return new HashSet<>(open().keySet());
    }

    @Override
    public void look(Predicate<String> wanted, Consumer<Live> found) {
        Map<String, String> open = open();
        if (open.keySet().stream().noneMatch(wanted)) {
            return;
        }
        Map<String, String> sockets = SocketTable.read();
        open.forEach((id, number) -> {
            if (wanted.test(id)) {
                String target = id.substring(id.indexOf(' ') + 1);
                String unknown =
                        target.startsWith("socket:") ? "open, but reset by its peer or never connected" : "open";
                found.accept(new Live(
                        LeakKind.DESCRIPTOR,
                        id,
                        sockets.getOrDefault(target, target),
                        "",
                        sockets.containsKey(target) ? "open" : unknown,
                        "descriptor " + number + " -> " + target,
                        List.of(),
                        List.of(),
                        ""));
            }
        });
    }

    /** Id to descriptor number. A file opened twice has two ids; a socket is its inode, which tells it apart. */
    private Map<String, String> open() {
        Map<String, String> open = new TreeMap<>();
        if (!works) {
            if (told.compareAndSet(false, true)) {
                LOG.log(
                        System.Logger.Level.INFO,
                        "no " + OPEN + " on this system: open sockets and files are not checked");
            }
            return open;
        }
        try (DirectoryStream<Path> numbers = Files.newDirectoryStream(OPEN)) {
            for (Path number : numbers) {
                String target = target(number);
                String fileName = String.valueOf(number.getFileName());
                if (target.startsWith("socket:") || target.startsWith("pipe:")) {
                    open.put("descriptor " + target, fileName);
                } else if (target.equals("anon_inode:[eventpoll]")) {
                    wakeUp(fileName).ifPresent(by -> open.put("descriptor selector woken by " + by, fileName));
                } else if (target.startsWith("/") && !lazy(target)) {
                    String id = "descriptor " + target;
                    for (int i = 2; open.containsKey(id); i++) {
                        id = "descriptor(" + i + ") " + target;
                    }
                    open.put(id, fileName);
                }
            }
        } catch (IOException | RuntimeException e) {
            if (told.compareAndSet(false, true)) {
                LOG.log(
                        System.Logger.Level.WARNING,
                        "could not list " + OPEN + ": open sockets and files are not checked",
                        e);
            }
        }
        return open;
    }

    private static String target(Path number) {
        try {
            return Files.readSymbolicLink(number).toString();
        } catch (IOException closedMeanwhile) {
            return "";
        }
    }

    /** The event descriptor that an epoll descriptor watches, by the kernel's number for it (proc(5), fdinfo). */
    private static Optional<String> wakeUp(String epoll) {
        for (String watched : told(epoll, "tfd:")) {
            String number = watched.split("\\s+", 2)[0];
            if (target(OPEN.resolve(number)).equals("anon_inode:[eventfd]")) {
                return told(number, "eventfd-id:").stream().findFirst().map(id -> "eventfd " + id);
            }
        }
        return Optional.empty();
    }

    /** What the lines of a descriptor's fdinfo say that begin so. */
    private static List<String> told(String number, String begin) {
        try {
            return Files.readAllLines(Path.of("/proc/self/fdinfo", number)).stream()
                    .filter(line -> line.startsWith(begin))
                    .map(line -> line.substring(begin.length()).trim())
                    .toList();
        } catch (IOException | RuntimeException closedMeanwhile) {
            return List.of();
        }
    }

    private boolean lazy(String target) {
        String path = target.endsWith(" (deleted)") ? target.substring(0, target.length() - 10) : target;
        return path.startsWith("/dev/")
                || path.startsWith("/proc/")
                || path.startsWith("/sys/")
                || path.startsWith(javaHome)
                || path.contains("/caisson-leaks")
                || LAZY_ENDS.stream().anyMatch(path::endsWith)
                || Files.isDirectory(Path.of(path));
    }

    /** The first socket, pipe and selector make the JDK open descriptors that it keeps for good: have that behind us. */
    private static void openWhatTheJdkKeeps() {
        try (ServerSocketChannel channel = ServerSocketChannel.open();
                Selector selector = Selector.open()) {
            channel.configureBlocking(false);
            Pipe pipe = Pipe.open();
            pipe.source().close();
            pipe.sink().close();
            selector.selectNow();
        } catch (IOException | RuntimeException e) {
            LOG.log(System.Logger.Level.DEBUG, "the first socket could not be opened", e);
        }
    }
}
