package dev.decisionsidecar.internal;

import com.google.protobuf.MessageLite;
import dev.decisionsidecar.internal.pb.TrackingProto.ImportEvent;

/** One event, complete: what an Import carries; `request` is the same as the message of its own method. */
public record EventMessage(String kind, String eventId, MessageLite request, ImportEvent event) {}
