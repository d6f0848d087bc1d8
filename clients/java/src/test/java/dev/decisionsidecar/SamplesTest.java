package dev.decisionsidecar;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.decisionsidecar.internal.ScriptedSidecar;
import dev.decisionsidecar.samples.Errors;
import dev.decisionsidecar.samples.FirstDecision;
import dev.decisionsidecar.samples.FirstEvent;
import dev.decisionsidecar.samples.Testing;
import dev.decisionsidecar.samples.WatchDatafile;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The samples print what they promise. The decisions of a cold JVM may be late, so that one is asked before. */
final class SamplesTest {
    private static List<String> printed(Consumer<String[]> sample, String... arguments) {
        PrintStream before = System.out;
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        System.setOut(new PrintStream(text, true, StandardCharsets.UTF_8));
        try {
            sample.accept(arguments);
        } finally {
            System.setOut(before);
        }
        return text.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void theSamplesPrintWhatTheyPromise() throws Exception {
        try (ScriptedSidecar sidecar = new ScriptedSidecar()) {
            try (SidecarClient warm = SidecarClient.connect(sidecar.address())) {
                warm.waitReady(java.time.Duration.ofSeconds(30));
                warm.user("warm").decide("f");
            }
            String address = sidecar.address();
            assertEquals(
                    List.of("checkout_redesign: on, layout classic, because BUCKETED"),
                    printed(FirstDecision::main, address));
            assertEquals(List.of("console: QUEUED", "shop: SKIPPED TOO_LARGE"), printed(FirstEvent::main, address));
            sidecar.refuse("user_id", "is empty");
            assertEquals(
                    List.of("user_id: is empty", "control, because SIDECAR_UNAVAILABLE: UNAVAILABLE"),
                    printed(Errors::main, address));
            assertEquals(List.of("both hold"), printed(Testing::main));
            sidecar.changes.addAll(List.of("41", "42"));
            assertEquals(
                    List.of("revision 41 from file:/shop.json", "revision 42 from file:/shop.json"),
                    printed(WatchDatafile::main, address, "2"));
        }
    }
}
