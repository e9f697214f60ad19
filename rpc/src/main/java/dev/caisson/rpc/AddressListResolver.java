package dev.caisson.rpc;

import dev.caisson.rpc.Target.HostPort;
import io.grpc.EquivalentAddressGroup;
import io.grpc.NameResolver;
import io.grpc.StatusOr;
import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;

/** Resolves {@code ipv4:1.2.3.4:80,5.6.7.8:90} and {@code ipv6:[::1]:80}: the addresses stand in the target. */
final class AddressListResolver extends NameResolver {
    private final List<EquivalentAddressGroup> addresses;
    private final String authority;

    /** @throws IllegalArgumentException if the list is empty or holds anything but addresses of the scheme's family */
    AddressListResolver(Target target, int defaultPort) {
        String path = target.uri().getSchemeSpecificPart();
        while (path.startsWith("/")) {
            path = path.substring(1);
        }
        List<EquivalentAddressGroup> found = new ArrayList<>();
        List<String> authorities = new ArrayList<>();
        int length = target.scheme().equals("ipv4") ? 4 : 16;
        for (String each : path.split(",", -1)) {
            HostPort hostPort = HostPort.parse(each, defaultPort);
            byte[] bytes = NetUtil.createByteArrayFromIpAddressString(hostPort.host());
            if (bytes == null || bytes.length != length) {
                throw new IllegalArgumentException("target " + target.text() + ": " + hostPort.host() + " is not an "
                        + (length == 4 ? "IPv4" : "IPv6") + " address");
            }
            try {
                found.add(new EquivalentAddressGroup(
                        new InetSocketAddress(InetAddress.getByAddress(bytes), hostPort.port())));
            } catch (UnknownHostException e) {
                throw new IllegalArgumentException(e);
            }
            authorities.add(each);
        }
        this.addresses = List.copyOf(found);
        this.authority = authorities.getFirst();
    }

    @Override
    public String getServiceAuthority() {
        return authority;
    }

    @Override
    public void start(Listener2 listener) {
        listener.onResult2(ResolutionResult.newBuilder()
                .setAddressesOrError(StatusOr.fromValue(addresses))
                .build());
    }

    @Override
    public void shutdown() {}
}
