package dev.caisson.leaks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.leaks.samples.Annotated;
import dev.caisson.leaks.samples.Leaky;
import dev.caisson.leaks.samples.LeakyEngine;
import dev.caisson.leaks.samples.Planted;
import dev.caisson.leaks.samples.Scopes;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledForJreRange;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.JRE;
import org.junit.jupiter.api.condition.OS;
import org.junit.platform.launcher.core.LauncherConfig;

class NoLeaksTest {
    private static final Map<String, String> NOT_ON = Map.of();

    @AfterEach
    void uproot() throws Exception {
        Planted.uproot();
    }

    @Test
    void tellsThreadWithStateBlockerStackAndOrigin() {
        Outcome outcome = Outcome.of(Leaky.Threads.class);
        assertThat(outcome.report("leavesThread()"))
                .contains("1 leak since dev.caisson.leaks.samples.Leaky$Threads.leavesThread()")
                .contains("thread \"planted-platform\" #")
                .contains(", WAITING on java.lang.Object@")
                .contains("     at dev.caisson.leaks.samples.Planted.waitForInterrupt(Planted.java:")
                .containsSubsequence(
                        "created at",
                        "at dev.caisson.leaks.samples.Planted.thread(Planted.java:",
                        "at dev.caisson.leaks.samples.Leaky$Threads.leavesThread(Leaky.java:")
                .contains("Next step: ")
                .contains("@NoLeaks(ignoreNames = \"planted-platform\")")
                .doesNotContain("org.junit");
    }

    @Test
    void tellsEachLeakOnce() {
        Outcome outcome = Outcome.of(Leaky.Threads.class);
        assertThat(outcome.failures()).containsOnlyKeys("leavesThread()");
        assertThat(outcome.passed()).containsExactly("isClean()");
        assertThat(outcome.session()).isNull();
    }

    @Test
    @DisabledForJreRange(max = JRE.JAVA_20, disabledReason = "no virtual threads")
    void tellsVirtualThread() {
        Outcome outcome = Outcome.of(Leaky.VirtualThreads.class);
        assertThat(outcome.report("leavesVirtualThread()"))
                .contains("virtual thread \"planted-virtual\" #")
                .contains(", WAITING on java.lang.Object@")
                .contains("at dev.caisson.leaks.samples.Planted.waitForInterrupt(Planted.java:")
                .containsSubsequence(
                        "created at",
                        "at dev.caisson.leaks.samples.Planted.virtualThread(Planted.java:",
                        "at dev.caisson.leaks.samples.Leaky$VirtualThreads.leavesVirtualThread(Leaky.java:");
        assertThat(outcome.report("leavesParkedTask()"))
                .contains("virtual thread \"\" #")
                .contains(", WAITING on java.util.concurrent.CountDownLatch$Sync@")
                .contains("(of java.util.concurrent.ThreadPerTaskExecutor@")
                .contains("at java.util.concurrent.CountDownLatch.await(CountDownLatch.java:")
                .containsSubsequence(
                        "created at", "at dev.caisson.leaks.samples.Leaky$VirtualThreads.leavesParkedTask(Leaky.java:");
        assertThat(outcome.failures()).hasSize(2);
    }

    @Test
    void tellsThreadOfConstructorAndOfBeforeEach() {
        Outcome outcome = Outcome.of(Leaky.Constructed.class, Leaky.Nesting.class);
        assertThat(outcome.report("usesIt()")).contains("thread \"planted-in-constructor\" #");
        assertThat(outcome.report("isInside()")).contains("thread \"planted-before-each\" #");
        assertThat(outcome.failures()).hasSize(2);
    }

    @Test
    void tellsThreadOfBeforeAllAtTheClass() {
        Outcome outcome = Outcome.of(Leaky.BeforeAllThread.class);
        assertThat(outcome.report("Leaky$BeforeAllThread"))
                .contains("1 leak since class dev.caisson.leaks.samples.Leaky$BeforeAllThread")
                .contains("thread \"planted-before-all\" #")
                .contains("at dev.caisson.leaks.samples.Leaky$BeforeAllThread.open(Leaky.java:");
        assertThat(outcome.passed()).containsExactly("isClean()");
    }

    @Test
    void judgesWithTheClassWhatTestsStartInItsFixtures() {
        Outcome clean = Outcome.of(Leaky.Fixtures.class);
        assertThat(clean.failures()).isEmpty();

        Outcome leaky = Outcome.of(Leaky.LeakyFixtures.class);
        assertThat(leaky.passed()).containsExactly("startsThreadForTheClass()");
        assertThat(leaky.report("Leaky$LeakyFixtures"))
                .contains("thread \"never-ended-by-the-class\" #")
                .contains("since dev.caisson.leaks.samples.Leaky$LeakyFixtures.startsThreadForTheClass()");
    }

    @Test
    void tellsOpenScopeAndWhatOutlivedItsScope() throws Exception {
        Scopes.BEAN.register();
        try {
            Outcome outcome = Outcome.of(Leaky.OpenScope.class);
            assertThat(outcome.report("leavesScope()"))
                    .contains("3 leaks since ")
                    .contains("scope \"orders\" #16777216, scope open (owns 2 task)")
                    .containsSubsequence(
                            "created at",
                            "at dev.acme.Orders.open(Orders.java:12)",
                            "at dev.acme.Main.main(Main.java:3)")
                    .contains("scope \"orders-server\" #33554432, server open (owns 1 connection)")
                    .contains("scope \"billing/hung\" #117440512, task left (its scope is closed)")
                    .contains("Next step: close the scope");
        } finally {
            Scopes.BEAN.unregister();
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void tellsSocketFileAndPipe() {
        Outcome outcome = Outcome.of(Leaky.Descriptors.class);
        assertThat(outcome.report("leavesSocket()"))
                .contains("1 leak since ")
                .containsPattern(
                        "descriptor \"tcp6? .*127\\.0\\.0\\.1]?:\\d+ LISTEN\", open \\(descriptor \\d+ -> socket:")
                .contains("Next step: close the socket");
        assertThat(outcome.report("leavesFile()")).contains("1 leak since ").containsPattern("/planted\\d+\\.txt");
        assertThat(outcome.report("leavesPipe()")).contains("leak since ").contains("pipe:[");
        assertThat(outcome.report("leavesSelector()"))
                .contains("1 leak since ")
                .containsPattern("descriptor \"selector woken by eventfd \\d+\", open \\(descriptor \\d+ -> ");
        assertThat(outcome.failures()).hasSize(4);
        assertThat(outcome.passed()).containsExactly("closesSelector()");
    }

    @Test
    void accusesNoResourceThatJUnitCloses() {
        assertThat(Outcome.of(Leaky.CleanResource.class).failures()).isEmpty();
        assertThat(Outcome.of(Leaky.LeakyResource.class).report("usesIt()"))
                .contains("thread \"stored-by-LosesWhatItStores\" #");
    }

    @Test
    void accusesNoThreadThatEndsWithinTheLinger() {
        Outcome outcome = Outcome.of(Map.of(Options.SWITCH, "on", Options.LINGER, "30000"), Leaky.Lingering.class);
        assertThat(outcome.failures()).isEmpty();
        assertThat(outcome.passed()).hasSize(1);
    }

    @Test
    void keepsTheFailureOfTheTestItself() {
        Throwable failure = Outcome.of(Leaky.Failing.class).failures().get("failsAndLeaks()");
        assertThat(failure)
                .hasMessage("the test's own failure")
                .satisfies(it -> assertThat(it.getSuppressed()).singleElement().isInstanceOf(LeakError.class));
    }

    @Test
    void failsJqwikProperty() {
        Outcome outcome = Outcome.of(Leaky.Properties.class);
        assertThat(outcome.report("leavesThreadInProperty"))
                .contains("thread \"planted-by-jqwik\" #")
                .contains("at dev.caisson.leaks.samples.Leaky$Properties.leavesThreadInProperty(Leaky.java:");
        assertThat(outcome.passed()).containsExactly("isCleanProperty");
        assertThat(outcome.session()).isNull();
    }

    @Test
    void failsTheSessionForTestsOfOtherEngines() {
        LauncherConfig launcher = LauncherConfig.builder()
                .enableTestEngineAutoRegistration(false)
                .addTestEngines(new LeakyEngine())
                .build();
        Outcome outcome =
                Outcome.of(launcher, Map.of(Options.SWITCH, "on", Options.LINGER, "300"), Leaky.Threads.class);
        assertThat(outcome.passed()).containsExactly("the leaky engine's test");
        assertThat(outcome.session())
                .isInstanceOf(LeakError.class)
                .hasMessageContaining("1 leak since the leaky engine's test")
                .hasMessageContaining("thread \"planted-by-engine\" #")
                .hasNoSuppressedExceptions();
    }

    @Test
    void checksWhatIsAnnotatedWithoutConfiguration() {
        assertThat(Outcome.of(NOT_ON, Annotated.OnClass.class).report("leavesThread()"))
                .contains("thread \"planted-annotated\" #");
        Outcome onMethod = Outcome.of(NOT_ON, Annotated.OnMethod.class);
        assertThat(onMethod.report("leavesThread()")).contains("thread \"planted-annotated-method\" #");
        assertThat(onMethod.passed()).containsExactly("isNotChecked()");
        assertThat(Outcome.of(NOT_ON, Leaky.Threads.class).failures()).isEmpty();
    }

    @Test
    void ignoresByTopFrameAnyFrameCreatorNameAndMetaAnnotation() {
        Outcome outcome = Outcome.of(
                Annotated.IgnoresTop.class,
                Annotated.IgnoresFrame.class,
                Annotated.IgnoresCreator.class,
                Annotated.IgnoresByMeta.class);
        assertThat(outcome.failures()).isEmpty();
        assertThat(outcome.passed()).hasSize(5);
        assertThat(outcome.session()).isNull();
        assertThat(Outcome.of(Annotated.IgnoresOthers.class).report("leavesThread()"))
                .contains("thread \"not-ignored\" #");
    }

    @Test
    void ignoresWhatTheConfigurationNames() {
        Map<String, String> configuration =
                Map.of(Options.SWITCH, "on", Options.LINGER, "300", Options.IGNORE_NAMES, "other, planted-*");
        assertThat(Outcome.of(configuration, Leaky.Threads.class).failures()).isEmpty();
    }

    @Test
    void tellsNothingOfWhatIsNotChecked() {
        assertThat(Outcome.of(Annotated.ChecksDescriptorsOnly.class, Annotated.OffForOne.class)
                        .failures())
                .isEmpty();
    }

    @Test
    void ignoresWhatIsThereNow() {
        assertThat(Outcome.of(Annotated.IgnoresCurrent.class).report("startsWhatIsMeantToStay()"))
                .contains("1 leak since ")
                .contains("thread \"not-meant-to-stay\" #");
        assertThatThrownBy(() -> Leaks.ignoreCurrent(" ")).hasMessage("say why what lives now is no leak");
    }

    @Test
    void leavesNoSystemPropertyBehind() {
        String before = System.getProperty(NoLeaksSession.Switch.AUTODETECTION);
        Outcome.of(Leaky.CleanResource.class);
        assertThat(System.getProperty(NoLeaksSession.Switch.AUTODETECTION)).isEqualTo(before);
    }

    @Test
    void givesAReasonForEachBuiltInRule() {
        assertThat(Ignores.builtIn().rules())
                .isNotEmpty()
                .allSatisfy(rule -> assertThat(rule.reason()).isNotBlank());
    }
}
