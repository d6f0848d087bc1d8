package dev.decisionsidecar.samples;

import dev.decisionsidecar.Decision;
import dev.decisionsidecar.SidecarClient;
import dev.decisionsidecar.User;
import java.time.Duration;
import java.util.Map;

/** The first decision: {@code FirstDecision [ADDRESS]}, a sidecar listening there. */
public final class FirstDecision {
    private FirstDecision() {}

    /** Decides the shop's checkout for one user. */
    public static void main(String[] arguments) {
        String address = arguments.length > 0 ? arguments[0] : SidecarClient.DEFAULT_ADDRESS;
        try (SidecarClient client = SidecarClient.connect(address)) {
            client.waitReady(Duration.ofSeconds(10));
            User user = client.user("user-1", Map.of("app_version", "2.5.0", "country", "DE"));
            Decision decision = user.decide("checkout_redesign");
            String layout = decision.variables().getString("layout", "classic");
            System.out.printf(
                    "%s: %s, layout %s, because %s%n",
                    decision.flagKey(), decision.variationKey(), layout, decision.reason());
        }
    }
}
