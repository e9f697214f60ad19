package dev.caisson.leaks;

import dev.caisson.leaks.Ignores.Part;
import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedElement;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * How one test or class is checked: what for, how long to wait, what to ignore. Immutable.
 *
 * @param suite whether tests without {@link NoLeaks} are checked too
 * @param annotated whether there is an annotation
 * @param check what is checked
 * @param linger how long to wait for what is left to end by itself
 * @param ignores what is no leak
 */
record Options(boolean suite, boolean annotated, Set<LeakKind> check, Duration linger, Ignores ignores) {
    /** The one line that switches everything on. */
    static final String SWITCH = "caisson.leaks";

    static final String LINGER = "caisson.leaks.linger.millis";
    static final String CHECK = "caisson.leaks.check";
    static final String IGNORE_NAMES = "caisson.leaks.ignore.names";
    static final String IGNORE_TOP = "caisson.leaks.ignore.top";
    static final String IGNORE_FRAMES = "caisson.leaks.ignore.frames";
    static final String IGNORE_CREATORS = "caisson.leaks.ignore.creators";

    static final Duration DEFAULT_LINGER = Duration.ofSeconds(5);

    /** Reads the configuration parameters of JUnit. Throws IllegalArgumentException naming a parameter that is wrong. */
    static Options of(Function<String, Optional<String>> parameters) {
        boolean suite = parameters.apply(SWITCH).map(Options::isOn).orElse(false);
        Set<LeakKind> check =
                parameters.apply(CHECK).map(Options::kinds).orElseGet(() -> EnumSet.allOf(LeakKind.class));
        Duration linger = parameters.apply(LINGER).map(Options::millis).orElse(DEFAULT_LINGER);
        Ignores ignores = Ignores.builtIn()
                .plus(Part.NAME, list(parameters.apply(IGNORE_NAMES)), IGNORE_NAMES)
                .plus(Part.TOP, list(parameters.apply(IGNORE_TOP)), IGNORE_TOP)
                .plus(Part.FRAME, list(parameters.apply(IGNORE_FRAMES)), IGNORE_FRAMES)
                .plus(Part.CREATOR, list(parameters.apply(IGNORE_CREATORS)), IGNORE_CREATORS);
        return new Options(suite, false, Set.copyOf(check), linger, ignores);
    }

    /** These options with those of the annotations on a class, its superclasses and its enclosing classes. */
    Options with(Class<?> type) {
        Options around = type.getEnclosingClass() == null ? this : with(type.getEnclosingClass());
        return around.withHierarchy(type);
    }

    private Options withHierarchy(Class<?> type) {
        Options above = type.getSuperclass() == null ? this : withHierarchy(type.getSuperclass());
        return above.with((AnnotatedElement) type);
    }

    /** These options with those of an annotation on the element itself, or on an annotation of it. */
    Options with(AnnotatedElement element) {
        NoLeaks direct = element.getDeclaredAnnotation(NoLeaks.class);
        if (direct != null) {
            return with(direct);
        }
        Options options = this;
        for (Annotation annotation : element.getDeclaredAnnotations()) {
            NoLeaks meta = annotation.annotationType().getAnnotation(NoLeaks.class);
            options = meta == null ? options : options.with(meta);
        }
        return options;
    }

    private Options with(NoLeaks annotation) {
        Set<LeakKind> kinds = Set.copyOf(List.of(annotation.check()));
        return new Options(
                suite,
                true,
                annotation.off().isEmpty() ? (kinds.isEmpty() ? check : kinds) : Set.of(),
                annotation.lingerMillis() < 0 ? linger : Duration.ofMillis(annotation.lingerMillis()),
                ignores.plus(Part.NAME, annotation.ignoreNames(), "@NoLeaks")
                        .plus(Part.TOP, annotation.ignoreTop(), "@NoLeaks")
                        .plus(Part.FRAME, annotation.ignoreFrames(), "@NoLeaks")
                        .plus(Part.CREATOR, annotation.ignoreCreators(), "@NoLeaks"));
    }

    /** Whether the test is checked, or at least what it leaves is kept from being told later. */
    boolean on() {
        return suite || annotated;
    }

    private static boolean isOn(String value) {
        switch (value.trim().toLowerCase(Locale.ROOT)) {
            case "on", "true":
                return true;
            case "off", "false", "":
                return false;
            default:
                throw new IllegalArgumentException(SWITCH + "=" + value + " is neither on nor off");
        }
    }

    private static Duration millis(String value) {
        try {
            return Duration.ofMillis(Long.parseUnsignedLong(value.trim()));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(LINGER + "=" + value + " is no number of milliseconds", e);
        }
    }

    private static Set<LeakKind> kinds(String value) {
        Set<LeakKind> kinds = EnumSet.noneOf(LeakKind.class);
        for (String name : list(Optional.of(value))) {
            try {
                kinds.add(LeakKind.valueOf(name.trim().toUpperCase(Locale.ROOT)));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        CHECK + " names " + name + "; it takes a list of " + EnumSet.allOf(LeakKind.class), e);
            }
        }
        return kinds;
    }

    private static String[] list(Optional<String> value) {
        return value.filter(text -> !text.isBlank())
                .map(text -> text.trim().split("\\s*,\\s*"))
                .orElseGet(() -> new String[0]);
    }
}
