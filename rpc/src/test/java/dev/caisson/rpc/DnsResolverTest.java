package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.Metadata;
import io.grpc.NameResolver;
import io.grpc.Status;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A channel to a name: when it is looked up, and what becomes of the answers. Names, time and connections are the test's. */
class DnsResolverTest {
    private final FakeTime time = new FakeTime();
    private final List<FakeTransport> transports = new ArrayList<>();
    private final List<String> connected = new ArrayList<>();
    private final Deque<Runnable> offloaded = new ArrayDeque<>();
    private boolean offloads;
    /** What the name stands for; none if it is not known. */
    private String[] addresses = {};

    private int lookUps;

    private InetAddress[] lookUp(String host) throws UnknownHostException {
        assertThat(host).isEqualTo("backend.test");
        lookUps++;
        if (addresses.length == 0) {
            throw new UnknownHostException(host);
        }
        InetAddress[] found = new InetAddress[addresses.length];
        for (int i = 0; i < found.length; i++) {
            found[i] = InetAddress.getByName(addresses[i]);
        }
        return found;
    }

    private ChannelCore core(String target) {
        Executor offload = task -> {
            if (offloads) {
                offloaded.add(task);
            } else {
                task.run();
            }
        };
        ChannelSettings settings = CaissonChannelBuilder.forTarget(target)
                .usePlaintext()
                .nameResolverFactory(new Names(offload))
                .settings("pick_first", TimeUnit.HOURS.toNanos(10));
        return new ChannelCore(
                target,
                settings,
                new ChannelCore.Outside(
                        time,
                        time::nanos,
                        () -> 0.5,
                        (core, address) -> {
                            FakeTransport made = new FakeTransport(time);
                            transports.add(made);
                            connected.add(((InetSocketAddress) address.socket())
                                    .getAddress()
                                    .getHostAddress());
                            return made;
                        },
                        Runnable::run,
                        offload,
                        () -> {}));
    }

    private final class Names extends NameResolver.Factory {
        private final Executor offload;

        Names(Executor offload) {
            this.offload = offload;
        }

        @Override
        public NameResolver newNameResolver(URI target, NameResolver.Args args) {
            return new DnsResolver(
                    Target.parse(target.toString(), "dns"::equals),
                    args,
                    offload,
                    DnsResolverTest.this::lookUp,
                    time::nanos,
                    new Backoff(() -> 0.5));
        }

        @Override
        public String getDefaultScheme() {
            return "dns";
        }
    }

    private static final class Ending extends ClientCall.Listener<String> {
        @Nullable
        Status status;

        @Override
        public void onClose(Status newStatus, Metadata trailers) {
            status = newStatus;
        }
    }

    private Ending call(ChannelCore core, CallOptions options) {
        Ending ending = new Ending();
        ChannelCall<String, String> call =
                new ChannelCall<>(this, core, Echo.UNARY, options.withExecutor(Runnable::run));
        call.start(ending, new Metadata());
        call.sendMessage("x");
        call.halfClose();
        return ending;
    }

    private void failLast() {
        transports.getLast().fail("no");
    }

    @Test
    void aNameThatIsNotKnownIsLookedUpAgainWithGrowingPauses() {
        ChannelCore core = core("dns:///backend.test:50");
        Ending impatient = call(core, CallOptions.DEFAULT);
        Ending patient = call(core, CallOptions.DEFAULT.withWaitForReady());
        assertThat(lookUps).isEqualTo(1);
        assertThat(core.state(false)).isEqualTo(ConnectivityState.TRANSIENT_FAILURE);
        assertThat(String.valueOf(impatient.status))
                .contains("UNAVAILABLE")
                .contains("backend.test")
                .contains("not known");
        long pause = Backoff.INITIAL.toNanos();
        for (int n = 1; n < 5; n++) {
            time.advance(pause - 1);
            assertThat(lookUps).isEqualTo(n);
            time.advance(1);
            assertThat(lookUps).isEqualTo(n + 1);
            pause = (long) (pause * Backoff.MULTIPLIER);
        }
        addresses = new String[] {"10.0.0.1"};
        time.advance(pause);
        assertThat(connected).containsExactly("10.0.0.1");
        transports.getLast().ready();
        assertThat(transports.getLast().wakes).isEqualTo(1);
        assertThat(patient.status).isNull();
        time.advance(TimeUnit.HOURS.toNanos(1));
        assertThat(lookUps).as("an answer ends the retries").isEqualTo(6);
    }

    @Test
    void resettingTheBackoffLooksUpAtOnce() {
        ChannelCore core = core("dns:///backend.test:50");
        core.state(true);
        addresses = new String[] {"10.0.0.1"};
        core.resetBackoff();
        assertThat(lookUps).isEqualTo(2);
        assertThat(connected).containsExactly("10.0.0.1");
        time.advance(Backoff.INITIAL.toNanos());
        assertThat(lookUps).as("the pause is over and forgotten").isEqualTo(2);
    }

    @Test
    void whenAllAddressesFailedTheNameIsLookedUpAgainButNotTooSoon() {
        addresses = new String[] {"10.0.0.1", "10.0.0.2"};
        ChannelCore core = core("dns:///backend.test:50");
        core.state(true);
        failLast();
        assertThat(connected).containsExactly("10.0.0.1", "10.0.0.2");
        failLast();
        assertThat(core.state(false)).isEqualTo(ConnectivityState.TRANSIENT_FAILURE);
        addresses = new String[] {"10.0.0.3"};
        Duration rest = DnsResolver.MIN_INTERVAL;
        while (rest.compareTo(Duration.ofSeconds(1)) > 0) {
            time.advance(Duration.ofSeconds(1).toNanos());
            rest = rest.minusSeconds(1);
            while (transports.getLast().open()) {
                failLast();
            }
            assertThat(lookUps).isEqualTo(1);
        }
        int before = connected.size();
        time.advance(rest.toNanos());
        assertThat(lookUps).isEqualTo(2);
        assertThat(connected.subList(before, connected.size()))
                .as("the new address is tried without the pause of the old ones")
                .contains("10.0.0.3");
        transports.getLast().ready();
        assertThat(core.state(false)).isEqualTo(ConnectivityState.READY);
    }

    @Test
    void aLostConnectionLooksTheNameUp() {
        addresses = new String[] {"10.0.0.1"};
        ChannelCore core = core("dns:///backend.test:50");
        core.state(true);
        transports.getLast().ready();
        time.advance(DnsResolver.MIN_INTERVAL.toNanos());
        addresses = new String[] {"10.0.0.2"};
        transports.getLast().listener().draining(Status.UNAVAILABLE);
        assertThat(lookUps).isEqualTo(2);
        call(core, CallOptions.DEFAULT);
        assertThat(connected).containsExactly("10.0.0.1", "10.0.0.2");
    }

    @Test
    void aFailedLookUpKeepsTheAddressesThereAre() {
        addresses = new String[] {"10.0.0.1"};
        ChannelCore core = core("dns:///backend.test:50");
        core.state(true);
        transports.getLast().ready();
        time.advance(DnsResolver.MIN_INTERVAL.toNanos());
        addresses = new String[0];
        transports.getLast().listener().draining(Status.UNAVAILABLE);
        assertThat(lookUps).isEqualTo(2);
        Ending call = call(core, CallOptions.DEFAULT);
        assertThat(connected).containsExactly("10.0.0.1", "10.0.0.1");
        transports.getLast().ready();
        assertThat(transports.getLast().wakes).isEqualTo(1);
        assertThat(call.status).isNull();
        time.advance(Backoff.INITIAL.toNanos());
        assertThat(lookUps).as("and it is tried again").isEqualTo(3);
    }

    @Test
    void atMostOneLookUpRunsAtATimeAndALateAnswerIsNotHeard() {
        addresses = new String[] {"10.0.0.1"};
        offloads = true;
        ChannelCore core = core("dns:///backend.test:50");
        core.state(true);
        core.resetBackoff();
        core.resetBackoff();
        assertThat(offloaded).hasSize(1);
        core.shutdownNow();
        offloaded.remove().run();
        assertThat(transports).isEmpty();
        assertThat(core.state(false)).isEqualTo(ConnectivityState.SHUTDOWN);
    }

    @Test
    void anAddressIsNotLookedUp() {
        ChannelCore core = core("dns:///10.0.0.9:50");
        core.state(true);
        failLast();
        time.advance(TimeUnit.MINUTES.toNanos(5));
        assertThat(lookUps).isZero();
        assertThat(connected).containsOnly("10.0.0.9");
    }

    @Test
    void moreAddressesThanAllowedAreLeftOut() {
        addresses = new String[DnsResolver.MAX_ADDRESSES + 10];
        for (int i = 0; i < addresses.length; i++) {
            addresses[i] = "10.1." + i / 250 + "." + i % 250;
        }
        ChannelCore core = core("dns:///backend.test:50");
        core.state(true);
        while (core.state(false) == ConnectivityState.CONNECTING) {
            failLast();
        }
        assertThat(connected).hasSize(DnsResolver.MAX_ADDRESSES);
    }
}
