package dev.caisson.store.engine;

import dev.caisson.store.engine.Channels.Kind;
import dev.caisson.store.engine.Selector.BadRule;
import dev.caisson.store.engine.Selector.Finding;
import dev.caisson.store.engine.Selector.Verdict;
import dev.caisson.store.resp.Args;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/**
 * An ACL user: who may enter, and what is permitted then. Its rules are an immutable value that is replaced as a whole, so
 * a command sees the old ones or the new ones. Thread-safe; connections keep the user they entered as.
 */
public final class User {
    /** All that was set of a user. Not changed once a user has it. */
    static final class Rules {
        boolean on;
        boolean noPassword;
        boolean sanitize = true;
        /** SHA-256 in lower-case hexadecimal digits. */
        final List<String> passwords = new ArrayList<>();

        Selector root = new Selector();
        final List<Selector> selectors = new ArrayList<>();

        private Rules copy() {
            Rules copy = new Rules();
            copy.on = on;
            copy.noPassword = noPassword;
            copy.sanitize = sanitize;
            copy.passwords.addAll(passwords);
            copy.root = root.clone();
            copy.selectors.addAll(selectors);
            return copy;
        }

        /** The flags as ACL GETUSER shows them. */
        List<String> flags() {
            List<String> flags = new ArrayList<>();
            flags.add(on ? "on" : "off");
            if (noPassword) {
                flags.add("nopass");
            }
            flags.add(sanitize ? "sanitize-payload" : "skip-sanitize-payload");
            return flags;
        }
    }

    private final String name;
    private volatile Rules rules = new Rules();

    User(String name) {
        this.name = name;
    }

    public String name() {
        return name;
    }

    Rules rules() {
        return rules;
    }

    /**
     * Sets rules, all or none.
     *
     * @throws BadRule whose message ends Redis's error
     */
    void set(List<String> more, CommandTable table) throws BadRule {
        Rules next = rules.copy();
        for (String rule : more) {
            try {
                next = set(next, rule, table);
            } catch (BadRule bad) {
                throw new BadRule("Error in ACL SETUSER modifier '" + rule + "': " + bad.reason());
            }
        }
        rules = next;
    }

    private static Rules set(Rules next, String rule, CommandTable table) throws BadRule {
        switch (rule.toLowerCase(Locale.ROOT)) {
            case "on" -> next.on = true;
            case "off" -> next.on = false;
            case "nopass" -> {
                next.noPassword = true;
                next.passwords.clear();
            }
            case "resetpass" -> {
                next.noPassword = false;
                next.passwords.clear();
            }
            case "sanitize-payload" -> next.sanitize = true;
            case "skip-sanitize-payload" -> next.sanitize = false;
            case "clearselectors" -> next.selectors.clear();
            case "reset" -> {
                return new Rules();
            }
            default -> {
                switch (rule.isEmpty() ? ' ' : rule.charAt(0)) {
                    case '>', '<', '#', '!' -> password(next, rule.charAt(0), rule.substring(1));
                    case '(' -> next.selectors.add(selector(rule, table));
                    default -> next.root.set(rule, table);
                }
            }
        }
        return next;
    }

    private static void password(Rules next, char sign, String text) throws BadRule {
        boolean hashed = sign == '#' || sign == '!';
        if (hashed && !text.matches("[0-9a-f]{64}")) {
            throw new BadRule(
                    "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters");
        }
        String hash = hashed ? text : hash(text.getBytes(StandardCharsets.ISO_8859_1));
        if (sign == '>' || sign == '#') {
            if (!next.passwords.contains(hash)) {
                next.passwords.add(hash);
            }
            next.noPassword = false;
        } else if (!next.passwords.remove(hash)) {
            throw new BadRule("The password you are trying to remove from the user does not exist");
        }
    }

    /** A selector from its rules between parentheses. */
    private static Selector selector(String rule, CommandTable table) throws BadRule {
        if (!rule.endsWith(")")) {
            throw new BadRule("Syntax error");
        }
        Selector selector = new Selector();
        for (String each : rule.substring(1, rule.length() - 1).trim().split(" +", -1)) {
            selector.set(each, table);
        }
        return selector;
    }

    /** SHA-256 in hexadecimal digits. It has no salt: whoever reads it can try passwords quickly. */
    static String hash(byte[] password) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(password));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    /** Whether this password lets one in; takes as long whichever it is. */
    boolean admits(byte[] password) {
        Rules now = rules;
        byte[] hash = hash(password).getBytes(StandardCharsets.ISO_8859_1);
        boolean known = now.noPassword;
        for (String each : now.passwords) {
            known |= MessageDigest.isEqual(each.getBytes(StandardCharsets.ISO_8859_1), hash);
        }
        return known && now.on;
    }

    /** Whether everybody may be this user without a password. */
    public boolean isOpen() {
        Rules now = rules;
        return now.on && now.noPassword;
    }

    /** What its rules say to a command: allowed if one selector allows all of it, else what came closest. */
    Finding find(Command command, Args args) {
        Rules now = rules;
        if (now.root.permitsAll()) {
            return Finding.ALLOWED;
        }
        Finding closest = now.root.find(command, args);
        for (Selector each : now.selectors) {
            if (closest.verdict() == Verdict.ALLOWED) {
                break;
            }
            Finding found = each.find(command, args);
            if (found.verdict() == Verdict.ALLOWED || found.verdict().compareTo(closest.verdict()) > 0) {
                closest = found;
            }
        }
        return closest;
    }

    /** Whether a subscription may go on. */
    boolean permits(Kind kind, Key channel) {
        Rules now = rules;
        return now.root.permits(kind, channel) || now.selectors.stream().anyMatch(each -> each.permits(kind, channel));
    }

    /** As ACL LIST writes it. */
    @Override
    public String toString() {
        Rules now = rules;
        StringBuilder text = new StringBuilder("user ").append(name).append(' ').append(String.join(" ", now.flags()));
        now.passwords.forEach(hash -> text.append(" #").append(hash));
        text.append(' ').append(now.root);
        now.selectors.forEach(each -> text.append(" (").append(each).append(')'));
        return text.toString();
    }
}
