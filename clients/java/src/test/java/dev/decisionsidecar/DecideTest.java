package dev.decisionsidecar;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.decisionsidecar.internal.ScriptedSidecar;
import dev.decisionsidecar.internal.pb.DecisionProto.DecideRequest;
import io.grpc.Status;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Decisions: answered, retried, defaulted, strict; values both ways. */
final class DecideTest {
    private static final ClientOptions PATIENT =
            ClientOptions.builder().decideTimeout(Duration.ofSeconds(20)).build();

    private ScriptedSidecar sidecar;
    private SidecarClient client;

    @BeforeEach
    void start() throws IOException {
        sidecar = new ScriptedSidecar();
        client = SidecarClient.connect(sidecar.address(), PATIENT);
    }

    @AfterEach
    void stop() {
        client.close();
        sidecar.close();
    }

    @Test
    void aRetrySendsTheSameBytes() {
        sidecar.fail(Status.UNAVAILABLE, 2);
        assertEquals("on", client.user("u").decide("f").variationKey());
        List<byte[]> requests = sidecar.requests("Decide");
        assertEquals(3, requests.size());
        assertArrayEquals(requests.get(0), requests.get(2));
        assertEquals(2, client.counters().retries());
    }

    @Test
    void onlyUnavailableIsRetried() {
        sidecar.fail(Status.RESOURCE_EXHAUSTED, 1);
        assertEquals("RESOURCE_EXHAUSTED", client.user("u").decide("f").errorReason());
        assertEquals(1, sidecar.requests("Decide").size());
    }

    @Test
    void aDefaultIsAnsweredAndCountedAndSaysWhy() {
        sidecar.fail(Status.INTERNAL.withDescription("odd"), 1);
        Decision standIn = Decision.defaultFor("f").withVariationKey("mine").withVariable("n", 4);
        Decision decision = client.user("u").decide("f", standIn);
        assertEquals("mine", decision.variationKey());
        assertEquals(4, decision.variables().getInteger("n"));
        assertEquals(DecisionReason.SIDECAR_UNAVAILABLE, decision.reason());
        assertTrue(decision.reasons().get(0).contains("odd"));
        assertEquals(1, client.counters().decisionsDefaulted());
    }

    @Test
    void aDefaultOfAnotherFlagIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> client.user("u").decide("f", Decision.defaultFor("g")));
    }

    @Test
    void strictThrowsTheErrorOfItsKind() {
        sidecar.refuse("user_id", "is empty", "attributes[a]", "is too large");
        AskOptions strict = AskOptions.with().strict(true);
        SidecarException error = assertThrows(
                SidecarException.class, () -> client.user("").decide("f", Decision.defaultFor("f"), strict));
        assertInstanceOf(RequestRefusedException.class, error);
        assertEquals(
                List.of(new Violation("user_id", "is empty"), new Violation("attributes[a]", "is too large")),
                error.violations());
        assertTrue(error.getMessage().contains("attributes[a]: is too large"));
        assertEquals("/sidecar.v1.DecisionService/Decide", error.method());
    }

    @Test
    void anAnswerThatIsLateIsTheDefault() {
        sidecar.hold();
        AskOptions soon = AskOptions.with().timeout(Duration.ofMillis(200));
        Decision decision = client.user("u").decide("f", Decision.defaultFor("f"), soon);
        assertEquals("DEADLINE_EXCEEDED", decision.errorReason());
    }

    @Test
    void valuesComeBackExactly() {
        Map<String, Object> attributes = Map.of(
                "int", (1L << 53) + 1, "least", Long.MIN_VALUE, "half", 0.5, "list", List.of(1L, "ü"), "flag", true);
        Variables variables = client.user("u", attributes).decide("f").variables();
        assertEquals(attributes, variables.asMap());
        assertEquals((1L << 53) + 1, variables.getInteger("int"));
    }

    @Test
    void aValueWithoutAWireFormIsRefusedWithItsPath() {
        assertEquals(
                "attributes[a][1][b] is `9223372036854775808`, wanted an integer within int64",
                refused(Map.of("a", List.of(1, Map.of("b", BigInteger.ONE.shiftLeft(63))))));
        assertTrue(refused(Map.of("price", BigDecimal.ONE)).endsWith("money goes into `revenue`"));
        assertTrue(refused(Map.of("text", "\ud800")).contains("lone surrogate"));
        Object deep = 1;
        for (int depth = 0; depth < 33; depth++) {
            deep = List.of(deep);
        }
        assertTrue(refused(Map.of("deep", deep)).endsWith("is nested deeper than 32 levels"));
    }

    private String refused(Map<String, Object> attributes) {
        return assertThrows(IllegalArgumentException.class, () -> client.user("u", attributes))
                .getMessage();
    }

    @Test
    void aVariableOfAnotherTypeNamesEverything() {
        Variables variables =
                client.user("u", Map.of("layout", "wide")).decide("f").variables();
        VariableTypeMismatchException error =
                assertThrows(VariableTypeMismatchException.class, () -> variables.getInteger("layout", 1));
        assertEquals("variable `layout` of flag `f` is string `wide`, wanted integer", error.getMessage());
        assertEquals("wide", error.got());
        assertThrows(VariableMissingException.class, () -> variables.getString("absent"));
        assertEquals(1.5, variables.getDouble("absent", 1.5));
    }

    @Test
    void aHandleIsNotChangedByWhatIsMadeOfIt() throws IOException {
        User user = client.user("u", Map.of("a", 1));
        user.withAttributes(Map.of("a", 2))
                .withSegments(List.of())
                .withForcedDecision("f", "x")
                .withForcedDecision("f", "y")
                .decide("f");
        user.decide("f");
        DecideRequest first = DecideRequest.parseFrom(sidecar.requests("Decide").get(0));
        DecideRequest second =
                DecideRequest.parseFrom(sidecar.requests("Decide").get(1));
        assertEquals(2, first.getAttributesOrThrow("a").getIntValue());
        assertTrue(first.hasQualifiedSegments());
        assertEquals(
                List.of("y"),
                first.getForcedDecisionsList().stream()
                        .map(each -> each.getVariationKey())
                        .toList());
        assertEquals(1, second.getAttributesOrThrow("a").getIntValue());
        assertEquals(0, second.getForcedDecisionsCount());
    }
}
