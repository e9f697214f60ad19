package dev.caisson.scope;

/**
 * What sort of thing a resource is, as the census shows it, and whether the stack that creates one is kept.
 *
 * <p>A constant of the class that makes such resources. A scope can say otherwise for itself and below:
 * {@link ScopeOptions#origins}. Immutable.
 */
public final class Kind {
    static final Kind SCOPE = of("scope", Origins.ALWAYS);
    static final Kind GROUP = of("group", Origins.ALWAYS);
    static final Kind TASK = of("task", Origins.ALWAYS);
    static final Kind TIMER = of("timer", Origins.ALWAYS);
    static final Kind RESOURCE = of("resource", Origins.ALWAYS);
    static final Kind ON_CLOSE = of("on-close", Origins.ALWAYS);
    static final Kind ON_DRAIN = of("on-drain", Origins.ALWAYS);
    static final Kind ON_CANCEL = of("on-cancel", Origins.OFF);

    private final String name;
    private final Origins origins;

    private Kind(String name, Origins origins) {
        this.name = name;
        this.origins = origins;
    }

    /** A kind; {@code name} is a short noun such as "connection". */
    public static Kind of(String name, Origins origins) {
        if (name.isBlank()) {
            throw new IllegalArgumentException("a kind needs a name, a short noun such as \"connection\"");
        }
        return new Kind(name, origins);
    }

    /** The noun. */
    public String name() {
        return name;
    }

    /** How often the creating stack is kept, unless a scope says otherwise. */
    public Origins origins() {
        return origins;
    }

    @Override
    public String toString() {
        return name;
    }
}
