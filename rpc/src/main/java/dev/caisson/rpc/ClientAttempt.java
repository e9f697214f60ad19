package dev.caisson.rpc;

import io.grpc.Attributes;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/** One try of a call on one connection: the task that carries what is new from the caller's thread to the loop. */
final class ClientAttempt extends Connection.Task implements Transport.Attempt, Runnable {
    private final ClientConnection connection;
    private final ChannelCall<?, ?> call;
    private @Nullable ClientStream stream;

    ClientAttempt(ClientConnection connection, ChannelCall<?, ?> call) {
        this.connection = connection;
        this.call = call;
    }

    @Override
    public void wake() {
        connection.submit(this);
    }

    @Override
    void run(boolean open) {
        ClientStream s = stream;
        if (!open) {
            if (s == null) {
                call.refused(this, Status.UNAVAILABLE.withDescription(connection + " has ended"), false);
            }
            return; // a stream that there was has been told already
        }
        if (s == null) {
            s = new ClientStream(connection, call, this);
            stream = s;
            connection.admit(s);
        } else {
            s.drain();
        }
    }

    @Override
    public void notifyAfterBurst() {
        connection.notifyAfterBurst(this);
    }

    /** After the burst. */
    @Override
    public void run() {
        call.notifyListener();
    }

    @Override
    public Attributes attributes() {
        return connection.attributes();
    }
}
