package dev.caisson.store.data;

/** Takes slices one by one; their bytes are good during the call only. */
@FunctionalInterface
public interface SliceVisitor {
    /** One slice. */
    void visit(byte[] bytes, int offset, int length);
}
