package dev.caisson.rpc;

import io.grpc.ConnectivityState;
import io.grpc.EquivalentAddressGroup;
import io.grpc.Status;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Which connections to keep to a target's addresses, and which of them takes the next call. Confined to the channel's
 * synchronization context.
 */
abstract class Balancer {
    /** What a balancer needs of its channel. */
    interface Host extends Subchannel.Environment {
        /** What calls and the user see from now on. */
        void publish(ConnectivityState state, Picker picker);

        /** Asks the resolver for newer addresses. */
        void refresh();

        /** A number from 0 (inclusive) to {@code bound} (exclusive). */
        int random(int bound);
    }

    final Host host;

    Balancer(Host host) {
        this.host = host;
    }

    /** Makes the balancer of a policy; the policy must be one of {@link ServiceConfig#POLICIES}. */
    static Balancer of(String policy, Host host) {
        return switch (policy) {
            case "pick_first" -> new PickFirst(host);
            case "round_robin" -> new RoundRobin(host);
            default -> throw new IllegalArgumentException("no balancing policy " + policy);
        };
    }

    /** The target's addresses now; at least one. */
    abstract void addresses(List<EquivalentAddressGroup> groups);

    /** Connects if it does not; somebody wants to call. */
    abstract void connect();

    /** Tries again at once where it waits after failures. */
    abstract void resetBackoff();

    /** Takes no more calls; those that are open go on. */
    abstract void shutdown(Status why);

    /** The first address that answers takes all calls. */
    private static final class PickFirst extends Balancer {
        private @Nullable Subchannel subchannel;
        private boolean failing;

        PickFirst(Host host) {
            super(host);
        }

        @Override
        void addresses(List<EquivalentAddressGroup> groups) {
            Subchannel existing = subchannel;
            if (existing != null) {
                existing.update(groups);
                return;
            }
            Subchannel made = new Subchannel(host, groups, this::changed);
            subchannel = made;
            made.connect();
        }

        private void changed() {
            Subchannel sub = subchannel;
            if (sub == null) {
                return;
            }
            switch (sub.state()) {
                case READY -> {
                    failing = false;
                    host.publish(ConnectivityState.READY, Picker.of(sub.ready()));
                }
                case IDLE -> {
                    host.publish(ConnectivityState.IDLE, Picker.idlePicker());
                    host.refresh();
                }
                case CONNECTING -> {
                    // Once it failed, calls fail fast until a connection stands (gRFC A62).
                    if (!failing) {
                        host.publish(ConnectivityState.CONNECTING, Picker.queue());
                    }
                }
                case TRANSIENT_FAILURE -> {
                    failing = true;
                    host.publish(ConnectivityState.TRANSIENT_FAILURE, Picker.failing(sub.error()));
                    host.refresh();
                }
                default -> {}
            }
        }

        @Override
        void connect() {
            if (subchannel != null) {
                subchannel.connect();
            }
        }

        @Override
        void resetBackoff() {
            if (subchannel != null) {
                subchannel.resetBackoff();
            }
        }

        @Override
        void shutdown(Status why) {
            if (subchannel != null) {
                subchannel.shutdown(why);
            }
        }
    }

    /** A connection to each group of addresses; calls take turns over those that stand. */
    private static final class RoundRobin extends Balancer {
        private final Map<EquivalentAddressGroup, Subchannel> subchannels = new LinkedHashMap<>();
        private final Set<Subchannel> failing = new LinkedHashSet<>();
        private List<Transport> published = List.of();

        RoundRobin(Host host) {
            super(host);
        }

        @Override
        void addresses(List<EquivalentAddressGroup> groups) {
            Set<EquivalentAddressGroup> wanted = new LinkedHashSet<>(groups);
            List<Subchannel> removed = new ArrayList<>();
            subchannels.entrySet().removeIf(entry -> {
                if (wanted.contains(entry.getKey())) {
                    return false;
                }
                removed.add(entry.getValue());
                return true;
            });
            List<Subchannel> added = new ArrayList<>();
            for (EquivalentAddressGroup group : wanted) {
                if (!subchannels.containsKey(group)) {
                    Subchannel[] self = new Subchannel[1];
                    Subchannel made = new Subchannel(host, List.of(group), () -> changed(self[0]));
                    self[0] = made;
                    subchannels.put(group, made);
                    added.add(made);
                }
            }
            added.forEach(Subchannel::connect);
            publish();
            for (Subchannel each : removed) {
                failing.remove(each);
                each.shutdown(Status.UNAVAILABLE.withDescription("the address is no longer among the target's"));
            }
        }

        private void changed(Subchannel sub) {
            if (!subchannels.containsValue(sub)) {
                return;
            }
            switch (sub.state()) {
                case READY -> failing.remove(sub);
                case IDLE -> {
                    host.refresh();
                    long pause = Backoff.INITIAL.toNanos() - (host.nanoTime() - sub.roundStartedNanos());
                    if (pause <= 0) {
                        sub.connect();
                        return; // told of CONNECTING already
                    }
                    // A peer that takes connections and drops them is not called again at once.
                    var _ = host.after(pause, sub::connect);
                }
                case TRANSIENT_FAILURE -> {
                    failing.add(sub);
                    host.refresh();
                }
                default -> {}
            }
            publish();
        }

        private void publish() {
            List<Transport> ready = new ArrayList<>();
            Status error = null;
            for (Subchannel sub : subchannels.values()) {
                if (sub.state() == ConnectivityState.READY) {
                    ready.add(sub.ready());
                } else if (failing.contains(sub)) {
                    error = sub.error();
                }
            }
            if (!ready.isEmpty()) {
                if (!ready.equals(published)) {
                    host.publish(ConnectivityState.READY, Picker.of(ready, host.random(ready.size())));
                }
            } else if (failing.size() == subchannels.size() && error != null) {
                host.publish(ConnectivityState.TRANSIENT_FAILURE, Picker.failing(error));
            } else {
                host.publish(ConnectivityState.CONNECTING, Picker.queue());
            }
            published = List.copyOf(ready);
        }

        @Override
        void connect() {
            subchannels.values().forEach(Subchannel::connect);
        }

        @Override
        void resetBackoff() {
            List.copyOf(subchannels.values()).forEach(Subchannel::resetBackoff);
        }

        @Override
        void shutdown(Status why) {
            subchannels.values().forEach(sub -> sub.shutdown(why));
        }
    }
}
