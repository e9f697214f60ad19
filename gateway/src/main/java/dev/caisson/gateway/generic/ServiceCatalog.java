package dev.caisson.gateway.generic;

import com.google.protobuf.Descriptors.GenericDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import java.util.List;

/**
 * The services of a server and their types: asked from the server ({@link ReflectionCatalog}) or read from files
 * ({@link DescriptorCatalog}). Look-ups may block on the network until the deadline of {@link CatalogLimits}; every one
 * throws {@link CatalogException}. What was found once stays as it was, so an instance is meant to live for a while, not
 * for ever: make a new one to see a server's new version. Nothing to close.
 */
public interface ServiceCatalog extends TypeSource {
    /** Full names of all services, sorted. */
    List<String> services();

    /**
     * A service.
     *
     * @param fullName as in {@code helloworld.Greeter}
     * @throws CatalogException with the nearest names if there is none
     */
    ServiceDescriptor service(String fullName);

    /**
     * A service, method, message, enum or extension.
     *
     * @param fullName with or without a leading dot; a method as {@code pkg.Svc/Method} or {@code pkg.Svc.Method}
     * @throws CatalogException with the nearest names if there is none
     */
    GenericDescriptor symbol(String fullName);

    /**
     * A method.
     *
     * @param name {@code pkg.Svc/Method}, as on the wire, or {@code pkg.Svc.Method}; a leading slash is ignored
     * @throws CatalogException with the nearest names if the service is unknown, or the service has no such method
     */
    default MethodDescriptor method(String name) {
        MethodName parts = MethodName.parse(name);
        ServiceDescriptor service = service(parts.service());
        MethodDescriptor method = service.findMethodByName(parts.method());
        if (method == null) {
            throw CatalogException.unknown(
                    "method",
                    parts.method(),
                    "in " + service.getFullName(),
                    service.getMethods().stream().map(MethodDescriptor::getName).toList());
        }
        return method;
    }
}
