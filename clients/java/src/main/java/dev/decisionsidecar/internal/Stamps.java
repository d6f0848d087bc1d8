package dev.decisionsidecar.internal;

import java.security.SecureRandom;
import java.time.Instant;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** The clock and the dice of the client: ids, times and jitter are drawn here and nowhere else. */
public final class Stamps {
    private static final SecureRandom RANDOM = new SecureRandom();

    private Stamps() {}

    /**
     * A version 7 UUID: the name of a decision or an event. Source: RFC 9562 §5.7.
     *
     * <p>Why not version 4: the sidecar remembers event ids in order, so ids that follow each other in time cost it less.
     */
    public static String newId() {
        byte[] drawn = new byte[10];
        RANDOM.nextBytes(drawn);
        long high = System.currentTimeMillis() << 16 | 0x7000 | (drawn[0] & 0x0FL) << 8 | drawn[1] & 0xFFL;
        long low = 0;
        for (int index = 2; index < drawn.length; index++) {
            low = low << 8 | drawn[index] & 0xFFL;
        }
        return new UUID(high, low >>> 2 | 0x8000_0000_0000_0000L).toString();
    }

    /** The present time. */
    public static Instant now() {
        return Instant.now();
    }

    /** The random part of a pause, 0 ≤ jitter < 1. */
    public static double jitter() {
        return ThreadLocalRandom.current().nextDouble();
    }
}
