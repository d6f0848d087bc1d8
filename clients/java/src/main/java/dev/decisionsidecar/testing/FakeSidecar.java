package dev.decisionsidecar.testing;

import dev.decisionsidecar.ClientOptions;
import dev.decisionsidecar.Decision;
import dev.decisionsidecar.SidecarClient;
import dev.decisionsidecar.internal.fake.FakeState;
import java.util.List;

/**
 * A sidecar in memory: answers every user alike, with the decisions it was made with; any other flag is {@code
 * FLAG_NOT_FOUND}.
 *
 * <p>Its clients are the real ones over a transport in memory, so that what a test passes is checked and encoded as in
 * production. It decides nothing by itself: audiences, traffic and forced decisions have no effect here. Safe for
 * threads.
 */
public final class FakeSidecar {
    private final FakeState state;

    /**
     * A fake that answers these decisions.
     *
     * @param decisions one for each flag
     */
    public FakeSidecar(Decision... decisions) {
        state = new FakeState(List.of(decisions));
    }

    /** {@return a client of this fake, with the default options} */
    public SidecarClient client() {
        return client(ClientOptions.DEFAULT);
    }

    /**
     * {@return a client of this fake}
     *
     * @param options those of the connection have no effect
     */
    public SidecarClient client(ClientOptions options) {
        return SidecarClient.over(state.transport(), options);
    }

    /** {@return the events accepted, in order; a repeated event id is one event} */
    public List<RecordedEvent> events() {
        return state.events();
    }

    /** {@return the decisions answered, in order} */
    public List<RecordedDecision> decided() {
        return state.decided();
    }

    /**
     * From now on answers this decision for its flag.
     *
     * @param decision the answer
     */
    public void decideAs(Decision decision) {
        state.decideAs(decision);
    }

    /** From now on fails every call as a sidecar that is away, until {@link #recover()}. */
    public void fail() {
        fail("UNAVAILABLE", "the fake was told to fail", "");
    }

    /**
     * From now on fails every call, until {@link #recover()}.
     *
     * @param code gRPC's word, as {@code RESOURCE_EXHAUSTED}
     * @param message what is wrong
     * @param reason the sidecar's word, as {@code OUTBOX_FULL}; empty = none
     */
    public void fail(String code, String message, String reason) {
        state.fail(code, message, reason);
    }

    /** Answers again. */
    public void recover() {
        state.recover();
    }
}
