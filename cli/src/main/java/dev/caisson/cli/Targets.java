package dev.caisson.cli;

import org.jspecify.annotations.Nullable;

/**
 * The two arguments of list and describe: an address, which files make unnecessary, and a name.
 *
 * @param address null if files were given and no address
 * @param symbol null if none was named
 */
record Targets(@Nullable String address, @Nullable String symbol) {
    static Targets of(@Nullable String first, @Nullable String second, boolean fromFiles) {
        if (second == null && first != null && fromFiles && first.indexOf(':') < 0) {
            return new Targets(null, first);
        }
        if (first == null && !fromFiles) {
            throw Failure.usage("an address is needed: HOST:PORT (or --proto or --descriptor-set)");
        }
        return new Targets(first, second);
    }

    /** The console of the main command, which picocli sets before it runs a sub-command. */
    static Console console(@Nullable Main main) {
        if (main == null) {
            throw new IllegalStateException("run without the caisson command");
        }
        return main.console();
    }
}
