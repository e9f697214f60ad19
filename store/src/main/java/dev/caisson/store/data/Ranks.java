package dev.caisson.store.data;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The order of a large sorted set: a skip list (Pugh, "Skip lists: a probabilistic alternative to balanced trees", 1990)
 * whose links know how many members they pass, so that rank and member at a rank are found in O(log n).
 */
final class Ranks {
    /* Implementation note. A node stands on levels 0 to height - 1; three of four stand on level 0 only and have no arrays.
     * Span of a link: the ranks between its two nodes; of a link to nowhere: to the end, the head having rank -1. The
     * height comes from the member's keyed hash, so that it is random to whoever chooses members, and needs no generator
     * whose state would have to be the same when a log is applied again. */

    /** Enough for 4^16 members at one node in four per level. */
    private static final int MAX_HEIGHT = 16;

    static final int OWN_BYTES = HeapSizes.object(4 * HeapSizes.REFERENCE + 2 * 4)
            + HeapSizes.object(Node.FIELD_BYTES)
            + 2 * (int) HeapSizes.words(MAX_HEIGHT)
            + (int) HeapSizes.bytes(0)
            + 2 * (int) HeapSizes.words(MAX_HEIGHT);

    private final Node head = new Node(new byte[0], Double.NaN, MAX_HEIGHT);
    private final Node[] path = new Node[MAX_HEIGHT]; // the last node before the place, on each level
    private final int[] passed = new int[MAX_HEIGHT]; // and its rank + 1
    private @Nullable Node last;
    private int size;
    private int height = 1;

    int size() {
        return size;
    }

    /** Adds a member that is not there. */
    Node insert(byte[] member, double score, int hash) {
        Node node = new Node(member, score, heightOf(hash));
        link(node);
        return node;
    }

    /** Gives a node another score. */
    void move(Node node, double score) {
        Node next = node.next;
        Node previous = node.previous;
        boolean staysAfter = previous == null || compare(previous, score, node.member) < 0;
        boolean staysBefore = next == null || compare(next, score, node.member) > 0;
        if (staysAfter && staysBefore) {
            node.score = score;
            return;
        }
        remove(node);
        node.score = score;
        link(node);
    }

    void remove(Node node) {
        search(node.score, node.member);
        for (int level = 0; level < height; level++) {
            Node before = path[level];
            if (before.next(level) == node) {
                before.link(level, node.next(level), before.span(level) + node.span(level) - 1);
            } else {
                before.span(level, before.span(level) - 1);
            }
        }
        if (node.next == null) {
            last = node.previous;
        } else {
            node.next.previous = node.previous;
        }
        size--;
        while (height > 1 && head.next(height - 1) == null) {
            height--;
        }
        Arrays.fill(path, head);
    }

    int rank(Node node) {
        int rank = 0;
        Node at = head;
        for (int level = height - 1; level >= 0; level--) {
            for (Node next = at.next(level);
                    next != null && compare(next, node.score, node.member) <= 0;
                    next = at.next(level)) {
                rank += at.span(level);
                at = next;
            }
        }
        return rank - 1;
    }

    /** The node of a rank, or null beyond the end. */
    @Nullable
    Node at(int rank) {
        int left = rank + 1;
        Node at = head;
        for (int level = height - 1; level >= 0; level--) {
            for (Node next = at.next(level); next != null && at.span(level) <= left; next = at.next(level)) {
                left -= at.span(level);
                at = next;
            }
        }
        return left == 0 ? at : null;
    }

    int below(double score, boolean inclusive) {
        int below = 0;
        Node at = head;
        for (int level = height - 1; level >= 0; level--) {
            for (Node next = at.next(level);
                    next != null && (inclusive ? next.score <= score : next.score < score);
                    next = at.next(level)) {
                below += at.span(level);
                at = next;
            }
        }
        return below;
    }

    int belowLex(byte[] bytes, int offset, int length, boolean inclusive) {
        int most = inclusive ? 0 : -1;
        int below = 0;
        Node at = head;
        for (int level = height - 1; level >= 0; level--) {
            for (Node next = at.next(level);
                    next != null
                            && Integer.signum(Arrays.compareUnsigned(
                                            next.member, 0, next.member.length, bytes, offset, offset + length))
                                    <= most;
                    next = at.next(level)) {
                below += at.span(level);
                at = next;
            }
        }
        return below;
    }

    /** Checks order, spans and back links. */
    void verify() {
        int count = 0;
        Node before = null;
        for (Node node = head.next; node != null; node = node.next) {
            check(node.previous == before, "a back link that leads elsewhere", count);
            check(before == null || compare(before, node.score, node.member) < 0, "nodes out of order", count);
            check(rank(node) == count, "a wrong rank", count);
            check(at(count) == node, "another node at the rank", count);
            before = node;
            count++;
        }
        check(last == before, "a wrong last node", count);
        check(size == count, "a wrong size", count);
        check(at(count) == null, "a node beyond the end", count);
    }

    private static void check(boolean fact, String otherwise, int rank) {
        if (!fact) {
            throw new IllegalStateException(otherwise + " at rank " + rank);
        }
    }

    private void link(Node node) {
        search(node.score, node.member);
        int levels = node.height();
        for (; height < levels; height++) {
            path[height] = head;
            passed[height] = 0;
            head.link(height, null, size + 1);
        }
        int rank = passed[0];
        for (int level = 0; level < height; level++) {
            Node before = path[level];
            if (level < levels) {
                int span = rank + 1 - passed[level];
                node.link(level, before.next(level), before.span(level) + 1 - span);
                before.link(level, node, span);
            } else {
                before.span(level, before.span(level) + 1);
            }
        }
        node.previous = path[0] == head ? null : path[0];
        if (node.next == null) {
            last = node;
        } else {
            node.next.previous = node;
        }
        size++;
        Arrays.fill(path, head);
    }

    /** Fills path and passed for the place of a member. */
    private void search(double score, byte[] member) {
        int rank = 0;
        Node at = head;
        for (int level = height - 1; level >= 0; level--) {
            for (Node next = at.next(level); next != null && compare(next, score, member) < 0; next = at.next(level)) {
                rank += at.span(level);
                at = next;
            }
            path[level] = at;
            passed[level] = rank;
        }
    }

    private static int compare(Node node, double score, byte[] member) {
        return node.score != score ? Double.compare(node.score, score) : Arrays.compareUnsigned(node.member, member);
    }

    private static int heightOf(int hash) {
        int zeros = Long.numberOfTrailingZeros(Hashing.mix(hash) | 1L << 62);
        return Math.min(MAX_HEIGHT, 1 + zeros / 2);
    }

    /** A member with its score and its links. */
    static final class Node {
        static final int FIELD_BYTES = 5 * HeapSizes.REFERENCE + 8;

        final byte[] member;
        double score;

        @Nullable
        Node previous;

        @Nullable
        Node next;

        private final @Nullable Node @Nullable [] higher; // the links of levels 1 and up
        private final int @Nullable [] spans; // and what they pass

        Node(byte[] member, double score, int height) {
            this.member = member;
            this.score = score;
            higher = height == 1 ? null : new Node[height - 1];
            spans = height == 1 ? null : new int[height - 1];
        }

        /** Heap bytes of the node and its member. */
        int memory() {
            int links = higher == null ? 0 : 2 * (int) HeapSizes.words(higher.length);
            return HeapSizes.object(FIELD_BYTES) + links + (int) HeapSizes.bytes(member.length);
        }

        int height() {
            return higher == null ? 1 : 1 + higher.length;
        }

        @Nullable
        Node next(int level) {
            return level == 0 || higher == null ? next : higher[level - 1];
        }

        int span(int level) {
            return level == 0 || spans == null ? 1 : spans[level - 1];
        }

        void span(int level, int span) {
            if (level > 0 && spans != null) {
                spans[level - 1] = span;
            }
        }

        void link(int level, @Nullable Node to, int span) {
            if (level == 0 || higher == null) {
                next = to;
            } else {
                higher[level - 1] = to;
            }
            span(level, span);
        }
    }
}
