package dev.decisionsidecar.transport;

import dev.decisionsidecar.ClientClosedException;
import java.time.Duration;

/**
 * Calls that block. Safe for any number of threads. What every implementation promises:
 *
 * <ul>
 *   <li>It knows no message and retries nothing: one call is one try, so that the client alone decides what is sent
 *       twice. A failed one throws {@link WireFailure} or {@link ClientClosedException}, and nothing else.
 *   <li>Token and trace are read in the caller's thread at the begin of each try.
 *   <li>The connection is made by the first call, shared by all, and made anew after it broke. A call that finds none
 *       fails with UNAVAILABLE, not later than its deadline. No proxy of the environment is used.
 *   <li>A call returns by its deadline, though the peer stands still.
 *   <li>{@link #close()} ends every call, stream and wait under way with {@link ClientClosedException}, from any thread;
 *       after it every call throws that. No thread or socket is left.
 * </ul>
 */
public interface Transport extends AutoCloseable {
    /**
     * One call; connects when it must.
     *
     * @param method the full name, as {@code /sidecar.v1.DecisionService/Decide}
     * @param request the encoded message
     * @param timeout after which it fails with DEADLINE_EXCEEDED
     * @return the encoded reply
     * @throws WireFailure when it failed
     */
    byte[] unary(String method, byte[] request, Duration timeout) throws WireFailure;

    /**
     * A call with many replies and no deadline.
     *
     * @param method the full name
     * @param request the encoded message
     * @return its replies
     */
    Replies stream(String method, byte[] request);

    /**
     * Rests before another try, outside of any call.
     *
     * @param pause how long
     * @return true when {@link #close()} was called, at once when it is meanwhile
     * @throws InterruptedException when the thread is interrupted
     */
    boolean rest(Duration pause) throws InterruptedException;

    /** Ends every call and the connection. Idempotent. */
    @Override
    void close();

    /** The replies of one stream, to be read by one thread. */
    interface Replies extends AutoCloseable {
        /**
         * Waits for the next reply.
         *
         * @return the encoded message; null at the end
         * @throws WireFailure when the stream failed
         */
        byte[] next() throws WireFailure;

        /** Ends the stream. Idempotent, from any thread. */
        @Override
        void close();
    }
}
