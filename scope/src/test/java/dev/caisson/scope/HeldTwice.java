package dev.caisson.scope;

import java.util.concurrent.Callable;

/** Lets two scopes hold the same resource; whether the second was refused. Public for {@link OwnershipTest}'s loader. */
public final class HeldTwice implements Callable<Boolean> {
    private static final Kind THING = Kind.of("thing", Origins.OFF);

    @Override
    public Boolean call() {
        AutoCloseable thing = new AutoCloseable() {
            @Override
            public void close() {}
        };
        try (Scope one = Scope.open("one");
                Scope two = Scope.open("two")) {
            one.hold(THING, "first", thing, (t, within) -> t.close());
            try {
                two.hold(THING, "second", thing, (t, within) -> t.close());
                return false;
            } catch (IllegalStateException refused) {
                return true;
            }
        }
    }
}
