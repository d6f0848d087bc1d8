package dev.decisionsidecar;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.decisionsidecar.internal.Faults;
import dev.decisionsidecar.internal.Replies;
import dev.decisionsidecar.internal.Retry;
import dev.decisionsidecar.internal.Stamps;
import dev.decisionsidecar.internal.pb.DatafileProto.WatchRequest;
import dev.decisionsidecar.transport.Transport;
import dev.decisionsidecar.transport.WireFailure;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Set;

/**
 * The current revision, then each change: an iterator whose {@link #hasNext()} waits for the next one. For one thread;
 * {@link #close()} from any.
 *
 * <p>A restart of the sidecar is waited for; the revision told last is not told again after it. The iteration ends when
 * the watch or its client is closed, or the thread interrupted.
 */
public final class Watch implements Iterator<DatafileChange>, AutoCloseable {
    private static final String METHOD = "/sidecar.v1.DatafileService/Watch";

    /** How a stream ends with its sidecar; CANCELLED when that, or a proxy before it, reset the stream. */
    private static final Set<String> ENDED = Set.of("UNAVAILABLE", "CANCELLED");

    private final Transport transport;
    private final byte[] request;
    /** The stream that is read now. Guarded by `this`, as is `closed`: close may come from another thread. */
    private Transport.Replies replies;

    private boolean closed;
    private DatafileChange next;
    private DatafileChange last;
    private int failures;

    Watch(Transport transport, String datafile) {
        this.transport = transport;
        this.request = WatchRequest.newBuilder().setDatafile(datafile).build().toByteArray();
    }

    /** {@return whether there is another change, which is waited for} Throws {@link SidecarException}. */
    @Override
    public boolean hasNext() {
        try {
            while (next == null) {
                Transport.Replies open = opened();
                if (open == null) {
                    return false;
                }
                read(open);
            }
            return true;
        } catch (ClientClosedException over) {
            return false;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private synchronized Transport.Replies opened() {
        if (!closed && replies == null) {
            replies = transport.stream(METHOD, request);
        }
        return closed ? null : replies;
    }

    private void read(Transport.Replies open) throws InterruptedException {
        WireFailure failure = null;
        try {
            byte[] reply = open.next();
            if (reply != null) {
                seen(Replies.change(reply));
                return;
            }
        } catch (WireFailure ended) {
            failure = ended;
        } catch (InvalidProtocolBufferException malformed) {
            Fault fault = new Fault("INTERNAL", "MALFORMED_REPLY", String.valueOf(malformed.getMessage()));
            throw new SidecarFaultException(fault, METHOD, "");
        }
        reopen(open, failure);
    }

    private void seen(DatafileChange change) {
        failures = 0;
        boolean again = last != null
                && last.revision().equals(change.revision())
                && last.loadedTime().equals(change.loadedTime());
        if (!again) {
            last = change;
            next = change;
        }
    }

    private void reopen(Transport.Replies ended, WireFailure failure) throws InterruptedException {
        ended.close();
        synchronized (this) {
            replies = null;
            if (closed) {
                return;
            }
        }
        if (failure != null && !ENDED.contains(failure.code())) {
            throw Faults.error(Faults.of(failure), METHOD, "");
        }
        failures++;
        if (transport.rest(Retry.LASTING.pause(failures, Stamps.jitter()))) {
            close();
        }
    }

    /** {@return the next change, which is waited for} Throws {@link SidecarException}. */
    @Override
    public DatafileChange next() {
        if (!hasNext()) {
            throw new NoSuchElementException("the watch is closed");
        }
        DatafileChange change = next;
        next = null;
        return change;
    }

    /** Ends the iteration. Idempotent, from any thread. */
    @Override
    public void close() {
        Transport.Replies open;
        synchronized (this) {
            closed = true;
            open = replies;
        }
        if (open != null) {
            open.close();
        }
    }
}
