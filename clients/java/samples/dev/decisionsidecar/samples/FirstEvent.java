package dev.decisionsidecar.samples;

import dev.decisionsidecar.Accepted;
import dev.decisionsidecar.Outcome;
import dev.decisionsidecar.SidecarClient;
import dev.decisionsidecar.TrackOptions;
import dev.decisionsidecar.User;
import java.math.BigDecimal;
import java.util.Map;

/** The first event: {@code FirstEvent [ADDRESS]}, a sidecar listening there. */
public final class FirstEvent {
    private FirstEvent() {}

    /** Says who a user is, and records what it bought, for exactly so much money. */
    public static void main(String[] arguments) {
        String address = arguments.length > 0 ? arguments[0] : SidecarClient.DEFAULT_ADDRESS;
        try (SidecarClient client = SidecarClient.connect(address)) {
            User user = client.user("user-1", Map.of("country", "DE"));
            user.identify(Map.of("plan", "pro"));
            Accepted accepted = user.track(
                    "purchase",
                    TrackOptions.with().revenue(new BigDecimal("19.90"), "USD").properties(Map.of("order_id", "7")));
            for (Outcome outcome : accepted.outcomes()) {
                System.out.println(
                        (outcome.destination() + ": " + outcome.state() + " " + outcome.reason()).stripTrailing());
            }
        }
    }
}
