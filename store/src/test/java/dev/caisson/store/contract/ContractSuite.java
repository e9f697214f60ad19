package dev.caisson.store.contract;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Plays many cases against one server. A case that failed is followed by a fresh one, unless it failed for a command that
 * the server does not know: then nothing was changed by it.
 */
final class ContractSuite implements AutoCloseable {
    private final Opener opener;
    private final Duration patience;
    private final List<ContractRunner.Failure> failures = new ArrayList<>();
    private Server server;
    private ContractRunner runner;
    private int plays;

    ContractSuite(Opener opener, Duration patience) throws IOException {
        this.opener = opener;
        this.patience = patience;
        server = opener.open();
        runner = new ContractRunner(server.port(), patience);
    }

    /** A server on a loopback port. */
    interface Server extends AutoCloseable {
        int port();

        @Override
        void close() throws IOException;
    }

    /** Opens a server that nothing has used. */
    interface Opener {
        Server open() throws IOException;
    }

    /** Plays a case in each of its protocols. */
    List<ContractRunner.Failure> play(ContractCase contractCase) throws IOException {
        var found = new ArrayList<ContractRunner.Failure>();
        for (int protocol : contractCase.protocols()) {
            kept(runner.play(contractCase, protocol)).ifPresent(found::add);
        }
        return found;
    }

    /** Plays a case in one protocol before a witness. */
    Optional<ContractRunner.Failure> play(ContractCase contractCase, int protocol, ContractRunner.Witness witness)
            throws IOException {
        return kept(runner.play(contractCase, protocol, witness));
    }

    private Optional<ContractRunner.Failure> kept(Optional<ContractRunner.Failure> failure) throws IOException {
        plays++;
        failure.ifPresent(failures::add);
        if (failure.isPresent() && !failure.get().what().contains("-ERR unknown command")) {
            close();
            server = opener.open();
            runner = new ContractRunner(server.port(), patience);
        }
        return failure;
    }

    /** How often a case was played, each protocol counted. */
    int plays() {
        return plays;
    }

    List<ContractRunner.Failure> failures() {
        return List.copyOf(failures);
    }

    @Override
    public void close() throws IOException {
        runner.close();
        server.close();
    }
}
