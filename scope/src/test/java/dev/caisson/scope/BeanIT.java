package dev.caisson.scope;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;
import javax.management.MBeanServer;
import javax.management.MBeanServerFactory;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;

/** In a process that uses no management, opening a scope does not wait for it; the bean comes all the same. */
class BeanIT {
    /** What runs in the child. */
    static final class Program {
        public static void main(String[] args) throws Exception {
            Scope scope = Scope.open("first");
            System.out.println(
                    "servers " + MBeanServerFactory.findMBeanServer(null).size());
            Waits.until(
                    "the bean server is there",
                    () -> !MBeanServerFactory.findMBeanServer(null).isEmpty());
            MBeanServer server = ManagementFactory.getPlatformMBeanServer();
            ObjectName name = new ObjectName(ScopesMXBean.NAME);
            Waits.until("the bean is there", () -> server.isRegistered(name));
            System.out.println("roots " + server.getAttribute(name, "RootCount"));
            scope.close();
            System.out.println("registered " + server.isRegistered(name));
        }
    }

    @Test
    void comesAfterTheFirstScopeAndGoesWithTheLast() throws Exception {
        Process child = new ProcessBuilder(List.of(
                        System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                        "-Xmx64m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Program.class.getName()))
                .redirectErrorStream(true)
                .start();
        try (BufferedReader out = child.inputReader(StandardCharsets.UTF_8)) {
            assertThat(out.readLine()).isEqualTo("servers 0");
            assertThat(out.readLine()).isEqualTo("roots 1");
            assertThat(out.readLine()).isEqualTo("registered false");
            assertThat(child.waitFor(30, TimeUnit.SECONDS)).isTrue();
            assertThat(child.exitValue()).isZero();
        } finally {
            child.destroyForcibly();
        }
    }
}
