package dev.caisson.gateway.generic;

/** How names are written by people, and how descriptors have them. */
final class Symbols {
    private Symbols() {}

    /** {@code .pkg.Type} and {@code /pkg.Svc/Method} as {@code pkg.Type} and {@code pkg.Svc.Method}. */
    static String plain(String name) {
        String plain = name.startsWith(".") || name.startsWith("/") ? name.substring(1) : name;
        return plain.replace('/', '.');
    }
}
