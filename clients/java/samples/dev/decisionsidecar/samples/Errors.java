package dev.decisionsidecar.samples;

import dev.decisionsidecar.Decision;
import dev.decisionsidecar.RequestRefusedException;
import dev.decisionsidecar.SidecarClient;
import dev.decisionsidecar.SidecarException;

/** What goes wrong, and how it reads: {@code Errors [ADDRESS]}, a sidecar listening there. */
public final class Errors {
    private Errors() {}

    /** A refused event with its violations, and a decision without a sidecar. */
    public static void main(String[] arguments) {
        String address = arguments.length > 0 ? arguments[0] : SidecarClient.DEFAULT_ADDRESS;
        try (SidecarClient client = SidecarClient.connect(address)) {
            client.user("").track("");
        } catch (RequestRefusedException refused) {
            refused.violations().forEach(each -> System.out.println(each.field() + ": " + each.description()));
        } catch (SidecarException error) {
            System.out.println(
                    error.reason() + ", again later: " + error.retryable() + ", as event " + error.eventId());
        }

        // Nothing listens there: the caller's default is the answer, and says why.
        try (SidecarClient nowhere = SidecarClient.connect("127.0.0.1:9")) {
            Decision standIn = Decision.defaultFor("checkout_redesign")
                    .withVariationKey("control")
                    .withVariable("steps", 4);
            Decision decision = nowhere.user("user-1").decide("checkout_redesign", standIn);
            System.out.println(
                    decision.variationKey() + ", because " + decision.reason() + ": " + decision.errorReason());
        }
    }
}
