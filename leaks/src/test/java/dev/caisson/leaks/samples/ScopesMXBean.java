package dev.caisson.leaks.samples;

/** The part of scope's management interface that the leak check reads; the names are scope's. */
public interface ScopesMXBean {
    Row[] getRows();

    /** One live resource. */
    final class Row {
        private final long id;
        private final String kind;
        private final String path;
        private final String state;
        private final String[] origin;

        public Row(long id, String kind, String path, String state, String... origin) {
            this.id = id;
            this.kind = kind;
            this.path = path;
            this.state = state;
            this.origin = origin;
        }

        public long getId() {
            return id;
        }

        public String getKind() {
            return kind;
        }

        public String getName() {
            return path.substring(path.lastIndexOf('/') + 1);
        }

        public String getPath() {
            return path;
        }

        public long getAgeNanos() {
            return 1;
        }

        public String getState() {
            return state;
        }

        public String[] getOrigin() {
            return origin.clone();
        }
    }
}
