package dev.caisson.scope;

/** That one object is owned, by identity; the key of the registry's table of owned objects. */
final class Claim {
    private final Registry registry;
    private final Object resource;

    Claim(Registry registry, Object resource) {
        this.registry = registry;
        this.resource = resource;
    }

    void end() {
        registry.owned.remove(this);
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(resource);
    }

    @Override
    @SuppressWarnings("ReferenceEquality") // identity is the point
    public boolean equals(Object other) {
        return other instanceof Claim claim && claim.resource == resource;
    }
}
