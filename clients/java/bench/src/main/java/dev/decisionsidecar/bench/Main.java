package dev.decisionsidecar.bench;

import com.optimizely.ab.Optimizely;
import com.sun.management.OperatingSystemMXBean;
import dev.decisionsidecar.ClientOptions;
import dev.decisionsidecar.SidecarClient;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * What a Decide of one flag costs: one after another, with 64 in flight, and by Optimizely's SDK in this process. One
 * JSON line each; CPU is that of this whole process, its compiler and collector included, after as many calls of
 * warming. Reads SIDECAR_ADDRESS, and BENCH_CALLS for another number than 20,000; the datafile is the first argument.
 */
public final class Main {
    private static final int CALLS = Integer.parseInt(System.getenv().getOrDefault("BENCH_CALLS", "20000"));
    private static final int IN_FLIGHT = 64;
    private static final Map<String, Object> ATTRIBUTES = Map.of("country", "us", "age", 42);
    private static final OperatingSystemMXBean PROCESS =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private Main() {}

    /** Runs every mode. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        ClientOptions options = ClientOptions.builder()
                .strict(true)
                .decideTimeout(Duration.ofSeconds(10))
                .build();
        try (SidecarClient client = SidecarClient.connect(System.getenv("SIDECAR_ADDRESS"), options)) {
            Runnable decide = () -> client.user("user-1", ATTRIBUTES).decide("flag_0");
            measured("one after another", decide, 1);
            measured("64 in flight", decide, IN_FLIGHT);
        }
        Optimizely sdk = Optimizely.builder()
                .withDatafile(Files.readString(Path.of(arguments[0])))
                .build();
        measured("sdk", () -> sdk.createUserContext("user-1", ATTRIBUTES).decide("flag_0"), 1);
    }

    private static void measured(String mode, Runnable call, int threads) throws InterruptedException {
        calls(call, threads);
        long wall = System.nanoTime();
        long cpu = PROCESS.getProcessCpuTime();
        calls(call, threads);
        System.out.printf(
                "{\"language\":\"java\",\"mode\":\"%s\",\"calls\":%d,\"us_per_call\":%.1f,"
                        + "\"client_cpu_us_per_call\":%.1f}%n",
                mode,
                CALLS,
                (System.nanoTime() - wall) / 1e3 / CALLS,
                (PROCESS.getProcessCpuTime() - cpu) / 1e3 / CALLS);
    }

    private static void calls(Runnable call, int threads) throws InterruptedException {
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        CountDownLatch done = new CountDownLatch(CALLS);
        for (int thread = 0; thread < threads; thread++) {
            int share = CALLS / threads + (thread < CALLS % threads ? 1 : 0);
            pool.execute(() -> {
                for (int count = 0; count < share; count++) {
                    call.run();
                    done.countDown();
                }
            });
        }
        done.await();
        pool.shutdown();
    }
}
