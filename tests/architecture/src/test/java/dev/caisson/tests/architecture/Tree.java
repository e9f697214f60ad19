package dev.caisson.tests.architecture;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The source tree as a clone has it: without build output and version control. Paths are relative to the root. */
final class Tree {
    private static final Set<String> NOT_SOURCE =
            Set.of("target", ".git", ".caisson", ".idea", ".vscode", "node_modules");
    private static final Pattern MODULE = Pattern.compile("<module>([^<]+)</module>");

    private final Path root;
    private final List<Path> files = new ArrayList<>();

    private Tree(Path root) {
        this.root = root;
    }

    /** The tree around the directory that the test runs in. */
    static Tree here() {
        Path at = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(at.resolve(".mvn"))) {
            at = at.getParent();
            if (at == null) {
                throw new IllegalStateException("no directory above this one holds .mvn; run inside the source tree");
            }
        }
        Tree tree = new Tree(at);
        tree.scan();
        return tree;
    }

    private void scan() {
        try {
            Files.walkFileTree(root, new SimpleFileVisitor<>() {
                @Override
                public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                    Path name = directory.getFileName();
                    return name != null && NOT_SOURCE.contains(name.toString())
                            ? FileVisitResult.SKIP_SUBTREE
                            : FileVisitResult.CONTINUE;
                }

                @Override
                public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                    if (attributes.isRegularFile()
                            && !file.getFileName().toString().equals(".git")) {
                        files.add(root.relativize(file));
                    }
                    return FileVisitResult.CONTINUE;
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Stream<Path> files() {
        return files.stream();
    }

    Stream<Path> javaFiles() {
        return files().filter(f -> f.toString().endsWith(".java"));
    }

    /** Folders that the root pom names as modules. */
    List<String> modules() {
        Matcher matcher = MODULE.matcher(text(Path.of("pom.xml")));
        List<String> modules = new ArrayList<>();
        while (matcher.find()) {
            modules.add(matcher.group(1));
        }
        return modules;
    }

    /** Packages with a type under {@code src/main/java} of a module; generated code has none. */
    Set<String> handwrittenPackages() {
        Path sources = Path.of("src", "main", "java");
        return javaFiles()
                .filter(f -> !f.endsWith("package-info.java"))
                .map(Path::getParent)
                .filter(d -> d.toString().contains(sources.toString()))
                .map(d -> d.toString()
                        .substring(d.toString().indexOf(sources.toString())
                                + sources.toString().length()
                                + 1)
                        .replace('/', '.'))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    boolean has(String path) {
        return Files.exists(root.resolve(path));
    }

    String text(Path file) {
        try {
            return Files.readString(root.resolve(file), java.nio.charset.StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    List<String> lines(Path file) {
        return text(file).lines().toList();
    }
}
