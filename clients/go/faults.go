package sidecar

import (
	"time"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// kinds is the closed table of the contract; any other code is ours.
var kinds = map[codes.Code]error{
	codes.InvalidArgument:    ErrRequestRefused,
	codes.NotFound:           ErrRequestRefused,
	codes.OutOfRange:         ErrRequestRefused,
	codes.Unauthenticated:    ErrAccessDenied,
	codes.PermissionDenied:   ErrAccessDenied,
	codes.FailedPrecondition: ErrNotReady,
	codes.Unavailable:        ErrUnavailable,
	codes.DeadlineExceeded:   ErrDeadlinePassed,
	codes.ResourceExhausted:  ErrRefused,
	codes.Canceled:           ErrCanceled,
}

// errorOf reads what a failed try said: the google.rpc.Status in its trailer, else gRPC's code and message alone.
func errorOf(said *status.Status, method, eventID string) *Error {
	word := code.Code_name[int32(said.Code())]
	failed := &Error{
		Kind:    kinds[said.Code()],
		Reason:  word,
		Code:    word,
		Message: said.Message(),
		Method:  method,
		EventID: eventID,
	}
	if failed.Kind == nil {
		failed.Kind = ErrSidecarFault
	}
	for _, detail := range said.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			if detail.GetReason() != "" {
				failed.Reason = detail.GetReason()
			}
			failed.Metadata = detail.GetMetadata()
		case *errdetails.BadRequest:
			for _, each := range detail.GetFieldViolations() {
				failed.Violations = append(failed.Violations, Violation{each.GetField(), each.GetDescription()})
			}
		case *errdetails.RetryInfo:
			pause := detail.GetRetryDelay().AsDuration()
			failed.RetryAfter = &pause
		}
	}
	return failed
}

func closedError(method, eventID string) *Error {
	return &Error{
		Kind:    ErrClientClosed,
		Reason:  "CLIENT_CLOSED",
		Code:    "CANCELLED",
		Message: "the client is closed, so the call has no answer",
		Method:  method,
		EventID: eventID,
	}
}

// pauseOf is how long to wait for the sidecar before the same events are sent again.
func pauseOf(failed *Error, failures int) time.Duration {
	if failed.RetryAfter != nil && *failed.RetryAfter > 0 {
		return *failed.RetryAfter
	}
	return bufferRetry.pause(failures)
}
