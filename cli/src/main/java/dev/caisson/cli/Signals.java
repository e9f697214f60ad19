package dev.caisson.cli;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Tells of SIGINT and SIGTERM until closed, which puts back what was there before. By reflection on {@code
 * sun.misc.Signal}, because the JDK has no public way; where that is missing or refuses, nothing is told, and the JVM's
 * shutdown hooks are what is left.
 *
 * <p>The listener runs on a thread of the JVM, once for each signal. Thread-safe.
 */
final class Signals implements AutoCloseable {
    private static final List<String> NAMES = List.of("INT", "TERM");

    private final List<Runnable> undo = new ArrayList<>();

    private Signals() {}

    /** Listens for both. */
    static Signals listen(Consumer<String> listener) {
        Signals signals = new Signals();
        for (String name : NAMES) {
            Runnable undo = handle(name, listener);
            if (undo != null) {
                signals.undo.add(undo);
            }
        }
        return signals;
    }

    /** Whether signals are told. */
    boolean listening() {
        return !undo.isEmpty();
    }

    private static @Nullable Runnable handle(String name, Consumer<String> listener) {
        try {
            Class<?> signalClass = Class.forName("sun.misc.Signal");
            Class<?> handlerClass = Class.forName("sun.misc.SignalHandler");
            Method handle = signalClass.getMethod("handle", signalClass, handlerClass);
            Object signal = signalClass.getConstructor(String.class).newInstance(name);
            Object ours = Proxy.newProxyInstance(
                    handlerClass.getClassLoader(), new Class<?>[] {handlerClass}, (proxy, method, arguments) -> {
                        return switch (method.getName()) {
                            case "handle" -> {
                                listener.accept(name);
                                yield null;
                            }
                            case "equals" -> proxy == arguments[0];
                            case "hashCode" -> System.identityHashCode(proxy);
                            default -> "caisson's handler of SIG" + name;
                        };
                    });
            Object before = handle.invoke(null, signal, ours);
            return () -> {
                try {
                    handle.invoke(null, signal, before);
                } catch (IllegalAccessException | InvocationTargetException e) {
                    throw new IllegalStateException("cannot put back the handler of SIG" + name, e);
                }
            };
        } catch (ReflectiveOperationException | RuntimeException notHere) {
            return null; // another JDK, or started with -Xrs
        }
    }

    @Override
    public void close() {
        undo.forEach(Runnable::run);
        undo.clear();
    }
}
