package dev.decisionsidecar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.decisionsidecar.testing.FakeSidecar;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The fake records what was sent, and answers what it was told. */
final class FakeSidecarTest {
    private final FakeSidecar fake = new FakeSidecar(
            Decision.defaultFor("f").withEnabled(true).withVariationKey("on").withVariable("steps", 1));
    private final SidecarClient client = fake.client();

    @Test
    void decisionsAreThoseItWasMadeWithAndAreRecorded() {
        Decisions decisions = client.user("u", Map.of("plan", "pro")).decideForKeys(List.of("f", "other"));
        assertEquals(1, decisions.get("f").variables().getInteger("steps"));
        assertEquals(DecisionReason.FLAG_NOT_FOUND, decisions.get("other").reason());
        assertEquals("pro", fake.decided().get(1).attributes().get("plan"));
        assertEquals(
                List.of("f"), List.copyOf(client.user("u").decideAll().byFlag().keySet()));
        assertTrue(client.decideMany(List.of(client.user("a"), client.user("b")), List.of("f"))
                .get(1)
                .isEnabled("f"));
        assertTrue(client.user("u").explain("f").decision().enabled());
    }

    @Test
    void everyKindOfEventIsRecordedOnce() {
        User user = client.user("u", Map.of("plan", "pro")).withAnonymousId("a");
        TrackOptions options = TrackOptions.with()
                .eventId("e-1")
                .revenue(Money.of("19.90", "USD"))
                .tags(Map.of("value", 2.5))
                .properties(Map.of("order_id", "7"));
        user.track("purchase", options);
        user.track("purchase", options);
        user.identify(Map.of("email", "a@b"));
        user.page("home", PageOptions.with().category("shop").properties(Map.of("url", "/")));
        user.screen("main");
        user.group("g", Map.of("size", 3));
        user.alias("before");
        Imported imported = client.importEvents(List.of(user.drafts().track("purchase", options)));
        assertEquals(1, imported.repeated());
        assertEquals(
                List.of("track", "identify", "page", "screen", "group", "alias"),
                fake.events().stream().map(each -> each.kind()).toList());
        assertEquals(Money.of("19.90", "USD"), fake.events().get(0).revenue().orElseThrow());
        assertEquals(Map.of("value", 2.5), fake.events().get(0).tags());
        assertEquals("shop", fake.events().get(2).category());
        assertEquals("before", fake.events().get(5).previousId());
    }

    @Test
    void anOutageIsShownAndEnds() {
        fake.fail("RESOURCE_EXHAUSTED", "the outbox is full", "OUTBOX_FULL");
        RefusedException error =
                assertThrows(RefusedException.class, () -> client.user("u").track("purchase"));
        assertEquals("OUTBOX_FULL", error.reason());
        assertEquals("OUTBOX_FULL", client.user("u").decide("f").errorReason());
        fake.recover();
        assertTrue(client.waitReady(Duration.ofSeconds(1)));
        assertTrue(client.flush(Duration.ZERO).complete());
        assertEquals("1", client.watch().next().revision());
        client.close();
        assertThrows(ClientClosedException.class, () -> client.user("u").track("purchase"));
    }
}
