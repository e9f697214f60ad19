package dev.caisson.scope;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

/** The closers that the scope itself brings. */
final class Closers {
    /** Marks a closer whose drain does nothing, so that draining need not call it. */
    interface NotDraining {}

    static final Closer<AutoCloseable> AUTO = new Auto();
    static final Closer<Drainable> DRAINABLE = new DrainThenClose();
    static final Closer<Action> ON_CLOSE = new OnClose();
    static final Closer<Action> ON_DRAIN = new OnDrain();
    static final Closer<OnCancel> ON_CANCEL = new Tell();

    private Closers() {}

    @SuppressWarnings("unchecked") // the cast follows the test
    static <T extends AutoCloseable> Closer<? super T> of(T resource) {
        return resource instanceof Drainable ? (Closer<? super T>) (Closer<?>) DRAINABLE : AUTO;
    }

    /** A listener, told at most once: by the cancellation, or when its scope closes. */
    static final class OnCancel {
        private final Core core;
        private final Consumer<Throwable> action;
        private final AtomicBoolean told = new AtomicBoolean();

        OnCancel(Core core, Consumer<Throwable> action) {
            this.core = core;
            this.action = action;
        }

        void tell() {
            Throwable reason = core.cancelReason;
            if (reason != null && told.compareAndSet(false, true)) {
                action.accept(reason);
            }
        }
    }

    private static final class Auto implements Closer<AutoCloseable>, NotDraining {
        @Override
        public void close(AutoCloseable resource, Duration within) throws Exception {
            resource.close();
        }
    }

    private static final class DrainThenClose implements Closer<Drainable> {
        @Override
        public void drain(Drainable resource, Duration within) throws Exception {
            resource.drain(within);
        }

        @Override
        public void close(Drainable resource, Duration within) throws Exception {
            resource.close();
        }
    }

    private static final class OnClose implements Closer<Action>, NotDraining {
        @Override
        public void close(Action action, Duration within) throws Exception {
            action.run();
        }
    }

    private static final class OnDrain implements Closer<Action> {
        @Override
        public void drain(Action action, Duration within) throws Exception {
            action.run();
        }

        @Override
        public void close(Action action, Duration within) {}
    }

    private static final class Tell implements Closer<OnCancel>, NotDraining {
        @Override
        public void close(OnCancel listener, Duration within) {
            listener.tell();
        }
    }
}
