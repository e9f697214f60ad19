package dev.caisson.scope;

import java.util.Map;

/**
 * The census for other processes and for tools that do not know this module: open types only. Registered as
 * {@value #NAME} while there is a root scope (a quarter of a second after the first was opened, if nothing in the process
 * had used the platform's bean server before, and at once otherwise); if that name is taken (by a copy of this module in another class loader)
 * with a further key {@code copy}, so look for {@code dev.caisson:type=Scopes,*}.
 */
public interface ScopesMXBean {
    /** The object name. */
    String NAME = "dev.caisson:type=Scopes";

    /** How many root scopes are open. */
    int getRootCount();

    /** Their names. */
    String[] getRoots();

    /** How many live resources there are, scopes and tasks included. */
    long getCount();

    /** How many live resources there are of each kind. */
    Map<String, Long> getCounts();

    /** How many scopes the safety net has found since the first root that lives was made. */
    long getDroppedCount();

    /** Every live resource; over the wire an array of composite data with the properties of {@link Row}. */
    Row[] getRows();

    /** The tree as indented text. */
    String tree();

    /** One live resource. The accessors are named as the management bindings want them. */
    final class Row {
        private final Census.Row row;

        Row(Census.Row row) {
            this.row = row;
        }

        /** The same in every census; 0 for what a resource tells of itself. */
        public long getId() {
            return row.id();
        }

        /** Such as "scope", "task". */
        public String getKind() {
            return row.kind();
        }

        /** What it was called when it was made. */
        public String getName() {
            return row.name();
        }

        /** The names of its owners, root first, and its own, joined by slashes. */
        public String getPath() {
            return row.path();
        }

        /** Nanoseconds since it was made. */
        public long getAgeNanos() {
            return row.age().toNanos();
        }

        /** Such as "open", "closing", "left". */
        public String getState() {
            return row.state();
        }

        /** Where it was made, one frame a string, innermost first; empty if that was not kept. */
        public String[] getOrigin() {
            return row.origin().stream().map(StackTraceElement::toString).toArray(String[]::new);
        }
    }
}
