package dev.decisionsidecar;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * How a client connects and how long it waits.
 *
 * @param tls TLS; empty = plain text, since the sidecar listens on loopback or a Unix socket
 * @param token the bearer token, asked before every try; an empty one is not sent
 * @param datafile the datafile's name or SDK key of users that name none; empty = the sidecar's default
 * @param strict throw when a decision fails, instead of answering its default
 * @param decideTimeout the deadline of the decisions of one user; 250 ms
 * @param eventTimeout the deadline of one event; 1 s
 * @param statusTimeout the deadline of {@code status}, {@code explain} and {@code decideMany}; 5 s
 * @param importTimeout the deadline of one batch of an import; 10 s
 * @param bufferEventsMax events kept in memory while no sidecar takes them; 0 = none: the call throws
 * @param bufferBytesMax the bytes of those; past either bound the oldest is dropped, and counted; 8 MiB
 * @param replyBytesMax the largest reply taken; 32 MiB
 */
public record ClientOptions(
        Optional<Tls> tls,
        Supplier<String> token,
        String datafile,
        boolean strict,
        Duration decideTimeout,
        Duration eventTimeout,
        Duration statusTimeout,
        Duration importTimeout,
        int bufferEventsMax,
        long bufferBytesMax,
        int replyBytesMax) {
    /** The defaults. */
    public static final ClientOptions DEFAULT = builder().build();

    /**
     * Checks the bounds; throws {@link IllegalArgumentException} for one that cannot be.
     *
     * @param tls as above
     * @param token as above
     * @param datafile as above
     * @param strict as above
     * @param decideTimeout as above
     * @param eventTimeout as above
     * @param statusTimeout as above
     * @param importTimeout as above
     * @param bufferEventsMax as above
     * @param bufferBytesMax as above
     * @param replyBytesMax as above
     */
    public ClientOptions {
        positive("decideTimeout", decideTimeout);
        positive("eventTimeout", eventTimeout);
        positive("statusTimeout", statusTimeout);
        positive("importTimeout", importTimeout);
        atLeast("bufferEventsMax", bufferEventsMax, 0);
        atLeast("bufferBytesMax", bufferBytesMax, 0);
        atLeast("replyBytesMax", replyBytesMax, 1);
    }

    private static void positive(String name, Duration value) {
        if (value.isNegative() || value.isZero()) {
            throw new IllegalArgumentException(name + " is " + value + ", wanted more than 0");
        }
    }

    private static void atLeast(String name, long value, long least) {
        if (value < least) {
            throw new IllegalArgumentException(name + " is " + value + ", wanted " + least + " or more");
        }
    }

    /** {@return a builder that holds the defaults} */
    public static Builder builder() {
        return new Builder();
    }

    /** {@return what was set, without token and key} */
    @Override
    public String toString() {
        return "ClientOptions[tls=" + tls + ", datafile=" + datafile + ", strict=" + strict + ", decideTimeout="
                + decideTimeout + ", eventTimeout=" + eventTimeout + ", bufferEventsMax=" + bufferEventsMax + "]";
    }

    /** Sets options one by one; each is explained at {@link ClientOptions}. */
    public static final class Builder {
        private Optional<Tls> tls = Optional.empty();
        private Supplier<String> token = () -> "";
        private String datafile = "";
        private boolean strict;
        private Duration decideTimeout = Duration.ofMillis(250);
        private Duration eventTimeout = Duration.ofSeconds(1);
        private Duration statusTimeout = Duration.ofSeconds(5);
        private Duration importTimeout = Duration.ofSeconds(10);
        private int bufferEventsMax;
        private long bufferBytesMax = 8L * 1024 * 1024;
        private int replyBytesMax = 32 * 1024 * 1024;

        private Builder() {}

        /** {@return the options} */
        public ClientOptions build() {
            return new ClientOptions(
                    tls,
                    token,
                    datafile,
                    strict,
                    decideTimeout,
                    eventTimeout,
                    statusTimeout,
                    importTimeout,
                    bufferEventsMax,
                    bufferBytesMax,
                    replyBytesMax);
        }

        /**
         * {@return this builder, with TLS}
         *
         * @param value whom to trust, and what to show
         */
        public Builder tls(Tls value) {
            tls = Optional.of(value);
            return this;
        }

        /**
         * {@return this builder, with a bearer token}
         *
         * @param value the token
         */
        public Builder token(String value) {
            return token(() -> value);
        }

        /**
         * {@return this builder, with a bearer token that may change}
         *
         * @param current reads the current token; asked before every try, from any thread
         */
        public Builder token(Supplier<String> current) {
            token = current;
            return this;
        }

        /**
         * {@return this builder, with the datafile of users that name none}
         *
         * @param value its name or SDK key
         */
        public Builder datafile(String value) {
            datafile = value;
            return this;
        }

        /**
         * {@return this builder, strict or not}
         *
         * @param value whether a failed decision throws
         */
        public Builder strict(boolean value) {
            strict = value;
            return this;
        }

        /**
         * {@return this builder, with the deadline of the decisions of one user}
         *
         * @param value more than 0
         */
        public Builder decideTimeout(Duration value) {
            decideTimeout = value;
            return this;
        }

        /**
         * {@return this builder, with the deadline of one event}
         *
         * @param value more than 0
         */
        public Builder eventTimeout(Duration value) {
            eventTimeout = value;
            return this;
        }

        /**
         * {@return this builder, with the deadline of status, explain and decideMany}
         *
         * @param value more than 0
         */
        public Builder statusTimeout(Duration value) {
            statusTimeout = value;
            return this;
        }

        /**
         * {@return this builder, with the deadline of one batch of an import}
         *
         * @param value more than 0
         */
        public Builder importTimeout(Duration value) {
            importTimeout = value;
            return this;
        }

        /**
         * {@return this builder, with a buffer of so many events}
         *
         * @param value 0 = no buffer
         */
        public Builder bufferEventsMax(int value) {
            bufferEventsMax = value;
            return this;
        }

        /**
         * {@return this builder, with a buffer of so many bytes}
         *
         * @param value 0 or more
         */
        public Builder bufferBytesMax(long value) {
            bufferBytesMax = value;
            return this;
        }

        /**
         * {@return this builder, with the largest reply taken}
         *
         * @param value bytes
         */
        public Builder replyBytesMax(int value) {
            replyBytesMax = value;
            return this;
        }
    }
}
