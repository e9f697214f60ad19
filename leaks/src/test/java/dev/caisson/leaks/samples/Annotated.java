package dev.caisson.leaks.samples;

import dev.caisson.leaks.LeakKind;
import dev.caisson.leaks.Leaks;
import dev.caisson.leaks.NoLeaks;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import org.junit.jupiter.api.Test;

/** Tests with the annotation and its options. */
public final class Annotated {
    private Annotated() {}

    @NoLeaks(lingerMillis = 300)
    public static class OnClass {
        @Test
        void leavesThread() {
            Planted.thread("planted-annotated");
        }
    }

    public static class OnMethod {
        @Test
        @NoLeaks(lingerMillis = 300)
        void leavesThread() {
            Planted.thread("planted-annotated-method");
        }

        @Test
        void isNotChecked() {
            Planted.thread("planted-unseen");
        }
    }

    @NoLeaks(ignoreNames = "ignored-by-outer-*")
    public abstract static class Above {}

    @NoLeaks(ignoreTop = "java.lang.Object.wait*", lingerMillis = 300)
    public static class IgnoresTop extends Above {
        @Test
        void leavesThread() {
            Planted.thread("ignored-by-top");
        }

        @Test
        void leavesThreadThatTheClassAboveIgnores() {
            Planted.thread("ignored-by-outer-class");
        }
    }

    @NoLeaks(ignoreFrames = "dev.caisson.leaks.samples.Planted.waitForInterrupt", lingerMillis = 300)
    public static class IgnoresFrame {
        @Test
        void leavesThread() {
            Planted.thread("ignored-by-frame");
        }
    }

    @NoLeaks(ignoreCreators = "*$IgnoresCreator.leavesThread", lingerMillis = 300)
    public static class IgnoresCreator {
        @Test
        void leavesThread() {
            Planted.thread("ignored-by-creator");
        }
    }

    @NoLeaks(ignoreFrames = "*.waitForever", ignoreNames = "other", lingerMillis = 300)
    public static class IgnoresOthers {
        @Test
        void leavesThread() {
            Planted.thread("not-ignored");
        }
    }

    @NoLeaks(check = LeakKind.DESCRIPTOR, lingerMillis = 300)
    public static class ChecksDescriptorsOnly {
        @Test
        void leavesThread() {
            Planted.thread("not-checked");
        }
    }

    public static class OffForOne {
        @Test
        @NoLeaks(off = "shows that it is not told")
        void leavesThread() {
            Planted.thread("switched-off");
        }
    }

    public static class IgnoresCurrent {
        @Test
        void startsWhatIsMeantToStay() {
            Planted.thread("meant-to-stay");
            Leaks.ignoreCurrent("shared by all tests of this JVM");
            Planted.thread("not-meant-to-stay");
        }
    }

    /** An annotation of a project's own. */
    @NoLeaks(ignoreNames = "ignored-by-meta")
    @Retention(RetentionPolicy.RUNTIME)
    public @interface OursIgnored {}

    @OursIgnored
    public static class IgnoresByMeta {
        @Test
        void leavesThread() {
            Planted.thread("ignored-by-meta");
        }
    }
}
