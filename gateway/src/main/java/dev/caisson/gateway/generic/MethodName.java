package dev.caisson.gateway.generic;

import java.util.List;

/**
 * The two halves of a method's full name.
 *
 * @param service full name of the service
 * @param method its method's own name
 */
public record MethodName(String service, String method) {
    /**
     * Reads {@code pkg.Svc/Method} or {@code pkg.Svc.Method}, with or without a leading slash.
     *
     * @throws CatalogException if there are no two halves
     */
    public static MethodName parse(String name) {
        String plain = name.startsWith("/") ? name.substring(1) : name;
        int cut = plain.indexOf('/') >= 0 ? plain.indexOf('/') : plain.lastIndexOf('.');
        if (cut <= 0 || cut == plain.length() - 1 || plain.indexOf('/', cut + 1) >= 0) {
            throw CatalogException.unknown("method", name, "(a method is named package.Service/Method)", List.of());
        }
        return new MethodName(plain.substring(0, cut), plain.substring(cut + 1));
    }

    @Override
    public String toString() {
        return service + "/" + method;
    }
}
