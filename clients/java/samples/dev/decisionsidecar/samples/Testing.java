package dev.decisionsidecar.samples;

import dev.decisionsidecar.ClientOptions;
import dev.decisionsidecar.Decision;
import dev.decisionsidecar.SidecarClient;
import dev.decisionsidecar.TrackOptions;
import dev.decisionsidecar.User;
import dev.decisionsidecar.testing.FakeSidecar;
import java.math.BigDecimal;
import java.time.Duration;

/** A unit test of code that decides and tracks, without a sidecar; its methods would have JUnit's annotation. */
public final class Testing {
    private Testing() {}

    /** The code under test. */
    static String checkout(SidecarClient client) {
        User user = client.user("user-1");
        long steps = user.decide("checkout_redesign").variables().getInteger("steps", 4);
        user.track("purchase", TrackOptions.with().revenue(new BigDecimal("19.90"), "USD"));
        return steps + " steps";
    }

    /** A fixed decision goes in, the event comes out. */
    static void expressCheckoutHasOneStep() {
        FakeSidecar fake = new FakeSidecar(
                Decision.defaultFor("checkout_redesign").withEnabled(true).withVariable("steps", 1));
        try (SidecarClient client = fake.client()) {
            check(checkout(client).equals("1 steps"));
        }
        check(fake.events().get(0).name().equals("purchase"));
    }

    /** Without a sidecar the default holds, and the event waits in the buffer. */
    static void checkoutSurvivesAnOutage() {
        FakeSidecar fake = new FakeSidecar();
        fake.fail();
        ClientOptions options = ClientOptions.builder()
                .bufferEventsMax(10)
                .eventTimeout(Duration.ofMillis(100))
                .build();
        try (SidecarClient client = fake.client(options)) {
            check(checkout(client).equals("4 steps"));
            fake.recover();
            client.flush(Duration.ofSeconds(5));
        }
        check(fake.events().size() == 1);
    }

    private static void check(boolean holds) {
        if (!holds) {
            throw new AssertionError();
        }
    }

    /** Runs both. */
    public static void main(String[] arguments) {
        expressCheckoutHasOneStep();
        checkoutSurvivesAnOutage();
        System.out.println("both hold");
    }
}
