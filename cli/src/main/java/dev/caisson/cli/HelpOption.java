package dev.caisson.cli;

import picocli.CommandLine.Option;

/** {@code --help} of a sub-command; the version is the main command's. */
final class HelpOption {
    @Option(
            names = {"-h", "--help"},
            order = 90,
            usageHelp = true,
            description = "Show this help.")
    boolean help;
}
