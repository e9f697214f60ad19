package dev.caisson.leaks;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.ExtensionContext.Store;
import org.junit.jupiter.api.extension.TestInstanceFactoryContext;
import org.junit.jupiter.api.extension.TestInstancePreConstructCallback;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.commons.support.HierarchyTraversalMode;

/**
 * Watches every Jupiter test and class that {@link NoLeaks} or the configuration asks for.
 *
 * <p>Registered by the annotation, or by JUnit's auto-detection, which {@code caisson.leaks=on} switches on. Users need
 * not name it. Safe for parallel tests.
 */
public final class NoLeaksExtension implements TestInstancePreConstructCallback, BeforeAllCallback, BeforeEachCallback {
    /* Implementation note: a resource in the store of a context is closed after all callbacks, the last stored first.
     * What is stored before any other extension could store something is closed after all of it: that is the check. */

    private static final Namespace NAMESPACE = Namespace.create(NoLeaksExtension.class);

    /** For JUnit. */
    public NoLeaksExtension() {}

    @Override
    public void preConstructTestInstance(TestInstanceFactoryContext factory, ExtensionContext context) {
        if (context.getTestMethod().isEmpty()
                && context.getTestInstanceLifecycle().equals(Optional.of(Lifecycle.PER_CLASS))) {
            watch(context);
        } else if (factory.getOuterInstance().isEmpty() && options(context).on()) {
            Suite.current().constructs();
        }
    }

    @Override
    public void beforeAll(ExtensionContext context) {
        watch(context);
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        watch(context);
    }

    private static void watch(ExtensionContext context) {
        Store store = context.getStore(NAMESPACE);
        if (store.get(context.getUniqueId()) != null) {
            return; // registered twice, by annotation and by auto-detection
        }
        Options options = options(context);
        if (options.on()) {
            Watch enclosing = enclosing(store, context);
            boolean fixtures = enclosing != null && mayHaveFixtures(context);
            store.put(
                    context.getUniqueId(),
                    new Check(Watch.begin(new Watch.Plan(
                            Suite.current(), context.getUniqueId(), name(context), options, enclosing, fixtures))));
        }
    }

    /** The watch over the class of a test, or over the enclosing class of a nested class. */
    private static @Nullable Watch enclosing(Store store, ExtensionContext context) {
        for (Optional<ExtensionContext> at = context.getParent();
                at.isPresent();
                at = at.get().getParent()) {
            if (store.get(at.get().getUniqueId()) instanceof Check check) {
                return check.watch();
            }
        }
        return null;
    }

    /** Whether tests of the class share something that outlives each of them and may start threads when first used. */
    private static boolean mayHaveFixtures(ExtensionContext context) {
        Class<?> type = context.getTestMethod().isPresent()
                ? context.getRequiredTestClass()
                : context.getRequiredTestClass().getEnclosingClass();
        return context.getTestInstanceLifecycle().equals(Optional.of(Lifecycle.PER_CLASS))
                || (type != null
                        && !AnnotationSupport.findAnnotatedMethods(
                                        type, BeforeAll.class, HierarchyTraversalMode.BOTTOM_UP)
                                .isEmpty());
    }

    private static Options options(ExtensionContext context) {
        Options options = Options.of(context::getConfigurationParameter).with(context.getRequiredTestClass());
        return context.getTestMethod().map(options::with).orElse(options);
    }

    private static String name(ExtensionContext context) {
        String type = context.getTestClass().map(Class::getName).orElse("the run");
        return context.getTestMethod()
                .map(method -> type + "." + method.getName() + detail(context, method.getName()))
                .orElse("class " + type);
    }

    /** The number of a repetition or the values of parameters, where the display name tells them. */
    private static String detail(ExtensionContext context, String method) {
        String display = context.getDisplayName();
        return display.startsWith(method) ? "()" : "() " + display;
    }

    /** Judges when JUnit closes it, after all that was stored later. */
    private record Check(Watch watch) implements Store.CloseableResource, AutoCloseable {
        @Override
        public void close() {
            watch.end().ifPresent(error -> {
                throw error;
            });
        }
    }
}
