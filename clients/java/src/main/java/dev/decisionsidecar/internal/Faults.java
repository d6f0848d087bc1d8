package dev.decisionsidecar.internal;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import dev.decisionsidecar.AccessDeniedException;
import dev.decisionsidecar.DeadlinePassedException;
import dev.decisionsidecar.Fault;
import dev.decisionsidecar.NotReadyException;
import dev.decisionsidecar.RefusedException;
import dev.decisionsidecar.RequestRefusedException;
import dev.decisionsidecar.SidecarException;
import dev.decisionsidecar.SidecarFaultException;
import dev.decisionsidecar.UnavailableException;
import dev.decisionsidecar.Violation;
import dev.decisionsidecar.transport.WireFailure;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/** What a failed call said, as a Fault, and the exception of a fault, by its code. */
public final class Faults {
    private Faults() {}

    /** A fault of one try; without readable details, of what gRPC said alone. */
    public static Fault of(WireFailure failure) {
        Status status;
        try {
            status = Status.parseFrom(failure.details());
        } catch (InvalidProtocolBufferException unreadable) {
            status = Status.getDefaultInstance();
        }
        return of(status, failure.code(), String.valueOf(failure.getMessage()));
    }

    /** A fault of a Status that stands in a reply. */
    public static Fault of(Status status) {
        Code code = Code.forNumber(status.getCode());
        return of(status, code == null ? "UNKNOWN" : code.name(), "");
    }

    private static Fault of(Status status, String code, String message) {
        ErrorInfo info = ErrorInfo.getDefaultInstance();
        BadRequest refused = BadRequest.getDefaultInstance();
        Optional<Duration> retryAfter = Optional.empty();
        for (Any detail : status.getDetailsList()) {
            try {
                if (detail.is(ErrorInfo.class)) {
                    info = detail.unpack(ErrorInfo.class);
                } else if (detail.is(BadRequest.class)) {
                    refused = detail.unpack(BadRequest.class);
                } else if (detail.is(RetryInfo.class)) {
                    var delay = detail.unpack(RetryInfo.class).getRetryDelay();
                    retryAfter = Optional.of(Duration.ofSeconds(delay.getSeconds(), delay.getNanos()));
                }
            } catch (InvalidProtocolBufferException unreadable) {
                continue; // What can be read of an error is better than another error.
            }
        }
        List<Violation> violations = refused.getFieldViolationsList().stream()
                .map(each -> new Violation(each.getField(), each.getDescription()))
                .toList();
        String reason = info.getReason().isEmpty() ? code : info.getReason();
        String words = message.isEmpty() ? status.getMessage() : message;
        return new Fault(code, reason, words, violations, retryAfter, info.getMetadataMap());
    }

    /** The exception of a fault: the closed table of the contract; anything else is ours. */
    public static SidecarException error(Fault fault, String method, String eventId) {
        return switch (fault.code()) {
            case "INVALID_ARGUMENT", "NOT_FOUND", "OUT_OF_RANGE" -> new RequestRefusedException(fault, method, eventId);
            case "UNAUTHENTICATED", "PERMISSION_DENIED" -> new AccessDeniedException(fault, method, eventId);
            case "FAILED_PRECONDITION" -> new NotReadyException(fault, method, eventId);
            case "UNAVAILABLE" -> new UnavailableException(fault, method, eventId);
            case "DEADLINE_EXCEEDED" -> new DeadlinePassedException(fault, method, eventId);
            case "RESOURCE_EXHAUSTED" -> new RefusedException(fault, method, eventId);
            default -> new SidecarFaultException(fault, method, eventId);
        };
    }
}
