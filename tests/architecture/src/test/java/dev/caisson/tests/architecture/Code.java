package dev.caisson.tests.architecture;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** The compiled main classes of all published modules, generated ones told apart. */
final class Code {
    static final String ROOT = "dev.caisson.";

    private final Set<String> handwritten;
    private final List<JavaClass> classes;

    private Code(Set<String> handwritten, List<JavaClass> classes) {
        this.handwritten = handwritten;
        this.classes = classes;
    }

    static Code read(Tree tree) {
        JavaClasses imported = new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("dev.caisson");
        List<JavaClass> published = imported.stream()
                .filter(c -> !c.getPackageName().startsWith(ROOT + "tests."))
                .toList();
        return new Code(tree.handwrittenPackages(), published);
    }

    Stream<JavaClass> classes() {
        return classes.stream();
    }

    /** Classes that somebody wrote. */
    Stream<JavaClass> ours() {
        return classes().filter(this::isHandwritten);
    }

    /** Generated packages (protobuf messages of public protocols) are API by their nature. */
    boolean isHandwritten(JavaClass type) {
        return handwritten.contains(type.getPackageName());
    }

    Stream<JavaClass> ours(String... modules) {
        return ours().filter(c -> List.of(modules).contains(module(c)));
    }

    /** {@code rpc} for anything below {@code dev.caisson.rpc}; empty for what is not ours. */
    static String module(JavaClass type) {
        String name = type.getPackageName();
        if (!name.startsWith(ROOT)) {
            return "";
        }
        String rest = name.substring(ROOT.length());
        int dot = rest.indexOf('.');
        return dot < 0 ? rest : rest.substring(0, dot);
    }

    /** The top-level class's name without {@code dev.caisson.}: how exceptions name a place. */
    static String place(JavaClass type) {
        String name = type.getName();
        int dollar = name.indexOf('$');
        return (dollar < 0 ? name : name.substring(0, dollar)).substring(ROOT.length());
    }
}
