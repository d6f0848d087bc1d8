package sidecar

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// The kinds of [Error], by whose fault it is; for errors.Is.
var (
	// ErrRequestRefused means that the request breaks the contract, or names what is not there. It will fail again.
	ErrRequestRefused = errors.New("request refused")
	// ErrAccessDenied means that the token or the client certificate is missing, wrong, or not enough.
	ErrAccessDenied = errors.New("access denied")
	// ErrNotReady means that the sidecar has no datafile yet; it answers as soon as it has one.
	ErrNotReady = errors.New("not ready")
	// ErrUnavailable means that no sidecar answered: none listens there, it is stopping, or the connection broke.
	ErrUnavailable = errors.New("unavailable")
	// ErrDeadlinePassed means no answer within the deadline. An event may have been accepted: retry it with its id.
	// Such an error is context.DeadlineExceeded, too.
	ErrDeadlinePassed = errors.New("deadline passed")
	// ErrRefused means that a bound is reached (OUTBOX_FULL, OUTBOX_UNWRITABLE); waiting RetryAfter may help.
	ErrRefused = errors.New("refused")
	// ErrClientClosed means that the client was closed before the call, or during it.
	ErrClientClosed = errors.New("client closed")
	// ErrCanceled means that the caller's own context was canceled. Such an error is context.Canceled, too.
	ErrCanceled = errors.New("canceled")
	// ErrSidecarFault means a fault of the sidecar or of this client; the message is for a bug report.
	ErrSidecarFault = errors.New("sidecar fault")
)

// Violation is one thing wrong with one field of a request; Field is its path, as `event_tags[revenue]`.
type Violation struct {
	Field       string
	Description string
}

// Error is a call that was not answered. Its kind is one of the Err variables of this package, for errors.Is; its
// fields are for errors.As.
//
// A retry of Track and its sisters passes EventID by [WithEventID], so that the event is never recorded twice.
type Error struct {
	// Kind is ErrRequestRefused, ErrUnavailable, …
	Kind error
	// Reason is the sidecar's word, as OUTBOX_FULL; Code again where no sidecar spoke.
	Reason string
	// Code is gRPC's word, as RESOURCE_EXHAUSTED.
	Code string
	// Message is the sidecar's text, for people.
	Message string
	// Violations is everything wrong with the request; empty for other errors.
	Violations []Violation
	// RetryAfter is how long to wait before a retry; nil when the sidecar did not say.
	RetryAfter *time.Duration
	// Method is the full name of the call, as /sidecar.v1.DecisionService/Decide.
	Method string
	// EventID is the id of the event that the call brought; empty for other calls.
	EventID string
	// Metadata is what the sidecar adds for programs; may be nil.
	Metadata map[string]string
}

// Retryable tells whether the same call can succeed later.
func (e *Error) Retryable() bool {
	switch e.Kind {
	case ErrNotReady, ErrUnavailable, ErrDeadlinePassed, ErrRefused:
		return true
	}
	return false
}

// Error is method, reason, message, and each violation that the message does not have.
func (e *Error) Error() string {
	var text strings.Builder
	if e.Method != "" {
		fmt.Fprintf(&text, "%s failed: ", e.Method)
	}
	fmt.Fprintf(&text, "%s: %s", e.Reason, e.Message)
	for _, each := range e.Violations {
		if said := each.Field + ": " + each.Description; !strings.Contains(e.Message, said) {
			text.WriteString("; " + said)
		}
	}
	return text.String()
}

// Unwrap makes errors.Is find the kind, and the context's error that it stands for.
func (e *Error) Unwrap() []error {
	switch e.Kind {
	case ErrDeadlinePassed:
		return []error{e.Kind, context.DeadlineExceeded}
	case ErrCanceled:
		return []error{e.Kind, context.Canceled}
	}
	return []error{e.Kind}
}

// ArgumentError is a mistake in the caller's own code: a value without a wire form, a bound that cannot be. Nothing was
// sent.
type ArgumentError struct {
	// Path says which argument, as `properties[products][0][price]`.
	Path string
	// Problem says what is wrong with it.
	Problem string
}

// Error is the path and the problem.
func (e *ArgumentError) Error() string {
	return e.Path + " " + e.Problem
}

func argument(path, format string, arguments ...any) *ArgumentError {
	return &ArgumentError{Path: path, Problem: fmt.Sprintf(format, arguments...)}
}

// VariableMissingError tells that the flag has no such variable, or that it is null, and the caller gave no default.
type VariableMissingError struct {
	FlagKey     string
	VariableKey string
	// Wanted is string, integer, double, boolean or json.
	Wanted string
}

// Error names flag, variable and wanted.
func (e *VariableMissingError) Error() string {
	const text = "flag `%s` has no value for variable `%s`, wanted %s or a default"
	return fmt.Sprintf(text, e.FlagKey, e.VariableKey, e.Wanted)
}

// VariableTypeError tells that the variable is there, but of another type than the caller reads it as.
type VariableTypeError struct {
	FlagKey     string
	VariableKey string
	// Got is the value that is there.
	Got any
	// Wanted is string, integer, double, boolean or json.
	Wanted string
}

// GotType is the type of the value that is there: string, integer, double, boolean or json.
func (e *VariableTypeError) GotType() string {
	return typeOf(e.Got)
}

// Error names flag, variable, got and wanted.
func (e *VariableTypeError) Error() string {
	const text = "variable `%s` of flag `%s` is %s `%v`, wanted %s"
	return fmt.Sprintf(text, e.VariableKey, e.FlagKey, e.GotType(), e.Got, e.Wanted)
}
