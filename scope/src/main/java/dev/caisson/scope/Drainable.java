package dev.caisson.scope;

import java.time.Duration;

/** An {@link AutoCloseable} that can stop accepting before it is closed; an owning scope calls it when it drains. */
public interface Drainable extends AutoCloseable {
    /**
     * Accepts nothing new and waits for what runs. Leaves the rest to {@link #close}.
     *
     * @param within how long the scope is going to wait, from now
     */
    void drain(Duration within) throws Exception;
}
