package dev.caisson.rpc;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ConnectivityState;
import io.grpc.Metadata;
import io.grpc.Status;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The channel's engine over scripted transports, with time in the test's hand. */
class ChannelCoreTest {
    private final FakeTime time = new FakeTime();
    private final List<FakeTransport> transports = new ArrayList<>();
    private final List<FakeCall> calls = new ArrayList<>();
    private boolean terminated;

    private ChannelCore core(String target, String policy) {
        return core(target, policy, TimeUnit.MINUTES.toNanos(30));
    }

    private ChannelCore core(String target, String policy, long idleNanos) {
        ChannelSettings settings =
                CaissonChannelBuilder.forTarget(target).usePlaintext().settings(policy, idleNanos);
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
                            return made;
                        },
                        Runnable::run,
                        Runnable::run,
                        () -> terminated = true));
    }

    private FakeTransport last() {
        return transports.getLast();
    }

    private FakeCall call(ChannelCore core, CallOptions options) {
        FakeCall call = new FakeCall();
        calls.add(call);
        ChannelCall<String, String> made =
                new ChannelCall<>(this, core, Echo.UNARY, options.withExecutor(Runnable::run));
        made.start(call, new Metadata());
        made.request(2);
        made.sendMessage("x");
        made.halfClose();
        return call;
    }

    @Test
    void connectsWithTheFirstCallAndHandsItOverWhenReady() {
        ChannelCore core = core("ipv4:127.0.0.1:1", "pick_first");
        assertThat(core.state(false)).isEqualTo(ConnectivityState.IDLE);
        assertThat(transports).isEmpty();
        FakeCall call = call(core, CallOptions.DEFAULT);
        assertThat(core.state(false)).isEqualTo(ConnectivityState.CONNECTING);
        assertThat(last().wakes).isZero();
        last().ready();
        assertThat(core.state(false)).isEqualTo(ConnectivityState.READY);
        assertThat(last().wakes).as("one hand-over for the whole unary call").isEqualTo(1);
        assertThat(call.status).isNull();
        core.shutdownNow();
        assertThat(call.status).isNull(); // its transport has not ended yet
        last().end();
        assertThat(terminated).isTrue();
    }

    @Test
    void pickFirstTriesEachAddressThenPausesLongerEachTime() {
        ChannelCore core = core("ipv4:127.0.0.1:1,127.0.0.2:2", "pick_first");
        FakeCall impatient = call(core, CallOptions.DEFAULT);
        FakeCall patient = call(core, CallOptions.DEFAULT.withWaitForReady());
        transports.get(0).fail("first");
        assertThat(impatient.status).isNull();
        transports.get(1).fail("second");
        assertThat(core.state(false)).isEqualTo(ConnectivityState.TRANSIENT_FAILURE);
        assertThat(impatient.status()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(impatient.description()).contains("ipv4:127.0.0.1:1").contains("second");
        assertThat(patient.status).isNull();

        time.advance(TimeUnit.MILLISECONDS.toNanos(999));
        assertThat(transports).hasSize(2);
        time.advance(TimeUnit.MILLISECONDS.toNanos(1));
        assertThat(transports).hasSize(3);
        // Until a connection stands, calls that do not wait fail at once.
        assertThat(call(core, CallOptions.DEFAULT).status()).isEqualTo(Status.Code.UNAVAILABLE);
        transports.get(2).fail("first again");
        transports.get(3).fail("second again");
        time.advance(TimeUnit.MILLISECONDS.toNanos(1599));
        assertThat(transports).hasSize(4);
        time.advance(TimeUnit.MILLISECONDS.toNanos(1));
        assertThat(transports).hasSize(5);
        transports.get(4).ready();
        assertThat(last().wakes).isEqualTo(1);
        assertThat(patient.status).isNull();
    }

    @Test
    void anAddressThatDoesNotAnswerDelaysTheNextOnlyALittle() {
        ChannelCore core = core("ipv4:127.0.0.1:1,127.0.0.2:2,127.0.0.3:3", "pick_first");
        FakeCall call = call(core, CallOptions.DEFAULT);
        time.advance(Subchannel.STAGGER.toNanos() - 1);
        assertThat(transports).hasSize(1);
        time.advance(1);
        assertThat(transports).hasSize(2);
        transports.get(1).fail("refused"); // at once the next one; it is alone for its own while
        assertThat(transports).hasSize(3);
        transports.get(2).ready();
        assertThat(core.state(false)).isEqualTo(ConnectivityState.READY);
        assertThat(transports.get(2).wakes).isEqualTo(1);
        assertThat(transports.get(0).shutdown)
                .as("nobody waits for it any more")
                .isTrue();
        transports.get(0).ready(); // too late
        transports.get(0).end();
        assertThat(core.state(false)).isEqualTo(ConnectivityState.READY);
        assertThat(transports.get(2).shutdown).isFalse();
        assertThat(call.status).isNull();
        time.advance(TimeUnit.MINUTES.toNanos(1));
        assertThat(transports).hasSize(3);
    }

    @Test
    void aSlowAddressMayStillWin() {
        ChannelCore core = core("ipv4:127.0.0.1:1,127.0.0.2:2", "pick_first");
        core.state(true);
        time.advance(Subchannel.STAGGER.toNanos());
        transports.get(0).ready();
        assertThat(core.state(false)).isEqualTo(ConnectivityState.READY);
        assertThat(transports.get(1).shutdown).isTrue();
    }

    @Test
    void aRoundHasFailedWhenItsLastAttemptHas() {
        ChannelCore core = core("ipv4:127.0.0.1:1,127.0.0.2:2", "pick_first");
        core.state(true);
        time.advance(Subchannel.STAGGER.toNanos());
        transports.get(1).fail("second");
        assertThat(core.state(false)).isEqualTo(ConnectivityState.CONNECTING);
        transports.get(0).fail("first");
        assertThat(core.state(false)).isEqualTo(ConnectivityState.TRANSIENT_FAILURE);
        // The pause counts from the round's beginning (connection-backoff.md).
        time.advance(Backoff.INITIAL.minus(Subchannel.STAGGER).toNanos() - 1);
        assertThat(transports).hasSize(2);
        time.advance(1);
        assertThat(transports).hasSize(3);
    }

    @Test
    void aChannelThatIdlesDropsItsAttempts() {
        ChannelCore core = core("ipv4:127.0.0.1:1,127.0.0.2:2,127.0.0.3:3", "pick_first");
        core.state(true);
        time.advance(Subchannel.STAGGER.toNanos());
        core.enterIdle();
        assertThat(transports).hasSize(2).allMatch(each -> each.shutdown);
        time.advance(TimeUnit.MINUTES.toNanos(1));
        assertThat(transports).hasSize(2);
    }

    @Test
    void resettingTheBackoffConnectsAtOnce() {
        ChannelCore core = core("ipv4:127.0.0.1:1", "pick_first");
        core.state(true);
        last().fail("no");
        assertThat(transports).hasSize(1);
        core.resetBackoff();
        assertThat(transports).hasSize(2);
    }

    @Test
    void aLostConnectionIsMadeAgainWithTheNextCall() {
        ChannelCore core = core("ipv4:127.0.0.1:1", "pick_first");
        core.state(true);
        last().ready();
        last().listener().draining(Status.UNAVAILABLE);
        assertThat(core.state(false)).isEqualTo(ConnectivityState.IDLE);
        assertThat(transports).hasSize(1);
        call(core, CallOptions.DEFAULT);
        assertThat(transports).hasSize(2);
    }

    @Test
    void roundRobinSpreadsCallsOverReadyAddresses() {
        ChannelCore core = core("ipv4:127.0.0.1:1,127.0.0.2:2,127.0.0.3:3", "round_robin");
        core.state(true);
        assertThat(transports).hasSize(3);
        transports.get(0).ready();
        transports.get(1).ready();
        transports.get(2).fail("no");
        for (int i = 0; i < 10; i++) {
            call(core, CallOptions.DEFAULT);
        }
        assertThat(transports.get(0).wakes).isEqualTo(5);
        assertThat(transports.get(1).wakes).isEqualTo(5);
    }

    @Test
    void roundRobinFailsOnlyWhenAllAddressesDo() {
        ChannelCore core = core("ipv4:127.0.0.1:1,127.0.0.2:2", "round_robin");
        core.state(true);
        transports.get(0).fail("one");
        assertThat(core.state(false)).isEqualTo(ConnectivityState.CONNECTING);
        transports.get(1).fail("two");
        assertThat(core.state(false)).isEqualTo(ConnectivityState.TRANSIENT_FAILURE);
    }

    @Test
    void roundRobinConnectsAgainByItselfButNotAtOnce() {
        ChannelCore core = core("ipv4:127.0.0.1:1", "round_robin");
        core.state(true);
        last().ready();
        last().listener().draining(Status.UNAVAILABLE);
        assertThat(core.state(false)).isEqualTo(ConnectivityState.CONNECTING);
        assertThat(transports).hasSize(1);
        time.advance(Backoff.INITIAL.toNanos());
        assertThat(transports).hasSize(2);
        last().ready();
        time.advance(Backoff.INITIAL.toNanos());
        last().listener().draining(Status.UNAVAILABLE);
        assertThat(transports).as("it lived long enough").hasSize(3);
    }

    @Test
    void goesIdleWhenNoCallCame() {
        long idle = TimeUnit.SECONDS.toNanos(10);
        ChannelCore core = core("ipv4:127.0.0.1:1", "pick_first", idle);
        core.state(true);
        last().ready();
        last().calls = 1;
        time.advance(idle * 3);
        assertThat(core.state(false)).isEqualTo(ConnectivityState.READY);
        last().calls = 0;
        last().freeSince = time.nanos();
        time.advance(idle * 2);
        assertThat(core.state(false)).isEqualTo(ConnectivityState.IDLE);
        assertThat(last().shutdown).isTrue();
        call(core, CallOptions.DEFAULT);
        assertThat(transports).hasSize(2);
    }

    @Test
    void aWaitingCallEndsAtItsDeadline() {
        ChannelCore core = core("ipv4:127.0.0.1:1", "pick_first");
        FakeCall call = call(core, CallOptions.DEFAULT.withDeadlineAfter(1, TimeUnit.HOURS));
        time.advance(TimeUnit.HOURS.toNanos(2));
        assertThat(call.status()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        assertThat(call.description()).contains("waiting for a connection to ipv4:127.0.0.1:1");
        last().ready();
        assertThat(last().wakes).isZero();
    }

    @Test
    void callsThatWaitForAConnectionAreBounded() {
        ChannelCore core = core("ipv4:127.0.0.1:1", "pick_first");
        for (int i = 0; i < ChannelCore.MAX_PENDING_CALLS; i++) {
            call(core, CallOptions.DEFAULT);
        }
        FakeCall refused = call(core, CallOptions.DEFAULT);
        assertThat(refused.status()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
        assertThat(refused.description())
                .contains("65536 calls wait for a connection")
                .contains("CONNECTING");
        assertThat(calls.subList(0, ChannelCore.MAX_PENDING_CALLS)).allMatch(call -> call.status == null);
        last().ready();
        assertThat(last().wakes).isEqualTo(ChannelCore.MAX_PENDING_CALLS);
        assertThat(call(core, CallOptions.DEFAULT).status).isNull();
    }

    @Test
    void shutdownLetsWaitingCallsGoOn() {
        ChannelCore core = core("ipv4:127.0.0.1:1", "pick_first");
        FakeCall call = call(core, CallOptions.DEFAULT);
        core.shutdown();
        assertThat(core.state(false)).isEqualTo(ConnectivityState.SHUTDOWN);
        assertThat(call(core, CallOptions.DEFAULT).description()).contains("shutdown was called");
        assertThat(call.status).isNull();
        assertThat(last().shutdown).isFalse();
        last().ready();
        assertThat(last().wakes).isEqualTo(1);
        assertThat(last().shutdown).as("no call waits any more").isTrue();
        assertThat(terminated).isFalse();
        last().end();
        assertThat(terminated).isTrue();
    }

    @Test
    void aRefusedCallGoesElsewhereWithItsMessages() {
        ChannelCore core = core("ipv4:127.0.0.1:1", "pick_first");
        FakeCall call = call(core, CallOptions.DEFAULT);
        FakeTransport first = last();
        first.ready();
        assertThat(first.drain()).containsExactly("message last", "request 2");
        first.listener().draining(Status.UNAVAILABLE.withDescription("going away"));
        first.attempt().refuse(Status.UNAVAILABLE.withDescription("not looked at"), true);
        last().ready();
        assertThat(last()).isNotSameAs(first);
        assertThat(last().drain()).containsExactly("message last", "request 2");
        last().attempt().refuse(Status.UNAVAILABLE.withDescription("not looked at either"), true);
        assertThat(call.status()).isEqualTo(Status.Code.UNAVAILABLE);
        assertThat(call.description()).isEqualTo("not looked at either");
    }

    @Test
    void obeysTheServiceConfigsTimeoutAndWaitForReady() {
        ServiceConfig config = ServiceConfig.parse(Map.of(
                "methodConfig",
                List.of(Map.of(
                        "name", List.of(Map.of("service", "test.Echo")), "timeout", "1.5s", "waitForReady", true))));
        ServiceConfig.MethodConfig method = config.method("test.Echo/Unary");
        assertThat(method).isNotNull();
        assertThat(String.valueOf(method)).contains("PT1.5S").contains("waitForReady=true");
        assertThat(config.method("other.Echo/Unary")).isNull();
    }

    @Test
    void tellsStateChangesOnce() {
        ChannelCore core = core("ipv4:127.0.0.1:1", "pick_first");
        List<String> told = new ArrayList<>();
        core.whenStateChanged(ConnectivityState.IDLE, () -> told.add("left idle"));
        core.whenStateChanged(ConnectivityState.READY, () -> told.add("not ready"));
        assertThat(told).containsExactly("not ready");
        core.state(true);
        last().ready();
        assertThat(told).containsExactly("not ready", "left idle");
    }

    @Test
    void interleavesAddressFamilies() {
        List<io.grpc.EquivalentAddressGroup> groups = new ArrayList<>();
        for (String each : Arrays.asList("1.1.1.1", "2.2.2.2", "::1", "::2")) {
            groups.add(new io.grpc.EquivalentAddressGroup(new InetSocketAddress(each, 1)));
        }
        assertThat(Subchannel.flatten(groups).stream()
                        .map(a -> ((InetSocketAddress) a.socket()).getHostString())
                        .toList())
                .containsExactly("1.1.1.1", "0:0:0:0:0:0:0:1", "2.2.2.2", "0:0:0:0:0:0:0:2");
    }

    private static final class FakeCall extends ClientCall.Listener<String> {
        @Nullable
        Status status;

        @Override
        public void onClose(Status newStatus, Metadata trailers) {
            assertThat(status).as("closed twice").isNull();
            status = newStatus;
        }

        Status.Code status() {
            assertThat(status).as("the call has not ended").isNotNull();
            return status == null ? Status.Code.OK : status.getCode();
        }

        String description() {
            return status == null ? "" : String.valueOf(status.getDescription());
        }
    }
}
