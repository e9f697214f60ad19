package dev.caisson.tests.interop;

/**
 * Who calls whom, over what, and where the server lives.
 *
 * @param channel whose channel
 * @param server whose server
 * @param transport plaintext or TLS
 * @param external whether the server runs in a process of its own, so that the suite cannot look into it
 */
record Way(Side channel, Side server, Transport transport, boolean external) {
    @Override
    public String toString() {
        return channel + " channel to " + server + " server, " + transport + (external ? ", in another process" : "");
    }
}
