package dev.caisson.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caisson.rpc.CaissonServerBuilder;
import dev.caisson.rpc.ReflectionService;
import dev.caisson.scope.Scope;
import io.grpc.Server;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** The first page in a real browser. */
class ConsoleIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @TempDir(cleanup = CleanupMode.NEVER) // the browser still writes into it while it ends
    Path profile;

    @Test
    void showsAStreamComeAndGo() throws Exception {
        Optional<Path> browser = Chromium.find("chromium", "chromium-browser", "google-chrome");
        Optional<Path> driver = Chromium.find("chromedriver");
        assumeTrue(
                browser.isPresent() && driver.isPresent(),
                "no chromium with chromedriver on the PATH: the page is not tested (Debian: apt install chromium chromium-driver)");
        try (Scope app = Scope.open("page test")) {
            Server server = startServer(app);
            String target = "127.0.0.1:" + server.getPort();
            Gateway gateway = Gateway.open(
                    app, GatewayOptions.builder().port(0).allow(target).build());
            URI talk = gateway.uri().resolve("/call/" + target + "/" + GatewayContract.SERVICE + "/Talk");
            try (Chromium page = Chromium.start(browser.get(), driver.get(), profile)) {
                page.go(gateway.uri());
                until(page, "return document.querySelectorAll('.row').length > 5");
                until(page, "return document.getElementById('live').textContent === 'live'");
                assertThat(count(page, "[data-kind=gateway]")).isGreaterThanOrEqualTo(1);
                String method = "[data-name*=\"" + GatewayContract.SERVICE + "/Talk\"]";
                String row = ".row:not(.went)[data-kind=task]" + method;
                String streams = ".row:not(.went)[data-kind=call]" + method;
                assertThat(count(page, row)).isZero();

                try (GatewayContract.Chat chat = new GatewayContract.Chat(talk)) {
                    chat.send("{\"name\":\"page\"}\n");
                    assertThat(chat.line()).contains("Hello page");
                    await().atMost(PATIENCE).until(() -> count(page, row) == 1);
                    // The stream as the gateway's channel has it, and as the server has it.
                    await().atMost(PATIENCE).until(() -> count(page, streams) == 2);
                    page.run("document.querySelector('" + row.replace("'", "\\'") + "').click()");
                    until(page, "return document.querySelectorAll('#details ol li').length > 2");
                    assertThat(text(page, "#details")).contains("Gateway.");
                }
                await().atMost(PATIENCE).until(() -> count(page, row) + count(page, streams) == 0);
                assertThat(text(page, "#log")).contains("call " + GatewayContract.SERVICE + "/Talk");
                until(page, "return document.querySelector('#details .gone').textContent === 'ended'");

                page.run("const s = document.getElementById('search'); s.value = 'no such thing';"
                        + " s.dispatchEvent(new Event('input'))");
                assertThat(count(page, ".row:not(.went)")).isZero();
                assertThat(page.run("document.getElementById('theme').click();"
                                        + " return document.documentElement.dataset.theme")
                                .getAsString())
                        .isIn("dark", "light");
                assertThat(page.run("return performance.getEntriesByType('resource').every("
                                        + "one => one.name.startsWith(location.origin))")
                                .getAsBoolean())
                        .as("nothing from elsewhere")
                        .isTrue();
            }
        }
    }

    private static Server startServer(Scope app) throws Exception {
        CaissonServerBuilder builder = CaissonServerBuilder.forAddress(
                        new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
                .scope(app)
                .addService(new Greeting());
        ReflectionService.ofServer().forEach(builder::addService);
        return builder.build().start();
    }

    private static void until(Chromium page, String condition) {
        await().atMost(PATIENCE).until(() -> page.run(condition).getAsBoolean());
    }

    private static int count(Chromium page, String selector) throws Exception {
        return page.run("return document.querySelectorAll('" + selector + "').length")
                .getAsInt();
    }

    private static String text(Chromium page, String selector) throws Exception {
        return page.run("return document.querySelector('" + selector + "').textContent")
                .getAsString();
    }
}
