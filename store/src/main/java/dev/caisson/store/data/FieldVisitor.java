package dev.caisson.store.data;

/** Takes the fields of a hash one by one; the bytes are good during the call only. */
@FunctionalInterface
public interface FieldVisitor {
    /** One field and its value, both in {@code bytes}. */
    void visit(byte[] bytes, int fieldOffset, int fieldLength, int valueOffset, int valueLength);
}
