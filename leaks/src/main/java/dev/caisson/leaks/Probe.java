package dev.caisson.leaks;

import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** Looks at everything of one kind that is alive in this process. Safe for use by several threads. */
interface Probe {
    LeakKind kind();

    /** The ids of all that is alive now. */
    Set<String> ids();

    /** Tells what is alive now and whose id is wanted. What ends meanwhile may be left out. */
    void look(Predicate<String> wanted, Consumer<Live> found);
}
