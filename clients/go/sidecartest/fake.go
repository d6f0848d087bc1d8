// Package sidecartest is a sidecar for unit tests of code that uses the client: fixed decisions, recorded events, no
// process.
//
// The clients are the real ones over a connection in memory, so that what a test passes is checked and encoded as in
// production. It decides nothing by itself: audiences, traffic and forced decisions have no effect here.
package sidecartest

import (
	"slices"
	"sync"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"decision-sidecar.dev/sidecar"
)

// Revision is the revision of the fake's datafile, which never changes.
const Revision = "1"

// Fake answers every user alike, with the decisions it was made with; any other flag is FLAG_NOT_FOUND. Safe for
// goroutines.
type Fake struct {
	// mutex guards all below.
	mutex   sync.Mutex
	order   []string
	flags   map[string]sidecar.Decision
	events  []Event
	places  map[string]int
	decided []Decided
	failure *status.Status
}

// New is a fake with these decisions; each needs its FlagKey.
func New(decisions ...sidecar.Decision) *Fake {
	fake := &Fake{flags: map[string]sidecar.Decision{}, places: map[string]int{}}
	for _, each := range decisions {
		fake.DecideAs(each)
	}
	return fake
}

// Client is a client of this fake, with the options of Connect; those of the connection have no effect. It is closed
// when the test ends.
func (f *Fake) Client(t testing.TB, options ...sidecar.Option) *sidecar.Client {
	t.Helper()
	client, err := sidecar.Connect(sidecar.DefaultAddress, append(options, sidecar.WithConn(conn{f}))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// DecideAs answers this decision for its flag from now on.
func (f *Fake) DecideAs(decision sidecar.Decision) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if _, known := f.flags[decision.FlagKey]; !known {
		f.order = append(f.order, decision.FlagKey)
	}
	f.flags[decision.FlagKey] = decision
}

// Fail fails every call from now on, with a code of gRPC, as `UNAVAILABLE`, and the sidecar's reason, if not empty,
// until Recover. A code that does not exist is UNKNOWN.
func (f *Fake) Fail(word, message, reason string) {
	failure := status.New(codes.Unknown, message)
	if number, known := code.Code_value[word]; known {
		failure = status.New(codes.Code(number), message)
	}
	if reason != "" {
		// Why unchecked: it fails for the code OK alone, and then there is nothing to detail.
		if detailed, err := failure.WithDetails(&errdetails.ErrorInfo{Reason: reason, Domain: "sidecar"}); err == nil {
			failure = detailed
		}
	}
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.failure = failure
}

// Recover answers again.
func (f *Fake) Recover() {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.failure = nil
}

// Events are the events accepted, in order; a repeated event id is one event.
func (f *Fake) Events() []Event {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return slices.Clone(f.events)
}

// Decided are the decisions answered, in order.
func (f *Fake) Decided() []Decided {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return slices.Clone(f.decided)
}
