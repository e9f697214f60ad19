package dev.caisson.store.engine;

/** The classes of keyspace notifications, by the letters of {@code notify-keyspace-events}. */
public final class Event {
    public static final char GENERIC = 'g';
    public static final char STRING = '$';
    public static final char LIST = 'l';
    public static final char SET = 's';
    public static final char HASH = 'h';
    public static final char SORTED_SET = 'z';
    public static final char EXPIRED = 'x';
    public static final char EVICTED = 'e';
    public static final char STREAM = 't';
    public static final char NEW = 'n';
    /** A key was read that is not there. */
    public static final char MISSED = 'm';

    private Event() {}
}
