package dev.decisionsidecar;

import java.time.Duration;
import java.util.EnumSet;
import java.util.Set;

/** What a call for decisions takes besides users and flags. Mutable while it is made, read when the call is made. */
public final class AskOptions {
    final Set<DecideOption> options = EnumSet.noneOf(DecideOption.class);
    String decisionId = "";
    Duration timeout;
    Boolean strict;

    private AskOptions() {}

    /** {@return options that say nothing yet} */
    public static AskOptions with() {
        return new AskOptions();
    }

    /**
     * {@return these, with an option added to the sidecar's default options}
     *
     * @param option how to decide
     */
    public AskOptions option(DecideOption option) {
        options.add(option);
        return this;
    }

    /**
     * {@return these, with a name for the decision, a UUID by default}
     *
     * @param id 1-100 characters: the same id makes the same impressions, once; not for {@code decideMany}
     */
    public AskOptions decisionId(String id) {
        decisionId = id;
        return this;
    }

    /**
     * {@return these, with a deadline of its own}
     *
     * @param value more than 0
     */
    public AskOptions timeout(Duration value) {
        timeout = value;
        return this;
    }

    /**
     * {@return these, strict or not, whatever the client is}
     *
     * @param value whether a failed decision throws
     */
    public AskOptions strict(boolean value) {
        strict = value;
        return this;
    }
}
