package dev.caisson.gateway;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A headless Chromium with a fresh profile, driven through chromedriver's W3C interface. Closing ends both processes. */
final class Chromium implements AutoCloseable {
    private static final Pattern PORT = Pattern.compile("on port ([0-9]+)");
    private static final List<String> ARGUMENTS = List.of(
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            "--window-size=1400,900");

    private final Process driver;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI base;
    private String session = "";

    private Chromium(Process driver, int port) {
        this.driver = driver;
        this.base = URI.create("http://127.0.0.1:" + port + "/");
    }

    /** The path of the first of the programs that is installed. */
    static Optional<Path> find(String... names) {
        return Arrays.stream(names)
                .flatMap(name -> Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
                        .map(directory -> Path.of(directory, name)))
                .filter(Files::isExecutable)
                .findFirst();
    }

    static Chromium start(Path browser, Path chromedriver, Path profile) throws IOException, InterruptedException {
        Process driver = new ProcessBuilder(chromedriver.toString(), "--port=0")
                .redirectErrorStream(true)
                .start();
        BufferedReader out = driver.inputReader(StandardCharsets.UTF_8);
        for (String line = out.readLine(); line != null; line = out.readLine()) {
            Matcher matcher = PORT.matcher(line);
            if (line.contains("started successfully") && matcher.find()) {
                Chromium chromium = new Chromium(driver, Integer.parseInt(matcher.group(1)));
                try {
                    chromium.open(browser, profile);
                } catch (IOException | RuntimeException e) {
                    chromium.close();
                    throw e;
                }
                return chromium;
            }
        }
        throw new IOException("chromedriver ended before it listened");
    }

    private void open(Path browser, Path profile) throws IOException, InterruptedException {
        JsonArray arguments = new JsonArray();
        ARGUMENTS.forEach(arguments::add);
        arguments.add("--user-data-dir=" + profile);
        JsonObject options = new JsonObject();
        options.addProperty("binary", browser.toString());
        options.add("args", arguments);
        JsonObject match = new JsonObject();
        match.add("goog:chromeOptions", options);
        JsonObject capabilities = new JsonObject();
        capabilities.add("alwaysMatch", match);
        JsonObject body = new JsonObject();
        body.add("capabilities", capabilities);
        session =
                send("POST", "session", body).getAsJsonObject().get("sessionId").getAsString();
    }

    void go(URI page) throws IOException, InterruptedException {
        JsonObject body = new JsonObject();
        body.addProperty("url", page.toString());
        send("POST", "session/" + session + "/url", body);
    }

    /** Runs the script, a function's body, and returns what it returns. */
    JsonElement run(String script) throws IOException, InterruptedException {
        JsonObject body = new JsonObject();
        body.addProperty("script", script);
        body.add("args", new JsonArray());
        return send("POST", "session/" + session + "/execute/sync", body);
    }

    private JsonElement send(String method, String path, JsonObject body) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(base.resolve(path))
                .timeout(Duration.ofSeconds(60))
                .method(method, HttpRequest.BodyPublishers.ofString(body.toString()))
                .build();
        var answer = http.send(request, BodyHandlers.ofString());
        if (answer.statusCode() != 200) {
            throw new IOException(method + " " + path + " failed: " + answer.body());
        }
        return JsonParser.parseString(answer.body()).getAsJsonObject().get("value");
    }

    @Override
    public void close() throws IOException, InterruptedException {
        try {
            if (!session.isEmpty()) {
                send("DELETE", "session/" + session, new JsonObject());
            }
        } finally {
            http.close();
            List<ProcessHandle> all = driver.descendants().toList();
            driver.destroy();
            if (!driver.waitFor(30, TimeUnit.SECONDS)) {
                driver.destroyForcibly().waitFor(30, TimeUnit.SECONDS);
            }
            all.forEach(ProcessHandle::destroyForcibly);
            driver.inputReader(StandardCharsets.UTF_8).close();
            driver.getErrorStream().close();
            driver.getOutputStream().close();
        }
    }
}
