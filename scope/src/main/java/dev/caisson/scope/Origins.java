package dev.caisson.scope;

import java.util.concurrent.ThreadLocalRandom;

/** How often the stack that creates a resource is kept: never, for one in n, or always. */
public final class Origins {
    /** No stack is captured: the cheapest, for what is made by the million. */
    public static final Origins OFF = new Origins(0);

    /** Every stack is captured, at about a microsecond each: for what is rare. */
    public static final Origins ALWAYS = new Origins(1);

    private final int oneIn;

    private Origins(int oneIn) {
        this.oneIn = oneIn;
    }

    /**
     * Keeps the stack of one resource in {@code oneIn}, chosen at random.
     *
     * @throws IllegalArgumentException if {@code oneIn} is below 1
     */
    public static Origins sampled(int oneIn) {
        if (oneIn < 1) {
            throw new IllegalArgumentException("one in " + oneIn + " is no sample; give 1 or more, or Origins.OFF");
        }
        return oneIn == 1 ? ALWAYS : new Origins(oneIn);
    }

    boolean now() {
        return oneIn == 1 || (oneIn > 1 && ThreadLocalRandom.current().nextInt(oneIn) == 0);
    }

    @Override
    public String toString() {
        return switch (oneIn) {
            case 0 -> "off";
            case 1 -> "always";
            default -> "one in " + oneIn;
        };
    }
}
