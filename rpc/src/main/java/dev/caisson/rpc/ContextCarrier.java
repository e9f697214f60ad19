package dev.caisson.rpc;

import dev.caisson.scope.Carrier;
import io.grpc.Context;

/** Takes {@link Context} into the tasks that a call's scope forks. */
final class ContextCarrier implements Carrier {
    static final ContextCarrier INSTANCE = new ContextCarrier();

    private ContextCarrier() {}

    @Override
    public Runnable capture(Runnable task) {
        return Context.current().wrap(task);
    }
}
