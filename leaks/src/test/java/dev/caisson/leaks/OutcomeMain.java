package dev.caisson.leaks;

import dev.caisson.leaks.samples.Planted;
import java.util.ArrayList;
import java.util.List;

/** Runs the sample classes that are its arguments in a JVM of its own, and prints what came of it. */
final class OutcomeMain {
    private OutcomeMain() {}

    public static void main(String[] args) throws Exception {
        List<Class<?>> samples = new ArrayList<>();
        for (String name : args) {
            samples.add(Class.forName(name));
        }
        Outcome outcome = Outcome.of(samples.toArray(new Class<?>[0]));
        outcome.failures().forEach((test, failure) -> System.out.println("FAILED " + test + ": " + failure));
        outcome.passed().forEach(test -> System.out.println("PASSED " + test));
        System.out.println("SESSION " + outcome.session());
        Planted.uproot();
        System.out.println("END on " + Runtime.version().feature());
    }
}
