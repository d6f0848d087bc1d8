package dev.decisionsidecar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.decisionsidecar.internal.ScriptedSidecar;
import io.grpc.Metadata;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanContext;
import io.opentelemetry.api.trace.TraceFlags;
import io.opentelemetry.api.trace.TraceState;
import io.opentelemetry.context.Scope;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The channel: restarts, sockets, headers, close, threads, watch. TLS is in the conformance scenarios. */
final class ConnectionTest {
    private static final ClientOptions STRICT = ClientOptions.builder()
            .strict(true)
            .decideTimeout(Duration.ofSeconds(20))
            .eventTimeout(Duration.ofSeconds(20))
            .token(() -> "secret")
            .build();

    private ScriptedSidecar sidecar;
    private SidecarClient client;

    @BeforeEach
    void start() throws IOException {
        sidecar = new ScriptedSidecar();
        client = SidecarClient.connect(sidecar.address(), STRICT);
    }

    @AfterEach
    void stop() {
        sidecar.release();
        client.close();
        sidecar.close();
    }

    private String header(String name) {
        Metadata headers = sidecar.seen.get(sidecar.seen.size() - 1).headers();
        return headers.get(Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER));
    }

    @Test
    void aRestartOfTheSidecarIsFound() throws Exception {
        client.user("u").track("purchase");
        sidecar.stop();
        Decision standIn = Decision.defaultFor("f");
        assertEquals(
                "UNAVAILABLE",
                client.user("u")
                        .decide("f", standIn, AskOptions.with().strict(false))
                        .errorReason());
        sidecar.start();
        assertTrue(client.waitReady(Duration.ofSeconds(30)));
        assertEquals("on", client.user("u").decide("f").variationKey());
    }

    @Test
    void aUnixSocketIsAnAddress(@TempDir Path directory) throws IOException {
        try (ScriptedSidecar local =
                        new ScriptedSidecar(directory.resolve("s.sock").toString());
                SidecarClient near = SidecarClient.connect(local.address(), STRICT)) {
            assertEquals("on", near.user("u").decide("f").variationKey());
        }
    }

    @Test
    void anAddressThatCannotBeIsRefused() {
        for (String wrong : List.of("", "localhost", "host:0", "host:65536", "unix:")) {
            assertThrows(IllegalArgumentException.class, () -> SidecarClient.connect(wrong), wrong);
        }
    }

    @Test
    void theTokenAndTheCurrentSpanAreSent() {
        SpanContext context = SpanContext.create(
                "0af7651916cd43dd8448eb211c80319c",
                "b7ad6b7169203331",
                TraceFlags.getSampled(),
                TraceState.builder().put("vendor", "x").build());
        Scope scope = Span.wrap(context).makeCurrent();
        client.user("u").decide("f");
        scope.close();
        assertEquals("Bearer secret", header("authorization"));
        assertEquals("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", header("traceparent"));
        assertEquals("vendor=x", header("tracestate"));
        client.user("u").decide("f");
        assertNull(header("traceparent"));
    }

    @Test
    void aTokenThatCannotBeReadIsNoExceptionOfADecision() {
        ClientOptions options = ClientOptions.builder()
                .token(() -> {
                    throw new IllegalStateException("no such file");
                })
                .build();
        try (SidecarClient locked = SidecarClient.connect(sidecar.address(), options)) {
            assertEquals("UNAUTHENTICATED", locked.user("u").decide("f").errorReason());
        }
    }

    @Test
    void aCallAfterCloseAndOneDuringItIsClientClosed() throws Exception {
        sidecar.hold();
        CompletableFuture<Accepted> during =
                CompletableFuture.supplyAsync(() -> client.user("u").track("purchase"));
        sidecar.entered.await();
        client.close();
        assertTrue(assertThrows(Exception.class, during::get).getCause() instanceof ClientClosedException);
        assertThrows(ClientClosedException.class, () -> client.user("u").track("purchase"));
        client.close();
    }

    @Test
    void manyThreadsShareOneClient() {
        long answered = IntStream.range(0, 200)
                .parallel()
                .filter(each -> client.user("u" + each).decide("f").enabled())
                .count();
        assertEquals(200, answered);
    }

    @Test
    void aWatchSurvivesARestartAndEndsWithItsClient() throws Exception {
        sidecar.changes.add("41");
        Watch watch = client.watch();
        assertEquals("41", watch.next().revision());
        sidecar.stop();
        sidecar.start();
        sidecar.changes.add("41");
        sidecar.changes.add("42");
        assertEquals("42", watch.next().revision());
        CompletableFuture<Boolean> more = CompletableFuture.supplyAsync(watch::hasNext);
        client.close();
        assertFalse(more.get());
    }

    @Test
    void aWatchIsEndedByItsOwnClose() throws Exception {
        sidecar.changes.add("41");
        Watch watch = client.watch();
        assertEquals("41", watch.next().revision());
        CompletableFuture<Boolean> more = CompletableFuture.supplyAsync(watch::hasNext);
        watch.close();
        assertFalse(more.get());
        assertTrue(client.user("u").decide("f").enabled());
    }
}
