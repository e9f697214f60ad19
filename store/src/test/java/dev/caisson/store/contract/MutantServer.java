package dev.caisson.store.contract;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A store with one mutant in it, in a process of its own: a mutant may never end. Its {@code main} takes a class and the
 * number of a place, opens the store, prints its port and ends with its input.
 */
final class MutantServer implements ContractSuite.Server {
    private final Process process;
    private final int port;

    private MutantServer(Process process, int port) {
        this.process = process;
        this.port = port;
    }

    static MutantServer open(String className, int place) throws IOException {
        Process process = new ProcessBuilder(List.of(
                        System.getProperty("java.home") + "/bin/java",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-Xmx256m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        MutantServer.class.getName(),
                        className,
                        Integer.toString(place)))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        BufferedReader out = process.inputReader(StandardCharsets.US_ASCII);
        String port = out.readLine();
        return new MutantServer(process, port == null ? -1 : Integer.parseInt(port));
    }

    /** -1 if the mutant does not even start. */
    @Override
    public int port() {
        return port;
    }

    @Override
    public void close() throws IOException {
        process.destroyForcibly();
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                throw new IOException("process " + process.pid() + " does not end although it was killed");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        process.getOutputStream().close();
        process.getInputStream().close();
    }

    public static void main(String[] arguments) throws Exception {
        var loader = new Loader(arguments[0], Integer.parseInt(arguments[1]));
        Class<?> options = loader.loadClass("dev.caisson.store.StoreOptions");
        Object inMemory = options.getMethod("defaults").invoke(null);
        Object oneLoop = options.getMethod("loops", int.class).invoke(inMemory, 1);
        Object anyPort = options.getMethod("port", int.class).invoke(oneLoop, 0);
        Class<?> storeClass = loader.loadClass("dev.caisson.store.Store");
        Object store = storeClass.getMethod("open", options).invoke(null, anyPort);
        Method port = storeClass.getMethod("port");
        System.out.println(port.invoke(store));
        while (System.in.read() >= 0) {
            // whoever started this process ends it
        }
        System.exit(0);
    }

    /** The store's classes, one of them changed; the rest comes from the parent. */
    private static final class Loader extends ClassLoader {
        private final String mutant;
        private final int place;

        Loader(String mutant, int place) {
            super(MutantServer.class.getClassLoader());
            this.mutant = mutant;
            this.place = place;
        }

        @Override
        protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            if (!name.startsWith("dev.caisson.store.")) {
                return super.loadClass(name, resolve);
            }
            synchronized (getClassLoadingLock(name)) {
                Class<?> loaded = findLoadedClass(name);
                return loaded != null ? loaded : findClass(name);
            }
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
                if (in == null) {
                    throw new ClassNotFoundException(name);
                }
                byte[] bytes = in.readAllBytes();
                byte[] code = name.equals(mutant) ? Mutants.mutant(bytes, place) : bytes;
                return defineClass(name, code, 0, code.length);
            } catch (IOException e) {
                throw new ClassNotFoundException(name, e);
            }
        }
    }
}
