package dev.caisson.store.engine;

import dev.caisson.store.resp.RespWriter;

/** What the HELP subcommands answer. */
final class Help {
    private Help() {}

    /** Writes the lines of a container's help between those that Redis puts around them. */
    static void write(RespWriter out, String container, String... lines) {
        out.array(lines.length + 3);
        out.simple(container + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
        for (String line : lines) {
            out.simple(line);
        }
        out.simple("HELP");
        out.simple("    Print this help.");
    }
}
