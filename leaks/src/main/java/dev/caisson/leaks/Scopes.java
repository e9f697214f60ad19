package dev.caisson.leaks;

import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** Scopes. */
final class Scopes implements Probe {
    @Override
    public LeakKind kind() {
        return LeakKind.SCOPE;
    }

    @Override
    public Set<String> ids() {
        return Set.of();
    }

    @Override
    public void look(Predicate<String> wanted, Consumer<Live> found) {}
}
