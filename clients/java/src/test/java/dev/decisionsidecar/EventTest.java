package dev.decisionsidecar;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.decisionsidecar.internal.ScriptedSidecar;
import dev.decisionsidecar.internal.pb.TrackingProto.ImportRequest;
import dev.decisionsidecar.internal.pb.TrackingProto.TrackRequest;
import io.grpc.Status;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Events: sent, retried, buffered, imported. */
final class EventTest {
    private ScriptedSidecar sidecar;
    private final List<SidecarClient> clients = new ArrayList<>();

    @BeforeEach
    void start() throws IOException {
        sidecar = new ScriptedSidecar();
    }

    @AfterEach
    void stop() {
        sidecar.release();
        clients.forEach(SidecarClient::close);
        sidecar.close();
    }

    private SidecarClient client(int bufferEventsMax) {
        ClientOptions options = ClientOptions.builder()
                .eventTimeout(Duration.ofSeconds(bufferEventsMax > 0 ? 1 : 20))
                .bufferEventsMax(bufferEventsMax)
                .build();
        SidecarClient client = SidecarClient.connect(sidecar.address(), options);
        clients.add(client);
        return client;
    }

    private List<TrackRequest> tracked() throws IOException {
        List<TrackRequest> requests = new ArrayList<>();
        for (byte[] each : sidecar.requests("Track")) {
            requests.add(TrackRequest.parseFrom(each));
        }
        return requests;
    }

    @Test
    void aRetrySendsTheSameIdAndTime() {
        sidecar.fail(Status.UNAVAILABLE, 1);
        Accepted accepted = client(0).user("u").track("purchase");
        List<byte[]> requests = sidecar.requests("Track");
        assertArrayEquals(requests.get(0), requests.get(1));
        assertTrue(accepted.eventId().matches("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
        assertEquals(
                new Outcome("shop", OutcomeState.SKIPPED, "TOO_LARGE"),
                accepted.outcomes().get(1));
    }

    @Test
    void moneyIsExact() throws IOException {
        User user = client(0).user("u");
        user.track("purchase", TrackOptions.with().revenue(new BigDecimal("1E+2"), "USD"));
        user.track("purchase", TrackOptions.with().revenue(Money.of("12345678901234567890.10", "EUR")));
        assertEquals("100", tracked().get(0).getRevenue().getAmount());
        assertEquals("12345678901234567890.10", tracked().get(1).getRevenue().getAmount());
        assertThrows(IllegalArgumentException.class, () -> Money.of("1", "usd"));
    }

    @Test
    void anEventThatIsNotAcceptedThrowsWithItsId() {
        sidecar.refuse("event_key", "is empty");
        RequestRefusedException error = assertThrows(
                RequestRefusedException.class,
                () -> client(0).user("u").track("", TrackOptions.with().eventId("e-1")));
        assertEquals("e-1", error.eventId());
        assertFalse(error.retryable());
    }

    @Test
    void theBufferKeepsOrderAndIsSentWhenTheSidecarIsBack() throws Exception {
        SidecarClient client = client(10);
        sidecar.stop();
        for (String id : List.of("e-1", "e-2", "e-3")) {
            assertTrue(client.user("u")
                    .track("purchase", TrackOptions.with().eventId(id))
                    .buffered());
        }
        assertEquals(3, client.counters().eventsBuffered());
        sidecar.start();
        assertEquals(0, client.flush(Duration.ofSeconds(30)).buffered());
        assertEquals(
                List.of("e-1", "e-2", "e-3"),
                tracked().stream().map(TrackRequest::getEventId).toList());
        assertEquals(0, client.counters().eventsBuffered());
    }

    @Test
    void theBufferDropsItsOldestAndCounts() throws Exception {
        SidecarClient client = client(2);
        sidecar.stop();
        for (String id : List.of("e-1", "e-2", "e-3")) {
            client.user("u").track("purchase", TrackOptions.with().eventId(id));
        }
        assertEquals(1, client.counters().eventsDropped());
        sidecar.start();
        client.flush(Duration.ofSeconds(30));
        assertEquals(
                List.of("e-2", "e-3"),
                // The one that was dropped may have been on its way.
                tracked().stream()
                        .map(TrackRequest::getEventId)
                        .filter(each -> !each.equals("e-1"))
                        .toList());
    }

    @Test
    void anImportGoesOnAfterARestartAndReportsARefusedBatch() throws IOException {
        sidecar.refuse("events[1].user_id", "is empty");
        sidecar.fail(Status.RESOURCE_EXHAUSTED, 1);
        SidecarClient client = client(0);
        Drafts drafts = client.user("u").drafts();
        List<Draft> history =
                IntStream.range(0, 5).mapToObj(each -> drafts.track("purchase")).toList();
        Imported imported = client.importEvents(history, false, 2);
        assertEquals(3, imported.accepted());
        assertEquals(0, imported.refused().get(0).firstIndex());
        assertEquals(2, imported.refused().get(0).events());
        List<byte[]> requests = sidecar.requests("Import");
        assertEquals(4, requests.size());
        assertArrayEquals(requests.get(1), requests.get(2));
        assertEquals(1, ImportRequest.parseFrom(requests.get(3)).getEventsCount());
    }

    @Test
    void anImportThatBreaksOffSaysHowFarItCame() {
        SidecarClient client = client(0);
        sidecar.fail(Status.UNAUTHENTICATED, 1);
        AccessDeniedException error = assertThrows(
                AccessDeniedException.class,
                () -> client.importEvents(List.of(client.user("u").drafts().track("purchase"))));
        assertEquals(0, error.imported().orElseThrow().accepted());
    }
}
