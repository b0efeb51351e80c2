package org.sapwood.report;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.sapwood.io.Json;

/**
 * A headless Chromium, driven over the DevTools protocol (https://chromedevtools.github.io/devtools-protocol/) with
 * nothing but the JDK's WebSocket.
 */
final class Browser implements AutoCloseable {
    private static final long TIMEOUT_SECONDS = 30;
    private static final String LISTENING = "DevTools listening on ";

    private final Process process;
    private final Path profile;
    private final WebSocket socket;
    private final String session;
    private final Map<Integer, CompletableFuture<Map<?, ?>>> pending;
    private final List<Event> events;
    private int lastId;

    /** Something that the browser reports by itself. */
    record Event(String method, Map<?, ?> params) {}

    /** The browser of this machine: {@code -Dsapwood.chromium}, {@code SAPWOOD_CHROMIUM} or a usual place. */
    static Optional<Path> find() {
        return Stream.of(
                        System.getProperty("sapwood.chromium"),
                        System.getenv("SAPWOOD_CHROMIUM"),
                        "/usr/bin/chromium",
                        "/usr/bin/chromium-browser",
                        "/usr/bin/google-chrome")
                .filter(path -> path != null && !path.isEmpty())
                .map(Path::of)
                .filter(Files::isExecutable)
                .findFirst();
    }

    private Browser(Process process, Path profile, WebSocket socket, Receiver receiver) {
        this.process = process;
        this.profile = profile;
        this.socket = socket;
        this.pending = receiver.pending;
        this.events = receiver.events;
        Object target =
                send(null, "Target.createTarget", Map.of("url", "about:blank")).get("targetId");
        this.session = String.valueOf(
                send(null, "Target.attachToTarget", Map.of("targetId", String.valueOf(target), "flatten", true))
                        .get("sessionId"));
        for (String domain : List.of("Page", "Runtime", "Network", "Log")) {
            call(domain + ".enable", Map.of());
        }
    }

    /** Starts it with a profile of its own, which {@link #close} deletes. */
    static Browser start(Path program) throws IOException {
        Path profile = Files.createTempDirectory("sapwood-browser");
        ProcessBuilder builder = new ProcessBuilder(
                        program.toString(),
                        "--headless",
                        "--no-sandbox",
                        "--disable-gpu",
                        "--disable-quic",
                        "--disable-dev-shm-usage",
                        "--no-first-run",
                        "--disable-background-networking",
                        "--disable-component-update",
                        "--disable-extensions",
                        "--disable-sync",
                        "--remote-debugging-port=0",
                        "--user-data-dir=" + profile,
                        "about:blank")
                .redirectOutput(ProcessBuilder.Redirect.DISCARD);
        builder.environment().put("TMPDIR", profile.toString());
        Process process = builder.start();
        try {
            Receiver receiver = new Receiver();
            WebSocket socket = HttpClient.newBuilder()
                    .proxy(HttpClient.Builder.NO_PROXY)
                    .build()
                    .newWebSocketBuilder()
                    .connectTimeout(Duration.ofSeconds(TIMEOUT_SECONDS))
                    .buildAsync(URI.create(address(process)), receiver)
                    .join();
            return new Browser(process, profile, socket, receiver);
        } catch (IOException | RuntimeException e) {
            process.destroyForcibly();
            delete(profile);
            throw e;
        }
    }

    /** What the browser says on standard error before it serves; what it says after is read by nobody. */
    private static String address(Process process) throws IOException {
        BufferedReader errors = process.errorReader();
        List<String> said = new ArrayList<>();
        for (String line = errors.readLine(); line != null; line = errors.readLine()) {
            said.add(line);
            if (line.startsWith(LISTENING)) {
                Thread.ofVirtual().start(() -> errors.lines().forEach(ignored -> {}));
                return line.substring(LISTENING.length()).strip();
            }
        }
        throw new IOException("the browser ended before it served: " + said);
    }

    /** Calls a method of the protocol on the page. */
    Map<?, ?> call(String method, Map<String, ?> params) {
        return send(session, method, params);
    }

    /** The value of a JavaScript expression in the page. */
    @Nullable
    Object evaluate(String expression) {
        Map<?, ?> reply = call("Runtime.evaluate", Map.of("expression", expression, "returnByValue", true));
        if (reply.containsKey("exceptionDetails")) {
            throw new IllegalStateException("the script failed: " + reply.get("exceptionDetails"));
        }
        return RunFacts.map(reply.get("result")).get("value");
    }

    /** Opens a page and waits until it has loaded, with all that it asked for. */
    List<Event> open(URI page) throws InterruptedException {
        events.clear();
        call("Page.navigate", Map.of("url", page.toString()));
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
        while (events.stream().noneMatch(event -> event.method().equals("Page.loadEventFired"))) {
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException(page + " did not load within " + TIMEOUT_SECONDS + " s");
            }
            Thread.sleep(2);
        }
        return events;
    }

    private Map<?, ?> send(@Nullable String toSession, String method, Map<String, ?> params) {
        int id = ++lastId;
        Map<String, Object> message = new LinkedHashMap<>();
        message.put("id", id);
        message.put("method", method);
        message.put("params", params);
        if (toSession != null) {
            message.put("sessionId", toSession);
        }
        CompletableFuture<Map<?, ?>> reply = new CompletableFuture<>();
        pending.put(id, reply);
        socket.sendText(Json.line(message), true).join();
        try {
            Map<?, ?> answer = reply.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
            if (answer.containsKey("error")) {
                throw new IllegalStateException(method + ": " + answer.get("error"));
            }
            return RunFacts.map(answer.get("result"));
        } catch (InterruptedException | ExecutionException | TimeoutException e) {
            throw new IllegalStateException(method + " got no answer", e);
        }
    }

    @Override
    public void close() throws IOException {
        send(null, "Browser.close", Map.of());
        socket.abort();
        try {
            if (!process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        delete(profile);
    }

    /** Helper processes may be writing their last files for a moment after the browser has ended. */
    private static void delete(Path folder) throws IOException {
        for (int attempt = 1; ; attempt++) {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
                return;
            } catch (IOException | UncheckedIOException e) {
                if (attempt == 5) {
                    throw e;
                }
            }
        }
    }

    /** Puts the pieces of messages together and hands replies to whoever waits for them. */
    private static final class Receiver implements WebSocket.Listener {
        private final Map<Integer, CompletableFuture<Map<?, ?>>> pending = new ConcurrentHashMap<>();
        private final List<Event> events = new CopyOnWriteArrayList<>();
        private final StringBuilder message = new StringBuilder();

        @Override
        public @Nullable CompletionStage<?> onText(WebSocket from, CharSequence part, boolean last) {
            message.append(part);
            if (last) {
                Map<String, Object> json = Json.parseObject(message.toString(), "the browser");
                message.setLength(0);
                if (json.get("id") instanceof Number id) {
                    CompletableFuture<Map<?, ?>> reply = pending.remove(id.intValue());
                    if (reply != null) {
                        reply.complete(json);
                    }
                } else {
                    events.add(new Event(String.valueOf(json.get("method")), RunFacts.map(json.get("params"))));
                }
            }
            from.request(1);
            return null;
        }

        @Override
        public void onError(WebSocket from, Throwable failure) {
            pending.values().forEach(reply -> reply.completeExceptionally(failure));
        }
    }
}
