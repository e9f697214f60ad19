package dev.caisson.store.data;

/** Takes the members of a sorted set one by one; the bytes are good during the call only. */
@FunctionalInterface
public interface ScoreVisitor {
    /** One member and its score. */
    void visit(byte[] bytes, int offset, int length, double score);
}
