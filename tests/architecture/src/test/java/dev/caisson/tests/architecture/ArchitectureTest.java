package dev.caisson.tests.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.AccessTarget;
import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaCodeUnit;
import com.tngtech.archunit.core.domain.JavaConstructor;
import com.tngtech.archunit.core.domain.JavaField;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What the bytecode of the published modules must keep to. */
class ArchitectureTest {
    private static final Tree TREE = Tree.here();
    private static final Code CODE = Code.read(TREE);
    private static final Exceptions EXCEPTIONS = Exceptions.read();

    /** A row of ARCHITECTURE.md's table: module, then what it may import of ours. */
    private static final Pattern IMPORT_ROW = Pattern.compile("^\\| `([a-z-]+)` \\| imports (.+?) \\|");

    private static final int JAVA_17_CLASS_FILE = 61;
    private static final int MAX_PARAMETERS = 4;

    private static final Set<String> MUTABLE_TYPES = Set.of(
            "java.util.HashMap",
            "java.util.LinkedHashMap",
            "java.util.TreeMap",
            "java.util.IdentityHashMap",
            "java.util.WeakHashMap",
            "java.util.EnumMap",
            "java.util.HashSet",
            "java.util.LinkedHashSet",
            "java.util.ArrayList",
            "java.util.ArrayDeque",
            "java.util.LinkedList",
            "java.util.BitSet",
            "java.util.Random",
            "java.lang.ThreadLocal",
            "java.lang.ref.ReferenceQueue",
            "java.lang.ref.Cleaner");

    @Test
    void modulesImportOnlyWhatTheTableAllows() {
        Map<String, Set<String>> table = importTable();
        Set<String> modules = CODE.classes().map(Code::module).collect(Collectors.toCollection(TreeSet::new));
        assertThat(table.keySet()).as("modules in ARCHITECTURE.md's table").containsAll(modules);
        Set<String> violations = new TreeSet<>();
        CODE.classes()
                .forEach(from -> dependencies(from).forEach(to -> {
                    String target = Code.module(to);
                    boolean allowed = target.isEmpty()
                            || target.equals(Code.module(from))
                            || table.getOrDefault(Code.module(from), Set.of()).contains(target);
                    if (!allowed) {
                        violations.add(from.getName() + " -> " + to.getName());
                    }
                }));
        EXCEPTIONS.holds("import-table", violations, "ARCHITECTURE.md says which module may import which");
    }

    @Test
    void onlyAnotherModulesApiPackageIsUsed() {
        Set<String> violations = new TreeSet<>();
        CODE.ours()
                .forEach(from -> dependencies(from).forEach(to -> {
                    String target = Code.module(to);
                    if (CODE.isHandwritten(to)
                            && !target.equals(Code.module(from))
                            && !to.getPackageName().equals(Code.ROOT + target)) {
                        violations.add(Code.module(from) + " -> " + to.getPackageName());
                    }
                }));
        EXCEPTIONS.holds("api-package", violations, "a module's API is its root package");
    }

    @Test
    void publicSignaturesNameNothingInternal() {
        Set<String> violations = new TreeSet<>();
        CODE.ours()
                .filter(ArchitectureTest::isApi)
                .forEach(type -> publicCodeUnits(type)
                        .forEach(unit -> Stream.concat(
                                        unit.getRawParameterTypes().stream(), Stream.of(unit.getRawReturnType()))
                                .map(JavaClass::getBaseComponentType)
                                .filter(ArchitectureTest::isInternal)
                                .forEach(t -> violations.add(signature(unit) + ": " + t.getName()))));
        EXCEPTIONS.holds("internal-in-api", violations, "public methods of an API package speak in public types");
    }

    @Test
    void scopeNeedsOnlyTheJdk() {
        EXCEPTIONS.holds(
                "scope-jdk-only",
                foreign(
                        CODE.ours("scope"),
                        name -> name.startsWith("java.")
                                || name.startsWith("javax.management.")
                                || name.startsWith("jdk.jfr.")
                                || name.startsWith("org.jspecify.")),
                "scope is JDK only");
    }

    @Test
    void leaksRunsOnJava17() throws IOException {
        Set<String> violations = new TreeSet<>();
        for (JavaClass type : CODE.ours("leaks").toList()) {
            String resource = "/" + type.getName().replace('.', '/') + ".class";
            try (InputStream in =
                    Objects.requireNonNull(ArchitectureTest.class.getResourceAsStream(resource), resource)) {
                DataInputStream file = new DataInputStream(in);
                file.readInt(); // magic
                file.readUnsignedShort(); // minor
                if (file.readUnsignedShort() > JAVA_17_CLASS_FILE) {
                    violations.add(type.getName());
                }
            }
        }
        EXCEPTIONS.holds("leaks-java-17", violations, "leaks is compiled for Java 17");
    }

    @Test
    void grpcJavasInsidesAreNeverUsed() {
        Set<String> violations = new TreeSet<>();
        List<String> peers = List.of(
                "io.grpc.internal",
                "io.grpc.netty",
                "io.grpc.core",
                "io.grpc.util",
                "io.grpc.services",
                "io.grpc.protobuf.services",
                "io.grpc.inprocess");
        CODE.classes()
                .filter(c -> !Code.module(c).equals("benchmarks"))
                .forEach(from -> dependencies(from)
                        .filter(to -> peers.stream().anyMatch(p -> within(to, p)))
                        .forEach(to -> violations.add(Code.place(from) + " -> " + to.getName())));
        EXCEPTIONS.holds("grpc-peers", violations, "grpc-core and its kin are peers to test with, never dependencies");
    }

    @Test
    void loggingIsSystemLogger() {
        Set<String> violations = new TreeSet<>();
        List<String> loggers = List.of(
                "java.util.logging", "org.slf4j", "org.apache.logging", "org.apache.commons.logging", "ch.qos.logback");
        CODE.ours()
                .forEach(from -> dependencies(from)
                        .filter(to -> loggers.stream().anyMatch(p -> within(to, p)))
                        .forEach(to -> violations.add(Code.place(from) + " -> " + to.getPackageName())));
        EXCEPTIONS.holds("logging", violations, "log by System.Logger");
    }

    @Test
    void librariesReadNoSystemProperties() {
        Set<String> readers = Set.of(
                "java.lang.System.getProperty",
                "java.lang.System.getProperties",
                "java.lang.System.getenv",
                "java.lang.Integer.getInteger",
                "java.lang.Long.getLong",
                "java.lang.Boolean.getBoolean");
        Set<String> violations = places(CODE.ours("scope", "leaks", "rpc", "gateway"), readers::contains);
        EXCEPTIONS.holds("system-property", violations, "configuration comes in by builders");
    }

    @Test
    void threadsAreMadeInFewPlaces() {
        Predicate<String> makers = call -> call.startsWith("java.util.concurrent.Executors.new")
                || call.equals("java.lang.Thread.<init>")
                || call.equals("java.lang.Thread.startVirtualThread")
                || call.equals("java.lang.Thread.ofVirtual")
                || call.equals("java.lang.Thread.ofPlatform")
                || call.equals("java.util.Timer.<init>")
                || call.equals("java.util.concurrent.ThreadPoolExecutor.<init>")
                || call.equals("java.util.concurrent.ScheduledThreadPoolExecutor.<init>")
                || call.equals("java.util.concurrent.ForkJoinPool.<init>")
                || call.equals("java.util.concurrent.ForkJoinPool.commonPool")
                || call.equals("java.util.concurrent.CompletableFuture.runAsync")
                || call.equals("java.util.concurrent.CompletableFuture.supplyAsync")
                || call.equals("io.netty.channel.MultiThreadIoEventLoopGroup.<init>")
                || call.endsWith("EventLoopGroup.<init>")
                || call.equals("io.netty.util.HashedWheelTimer.<init>");
        Set<String> violations = places(CODE.ours("leaks", "scope", "rpc", "gateway", "cli"), makers);
        EXCEPTIONS.holds("thread", violations, "fork in a scope instead of starting a thread or an executor");
    }

    @Test
    void nothingMutableIsStatic() {
        Set<String> violations = new TreeSet<>();
        CODE.ours()
                .filter(c -> !Code.module(c).equals("benchmarks"))
                .forEach(type -> type.getFields().stream()
                        .filter(f -> f.getModifiers().contains(JavaModifier.STATIC)
                                && !f.getModifiers().contains(JavaModifier.SYNTHETIC))
                        .filter(f -> !f.getModifiers().contains(JavaModifier.FINAL) || holdsMutable(f))
                        .forEach(f -> violations.add(Code.place(type) + "." + f.getName())));
        EXCEPTIONS.holds("static-state", violations, "process-wide state is exactly two holders");
    }

    @Test
    void publicAccessorsAreWithoutGet() {
        Set<String> violations = new TreeSet<>();
        CODE.ours()
                .filter(ArchitectureTest::isApi)
                .forEach(type -> type.getMethods().stream()
                        .filter(m -> m.getModifiers().contains(JavaModifier.PUBLIC)
                                && !m.getModifiers().contains(JavaModifier.SYNTHETIC))
                        .filter(m -> m.getName().matches("get[A-Z].*"))
                        .filter(m -> !forcedFromOutside(m))
                        .forEach(m -> violations.add(signature(m))));
        EXCEPTIONS.holds("get-accessor", violations, "name() instead of getName()");
    }

    @Test
    void scopesAskOneClockForTheTime() {
        Set<String> asking = Set.of(
                "java.lang.System.nanoTime",
                "java.lang.System.currentTimeMillis",
                "java.time.Instant.now",
                "java.time.Clock.systemUTC");
        EXCEPTIONS.holds("clock", places(CODE.ours("scope"), asking::contains), "time is a parameter");
    }

    @Test
    void methodsTakeFewParameters() {
        Set<String> violations = new TreeSet<>();
        CODE.ours()
                .forEach(type -> type.getCodeUnits().stream()
                        .filter(u -> !u.getModifiers().contains(JavaModifier.SYNTHETIC)
                                && !u.getName().startsWith("lambda$"))
                        .filter(u -> !(u instanceof JavaConstructor c && exempt(c)))
                        .filter(u -> !(u instanceof JavaMethod m && forcedFromOutside(m)))
                        .filter(u -> !registersCommands(u))
                        .filter(u -> parameters(u) > MAX_PARAMETERS)
                        .forEach(u -> violations.add(signature(u))));
        EXCEPTIONS.holds("parameters", violations, "at most four parameters, else a record");
    }

    /** How many things it takes: an array of bytes, an offset and a length are one, a slice. */
    private static int parameters(JavaCodeUnit unit) {
        List<JavaClass> types = unit.getRawParameterTypes();
        int count = 0;
        for (int i = 0; i < types.size(); i++) {
            count++;
            if (i + 2 < types.size()
                    && types.get(i).getName().equals("[B")
                    && types.get(i + 1).getName().equals("int")
                    && types.get(i + 2).getName().equals("int")) {
                i += 2;
            }
        }
        return count;
    }

    /** Its callers are the rows of the store's table of commands, and its parameters the columns. */
    private static boolean registersCommands(JavaCodeUnit unit) {
        return !unit.getRawParameterTypes().isEmpty()
                && unit.getRawParameterTypes().getFirst().getName().endsWith(".CommandTable$Builder");
    }

    /** A rule's name in the file of exceptions must be one that a test asks for. */
    @Test
    void exceptionsNameKnownRules() {
        assertThat(EXCEPTIONS.rules())
                .isSubsetOf(
                        "import-table",
                        "api-package",
                        "internal-in-api",
                        "scope-jdk-only",
                        "leaks-java-17",
                        "grpc-peers",
                        "logging",
                        "system-property",
                        "clock",
                        "thread",
                        "static-state",
                        "get-accessor",
                        "parameters",
                        "type-name",
                        "long-file",
                        "sleep-in-test",
                        "machine-path");
    }

    private static Map<String, Set<String>> importTable() {
        Map<String, Set<String>> table = new TreeMap<>();
        for (String line : TREE.lines(Path.of("ARCHITECTURE.md"))) {
            Matcher row = IMPORT_ROW.matcher(line);
            if (row.find()) {
                Set<String> imports = Arrays.stream(row.group(2).split(","))
                        .map(s -> s.strip().replace("`", ""))
                        .filter(s -> !s.equals("nothing"))
                        .collect(Collectors.toCollection(TreeSet::new));
                table.put(row.group(1), imports);
            }
        }
        assertThat(table).as("rows of ARCHITECTURE.md's import table").isNotEmpty();
        return table;
    }

    private static Stream<JavaClass> dependencies(JavaClass from) {
        return from.getDirectDependenciesFromSelf().stream()
                .map(Dependency::getTargetClass)
                .map(JavaClass::getBaseComponentType)
                .distinct();
    }

    private static boolean within(JavaClass type, String root) {
        return type.getPackageName().equals(root) || type.getPackageName().startsWith(root + ".");
    }

    private static Set<String> foreign(Stream<JavaClass> from, Predicate<String> allowed) {
        Set<String> violations = new TreeSet<>();
        from.forEach(type -> dependencies(type)
                .filter(to -> !to.isPrimitive() && Code.module(to).isEmpty() && !allowed.test(to.getName()))
                .forEach(to -> violations.add(Code.place(type) + " -> " + to.getName())));
        return violations;
    }

    /** Classes with a call to a method ({@code owner.name}) that {@code wanted} picks. */
    private static Set<String> places(Stream<JavaClass> from, Predicate<String> wanted) {
        Set<String> places = new TreeSet<>();
        from.forEach(type -> Stream.<JavaAccess<?>>concat(
                        type.getCodeUnitCallsFromSelf().stream(),
                        Stream.concat(
                                type.getMethodReferencesFromSelf().stream(),
                                type.getConstructorReferencesFromSelf().stream()))
                .map(JavaAccess::getTarget)
                .filter(AccessTarget.CodeUnitAccessTarget.class::isInstance)
                .filter(t -> wanted.test(t.getOwner().getName() + "." + t.getName()))
                .forEach(t -> places.add(Code.place(type))));
        return places;
    }

    /** A public class in a module's root package. */
    private static boolean isApi(JavaClass type) {
        return type.getModifiers().contains(JavaModifier.PUBLIC)
                && type.getPackageName().equals(Code.ROOT + Code.module(type))
                && !Code.module(type).equals("cli")
                && type.getEnclosingClass()
                        .map(e -> e.getModifiers().contains(JavaModifier.PUBLIC))
                        .orElse(true);
    }

    private static boolean isInternal(JavaClass type) {
        String module = Code.module(type);
        return CODE.isHandwritten(type)
                && (!type.getModifiers().contains(JavaModifier.PUBLIC)
                        || !type.getPackageName().equals(Code.ROOT + module));
    }

    private static Stream<JavaCodeUnit> publicCodeUnits(JavaClass type) {
        return type.getCodeUnits().stream()
                .filter(u -> u.getModifiers().contains(JavaModifier.PUBLIC)
                        && !u.getModifiers().contains(JavaModifier.SYNTHETIC));
    }

    /** A constructor that is not public only fills fields; enum constructors and those of inner classes take parameters that nobody wrote; records are their parameters. */
    private static boolean exempt(JavaConstructor constructor) {
        JavaClass type = constructor.getOwner();
        return !constructor.getModifiers().contains(JavaModifier.PUBLIC)
                || type.isEnum()
                || type.isRecord()
                || type.isAnonymousClass()
                || type.isLocalClass();
    }

    /** Whether a supertype that is not ours declares the method, or the class is a management interface. */
    private static boolean forcedFromOutside(JavaMethod method) {
        JavaClass owner = method.getOwner();
        return Stream.concat(owner.getAllRawSuperclasses().stream(), owner.getAllRawInterfaces().stream())
                        .filter(s -> !s.getName().startsWith(Code.ROOT)
                                || s.getName().endsWith("MXBean"))
                        .anyMatch(s -> s.getMethods().stream()
                                .anyMatch(m -> m.getName().equals(method.getName())
                                        && m.getRawParameterTypes().size()
                                                == method.getRawParameterTypes().size()))
                || owner.getName().matches(".*MXBean(\\$.*)?");
    }

    private static boolean holdsMutable(JavaField field) {
        String type = field.getRawType().getName();
        return MUTABLE_TYPES.contains(type)
                || type.startsWith("java.util.concurrent.Concurrent")
                || type.startsWith("java.util.concurrent.CopyOnWrite")
                || type.startsWith("java.util.concurrent.atomic.") && !type.endsWith("FieldUpdater")
                || type.startsWith("java.util.concurrent.") && type.endsWith("Queue")
                || type.startsWith("java.util.concurrent.locks.");
    }

    private static String signature(JavaCodeUnit unit) {
        return unit.getOwner().getName().substring(Code.ROOT.length()) + "." + unit.getName() + "/"
                + unit.getRawParameterTypes().size();
    }
}
