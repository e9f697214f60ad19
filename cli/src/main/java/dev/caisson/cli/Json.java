package dev.caisson.cli;

import com.google.protobuf.StringValue;
import dev.caisson.gateway.generic.JsonMessages;
import dev.caisson.gateway.generic.TypeSource;

/** The little JSON that the command writes itself. */
final class Json {
    private static final JsonMessages MESSAGES = JsonMessages.of(TypeSource.WELL_KNOWN);

    private Json() {}

    /** A JSON string: the mapping of a StringValue. */
    static String quote(String text) {
        return MESSAGES.print(StringValue.of(text));
    }

    /** The text without what could steer a terminal; names come from servers. */
    static String printable(String text) {
        if (text.chars().noneMatch(Character::isISOControl)) {
            return text;
        }
        StringBuilder plain = new StringBuilder();
        text.chars().forEach(c -> plain.append(Character.isISOControl(c) ? '?' : (char) c));
        return plain.toString();
    }
}
