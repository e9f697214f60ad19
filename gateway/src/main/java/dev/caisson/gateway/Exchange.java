package dev.caisson.gateway;

import io.grpc.Status;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * One request and its answer, on a virtual thread of its own.
 *
 * <pre>
 *   start ──► tasks from the mailbox, one after the other ──► finish
 *               ▲ body parts, writability, hang-up   (from the connection's event loop)
 *               ▲ headers, messages, close, ready    (from the upstream call, whose executor this is)
 * </pre>
 */
/*
 * All fields of an exchange belong to its thread, so nothing is locked. The mailbox is bounded by what is asked for: one
 * body part per demand(), one upstream message per request(1); the rest are single events.
 */
abstract class Exchange implements Executor {
    private static final System.Logger LOG = System.getLogger(Exchange.class.getName());

    final RequestHead head;
    final Response response;
    private final LinkedBlockingQueue<Runnable> mailbox = new LinkedBlockingQueue<>();
    private final HttpConnection connection;
    private boolean finished;

    Exchange(HttpConnection connection, RequestHead head) {
        this.connection = connection;
        this.head = head;
        this.response = new Response(connection, head);
    }

    /** What the task that runs it is called in the census. */
    abstract String name();

    /** Begins. May throw {@link HttpError}. */
    abstract void start() throws Exception;

    /** A part of the body that was asked for by {@link #demand}; the last one may be empty. */
    void body(byte[] part, boolean last) {}

    /** The body cannot be read on: it is malformed or took too long. */
    void badBody(HttpError why) {
        throw why;
    }

    /** The socket takes bytes again. */
    void writable() {}

    /** The client is gone; nothing more can be answered. */
    void hungUp() {
        finish();
    }

    /** Whatever happens, before the thread ends; the exchange has answered, failed or lost its client. */
    void released() {}

    /** Answers with an error, or cuts the connection if the answer has begun. */
    void fail(HttpError error) {
        if (response.begun()) {
            response.cut();
        } else {
            response.error(error);
        }
        finish();
    }

    /** Asks for one body part. */
    final void demand() {
        connection.demand(this);
    }

    final void finish() {
        finished = true;
    }

    final boolean finished() {
        return finished;
    }

    /** Runs the task on this exchange's thread, after those that came before; never runs it once finished. */
    @Override
    public final void execute(Runnable task) {
        mailbox.add(task);
    }

    /** The next task, or null after the time given. */
    final @Nullable Runnable poll(java.time.Duration longest) throws InterruptedException {
        return mailbox.poll(longest.toNanos(), java.util.concurrent.TimeUnit.NANOSECONDS);
    }

    /** The thread's whole life. */
    final void run() {
        try {
            step(this::start);
            while (!finished) {
                Runnable task = mailbox.take();
                step(task::run);
            }
        } catch (InterruptedException e) {
            // The scope closes, or cancelled us: the thread ends here, so the flag is not restored.
            fail(HttpError.busy("the gateway is shutting down"));
        } finally {
            released();
        }
    }

    private void step(Step step) throws InterruptedException {
        try {
            step.run();
        } catch (HttpError e) {
            fail(e);
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            LOG.log(System.Logger.Level.ERROR, "request " + head.method() + " " + head.path() + " failed", e);
            fail(HttpError.of(Status.Code.INTERNAL, "the gateway failed: " + e));
        }
    }

    private interface Step {
        void run() throws Exception;
    }
}
