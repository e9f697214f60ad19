package dev.caisson.store.contract;

import dev.caisson.store.engine.Command;
import dev.caisson.store.engine.CommandTable;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Which of the store's commands have which cases: seen from the requests and replies, not from the cases' names alone. */
final class CommandCoverage {
    /** What every command has a case for, where it applies. */
    enum Aspect {
        SUCCESS,
        ARITY,
        WRONG_TYPE,
        MISSING_KEY,
        RESP2,
        RESP3
    }

    /** Ours, which Redis cannot be recorded for; and scripts, which Redis runs and we refuse. */
    private static final Set<String> OWN =
            Set.of("OBSERVE", "UNOBSERVE", "EVAL", "EVALSHA", "EVAL_RO", "EVALSHA_RO", "FCALL", "FCALL_RO");

    /** What Redis refuses as the contract has it set up: without a cluster, a configuration file, an ACL file, LFU. */
    private static final Set<String> REFUSED = Set.of(
            "ASKING", "READONLY", "READWRITE", "CLUSTER", "CONFIG REWRITE", "ACL SAVE", "ACL LOAD", "OBJECT FREQ");

    private final Map<String, Set<Aspect>> seen = new TreeMap<>();
    private final Map<String, Set<String>> files = new TreeMap<>();
    private final Map<String, Command> commands = new TreeMap<>();

    CommandCoverage(CommandTable table, List<ContractFile> recordings) {
        for (Command command : table.all()) {
            boolean own = command.name().contains(".") || OWN.contains(command.name());
            if (!own && command.subcommands().isEmpty()) {
                commands.put(command.name(), command);
            }
            for (Command sub : command.subcommands().values()) {
                commands.put(name(sub), sub);
            }
        }
        for (ContractFile file : recordings) {
            file.cases().forEach(this::look);
        }
    }

    private static String name(Command command) {
        return command.fullName().replace('|', ' ').toUpperCase(Locale.ROOT);
    }

    private void look(ContractCase contractCase) {
        List<Step> steps = contractCase.steps();
        for (int i = 0; i + 1 < steps.size(); i++) {
            if (steps.get(i) instanceof Step.Send send && steps.get(i + 1) instanceof Step.Expect expect) {
                asked(send.words()).ifPresent(name -> {
                    Set<Aspect> aspects = seen.computeIfAbsent(name, n -> EnumSet.noneOf(Aspect.class));
                    int protocol = contractCase.protocols().getFirst();
                    aspects.addAll(aspects(expect.bytes(protocol)));
                    contractCase.protocols().forEach(p -> aspects.add(p == 2 ? Aspect.RESP2 : Aspect.RESP3));
                    if (name.equals(contractCase.command())) {
                        files.computeIfAbsent(name, n -> new TreeSet<>()).add(contractCase.file());
                        if (contractCase.subject().startsWith("wrong type")) {
                            aspects.add(Aspect.WRONG_TYPE);
                        }
                        if (contractCase.subject().startsWith("missing key")) {
                            aspects.add(Aspect.MISSING_KEY);
                        }
                    }
                });
            }
        }
    }

    private static Set<Aspect> aspects(String reply) {
        if (reply.contains("wrong number of arguments")) {
            return EnumSet.of(Aspect.ARITY);
        }
        if (reply.startsWith("-WRONGTYPE")) {
            return EnumSet.of(Aspect.WRONG_TYPE);
        }
        return reply.startsWith("-") ? EnumSet.noneOf(Aspect.class) : EnumSet.of(Aspect.SUCCESS);
    }

    /** The registered command that a request names. */
    private Optional<String> asked(List<byte[]> words) {
        if (words.isEmpty()) {
            return Optional.empty();
        }
        String first = text(words.getFirst());
        String both = words.size() > 1 ? first + " " + text(words.get(1)) : first;
        return commands.containsKey(both)
                ? Optional.of(both)
                : commands.containsKey(first) ? Optional.of(first) : Optional.empty();
    }

    private static String text(byte[] word) {
        return new String(word, StandardCharsets.ISO_8859_1).toUpperCase(Locale.ROOT);
    }

    Collection<String> commands() {
        return commands.keySet();
    }

    /** The files whose cases are about a command. */
    Set<String> filesOf(String command) {
        return files.getOrDefault(command, Set.of());
    }

    /** What has no case, by command; a command that lacks nothing is not there. */
    Map<String, Set<Aspect>> missing() {
        var missing = new TreeMap<String, Set<Aspect>>();
        commands.forEach((name, command) -> {
            var needed = new ArrayList<>(List.of(Aspect.SUCCESS, Aspect.RESP2, Aspect.RESP3));
            int least = command.parent() == null ? 1 : 2;
            if (command.arity() != -least) {
                needed.add(Aspect.ARITY);
            }
            if (command.firstKey() > 0 || command.movableKeys()) {
                needed.add(Aspect.WRONG_TYPE);
                needed.add(Aspect.MISSING_KEY);
            }
            if (REFUSED.contains(name)) {
                needed.remove(Aspect.SUCCESS);
            }
            needed.removeAll(seen.getOrDefault(name, Set.of()));
            if (!needed.isEmpty()) {
                missing.put(name, EnumSet.copyOf(needed));
            }
        });
        return missing;
    }
}
