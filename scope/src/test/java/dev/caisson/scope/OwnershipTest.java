package dev.caisson.scope;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class OwnershipTest {
    private static final Kind THING = Kind.of("thing", Origins.OFF);

    private final List<String> closed = Collections.synchronizedList(new ArrayList<>());

    private final class Thing implements AutoCloseable {
        @Override
        public void close() {
            closed.add("thing");
        }
    }

    /** A server, say: made with a root scope of its own. */
    private final class Server implements Scoped {
        private final Scope scope = Scope.open("server");

        Server() {
            scope.onClose("port", () -> closed.add("port"));
        }

        @Override
        public Scope scope() {
            return scope;
        }

        @Override
        public void close() {
            closed.add("server");
            scope.close();
        }
    }

    @Test
    void releaseForgetsWithoutClosing() {
        try (Scope scope = Scope.open("release")) {
            Thing thing = scope.own(new Thing());
            assertThat(scope.release(thing)).isTrue();
            assertThat(scope.release(thing)).isFalse();
            Hold<Thing> hold = scope.hold(THING, "held", thing, (t, within) -> t.close());
            assertThat(hold.resource()).isSameAs(thing);
            assertThat(hold.release()).isTrue();
            assertThat(hold.release()).isFalse();
            assertThatThrownBy(hold::resource)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("thing 'held' of scope 'release' was released or closed");
            hold.close();
        }
        assertThat(closed).isEmpty();
    }

    @Test
    void aHoldClosesItsResourceOnce() {
        try (Scope scope = Scope.open("hold")) {
            Hold<Thing> hold = scope.hold(THING, "held", new Thing(), (t, within) -> t.close());
            hold.close();
            hold.close();
            assertThat(hold.release()).isFalse();
            assertThat(scope.size()).isZero();
            Hold<String> bad = scope.hold(THING, "bad", "bad", (t, within) -> {
                throw new java.io.IOException("no");
            });
            assertThatThrownBy(bad::close)
                    .isInstanceOf(CloseFailedException.class)
                    .hasMessageContaining("closing thing 'bad' of scope 'hold' failed")
                    .hasRootCauseMessage("no");
            assertThat(scope.size()).isZero();
        }
        assertThat(closed).containsExactly("thing");
    }

    @Test
    void isNeverShared() {
        try (Scope one = Scope.open("one");
                Scope two = Scope.open("two")) {
            Thing thing = one.own(new Thing(), "it");
            assertThatThrownBy(() -> two.own(thing, "again"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("'again' is owned already")
                    .hasMessageContaining("'it' of 'one'")
                    .hasMessageContaining("Scope.move");
            assertThatThrownBy(() -> one.own(thing)).isInstanceOf(IllegalStateException.class);
            assertThat(two.release(thing)).isFalse();
            one.release(thing);
            two.own(thing);
        }
        assertThat(closed).containsExactly("thing");
    }

    @Test
    void isNeverSharedByHoldsEither() {
        try (Scope one = Scope.open("one");
                Scope two = Scope.open("two")) {
            Thing held = new Thing();
            Hold<Thing> hold = one.hold(THING, "it", held, (t, within) -> t.close());
            assertThatThrownBy(() -> two.hold(THING, "again", held, (t, within) -> t.close()))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("'again' is owned already, as thing 'it' of 'one'");
            assertThatThrownBy(() -> two.own(held)).isInstanceOf(IllegalStateException.class);
            assertThat(one.release(held)).isFalse(); // only the hold can
            assertThatThrownBy(() -> one.move(held, two)).isInstanceOf(IllegalStateException.class);
            hold.moveTo(two);
            assertThatThrownBy(() -> one.hold(THING, "again", held, (t, within) -> t.close()))
                    .hasMessageContaining("as thing 'it' of 'two'");
            hold.release();
            one.hold(THING, "after release", held, (t, within) -> t.close()).close();
            two.own(held);
            assertThatThrownBy(() -> one.hold(THING, "again", held, (t, within) -> t.close()))
                    .isInstanceOf(IllegalStateException.class);
            one.hold(THING, "a name", "name", (t, within) -> {});
            two.hold(THING, "a name", "name", (t, within) -> {});
        }
        assertThat(closed).containsExactly("thing", "thing");
    }

    @Test
    void holdsLookForAnotherOwnerOnlyWhereAssertionsAreEnabled() throws Exception {
        for (boolean enabled : List.of(true, false)) {
            URL[] classes = {location(Scope.class), location(HeldTwice.class), location(Nullable.class)};
            try (URLClassLoader loader = new URLClassLoader(classes, ClassLoader.getPlatformClassLoader())) {
                loader.setDefaultAssertionStatus(enabled);
                Callable<?> twice = (Callable<?>) loader.loadClass(HeldTwice.class.getName())
                        .getConstructor()
                        .newInstance();
                assertThat(twice.call()).isEqualTo(enabled);
            }
        }
    }

    private static URL location(Class<?> type) {
        return type.getProtectionDomain().getCodeSource().getLocation();
    }

    @Test
    void movesFromScopeToScope() {
        Scope from = Scope.open("from");
        Scope to = Scope.open("to");
        Thing thing = from.own(new Thing());
        Hold<String> held = from.hold(THING, "held", "held", (t, within) -> closed.add("held"));
        from.move(thing, to);
        assertThat(held.moveTo(to)).isSameAs(held);
        assertThat(held.moveTo(to)).isSameAs(held);
        assertThat(from.size()).isZero();
        assertThatThrownBy(() -> from.move(thing, to))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("'from' does not own");
        from.close();
        assertThat(closed).isEmpty();
        to.close();
        assertThat(closed).containsExactly("held", "thing");
    }

    @Test
    void staysWhereItWasIfTheOtherScopeIsNotOpen() {
        Scope from = Scope.open("from");
        Scope to = Scope.open("to");
        to.close();
        Hold<Thing> hold = from.hold(THING, "held", new Thing(), (t, within) -> t.close());
        assertThatThrownBy(() -> hold.moveTo(to))
                .isInstanceOf(ScopeClosedException.class)
                .hasMessageContaining("'to' is closed");
        assertThat(from.size()).isEqualTo(1);
        from.close();
        assertThat(closed).containsExactly("thing");
        try (Scope open = Scope.open("open")) {
            assertThatThrownBy(() -> hold.moveTo(open))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("released or closed");
        }
    }

    @Test
    void theRootOfAScopedResourceBecomesAChildOfItsOwner() {
        try (Scope app = Scope.open("app")) {
            Server server = app.own(new Server());
            assertThat(server.scope().path()).isEqualTo("app/server");
            Census census = Scope.census();
            assertThat(census.roots()).isEqualTo(1);
            assertThat(census.rows())
                    .extracting(Census.Row::path)
                    .containsExactly("app", "app/server", "app/server/port");
            app.cancel(new IllegalStateException("stop"));
            assertThat(server.scope().cancelled()).isTrue();
        }
        assertThat(closed).containsExactly("server", "port");
    }

    @Test
    void aScopedResourceThatClosesByItselfLeavesNothingWithItsOwner() {
        try (Scope app = Scope.open("app")) {
            Server server = app.own(new Server());
            server.close();
            assertThat(app.size()).isZero();
            assertThat(Scope.census(app).rows()).hasSize(1);
        }
        assertThat(closed).containsExactly("server", "port");
    }

    @Test
    void aScopedResourceWhoseScopeIsAChildAlreadyIsShownOnce() {
        try (Scope app = Scope.open("app")) {
            Scope child = app.child("server");
            Scoped server = new Scoped() {
                @Override
                public Scope scope() {
                    return child;
                }

                @Override
                public void close() {
                    closed.add("server");
                    child.close();
                }
            };
            app.own(server);
            assertThat(Scope.census(app).rows()).extracting(Census.Row::path).containsExactly("app", "app/server");
        }
        assertThat(closed).containsExactly("server");
    }

    @Test
    void aScopeDoesNotBecomeItsOwnAncestor() {
        Scope outer = Scope.open("outer");
        Scope inner = outer.child("inner");
        assertThat(inner.core.adoptRoot(outer.core)).contains("ancestor");
        assertThat(outer.core.adoptRoot(outer.core)).contains("ancestor");
        outer.close();
    }

    @Test
    void onCloseCanBeForgottenOrRunEarly() {
        try (Scope scope = Scope.open("on close")) {
            scope.onClose("forgotten", () -> closed.add("forgotten")).release();
            Hold<Action> early = scope.onClose("early", () -> closed.add("early"));
            early.close();
            assertThat(closed).containsExactly("early");
        }
        assertThat(closed).containsExactly("early");
    }

    @Test
    void lazyScopesAreMadeOnlyWhenAskedFor() throws Exception {
        try (Scope connection = Scope.open("connection")) {
            Call quiet = new Call(connection);
            Scope.runWith(quiet, () -> {});
            quiet.end();
            assertThat(quiet.made()).isEmpty();
            assertThat(connection.size()).isZero();

            Call busy = new Call(connection);
            CountDownLatch interrupted = new CountDownLatch(1);
            Scope.runWith(busy, () -> {
                Scope call = Scope.current().orElseThrow();
                assertThat(Scope.current()).contains(call);
                assertThat(call.path()).isEqualTo("connection/call");
                call.fork("helper", () -> {
                    try {
                        Waits.forever();
                    } finally {
                        interrupted.countDown();
                    }
                });
            });
            assertThat(connection.size()).isEqualTo(1);
            busy.end();
            busy.end();
            Waits.until("the call's scope has ended", () -> connection.size() == 0);
        }
    }

    @Test
    void aLazyScopeThatIsAskedForTooLateIsClosed() {
        try (Scope connection = Scope.open("connection")) {
            Call call = new Call(connection);
            Scope.runWith(call, () -> {
                call.end();
                Scope late = Scope.current().orElseThrow();
                assertThat(late.closed()).isTrue();
                assertThat(late.cancelled()).isTrue();
                assertThatThrownBy(() -> late.own(new Thing())).isInstanceOf(ScopeClosedException.class);
            });
            assertThat(closed).containsExactly("thing");
            assertThat(connection.size()).isZero();
        }
    }

    @Test
    void aLazyScopeThatWasCancelledIsCancelledFromBirth() {
        try (Scope connection = Scope.open("connection")) {
            Call call = new Call(connection);
            call.cancel(new IllegalStateException("gone"));
            Scope.runWith(call, () -> {
                Scope scope = Scope.current().orElseThrow();
                assertThat(scope.cancelReason().orElseThrow()).hasMessage("gone");
                assertThatThrownBy(() -> scope.fork("t", () -> {})).isInstanceOf(ScopeClosedException.class);
            });
            call.end();
        }
    }

    @Test
    void aLazyScopeIsMadeWhileItsParentDrainsAndNotOnceItCloses() throws Exception {
        Scope connection = Scope.open("connection");
        Call call = new Call(connection);
        connection.core.markDraining();
        Scope.runWith(call, () -> {
            Scope scope = Scope.current().orElseThrow();
            assertThat(scope.closed()).isFalse();
            assertThat(scope.draining()).isTrue();
            scope.onClose("of the call", () -> closed.add("of the call"));
            connection.onClose("of the call, above", () -> closed.add("above"));
        });
        connection.close();
        Call late = new Call(connection);
        Scope.runWith(
                late, () -> assertThat(Scope.current().orElseThrow().closed()).isTrue());
        assertThat(closed).containsExactly("above", "of the call");
    }

    private static final class Call extends LazyScope {
        private final Scope parent;

        Call(Scope parent) {
            this.parent = parent;
        }

        @Override
        protected Scope parent() {
            return parent;
        }

        @Override
        protected String scopeName() {
            return "call";
        }

        @Override
        protected ScopeOptions options() {
            return ScopeOptions.defaults().kind(THING);
        }
    }
}
