package sidecar_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"decision-sidecar.dev/sidecar"
	"decision-sidecar.dev/sidecar/internal/pb"
)

func TestARetrySendsTheSameIDsAndTime(t *testing.T) {
	server := newScripted(t).start()
	client := server.connect()
	server.fail(unavailable(), unavailable())
	if _, err := client.User("u", nil).Decide(t.Context(), "f", sidecar.WithStrict()); err != nil {
		t.Fatal(err)
	}
	server.fail(unavailable(), unavailable())
	if _, err := client.User("u", nil).Track(t.Context(), "purchase"); err != nil {
		t.Fatal(err)
	}
	seen := server.seen()
	if len(seen) != 6 {
		t.Fatalf("got %d calls, wanted 6", len(seen))
	}
	for _, first := range []int{0, 3} {
		for _, place := range []int{first + 1, first + 2} {
			if !proto.Equal(seen[first], seen[place]) {
				t.Errorf("try %d is %v, wanted %v", place, seen[place], seen[first])
			}
		}
	}
	if seen[0].(*pb.DecideRequest).GetDecisionId() == "" || seen[3].(*pb.TrackRequest).GetTimestamp() == nil {
		t.Error("a call has no id or no time")
	}
	if retries := client.Counters().Retries; retries != 4 {
		t.Errorf("got %d retries, wanted 4", retries)
	}
}

func TestOnlyUnavailableIsTriedAgain(t *testing.T) {
	for _, code := range []codes.Code{codes.Internal, codes.ResourceExhausted, codes.FailedPrecondition, codes.Aborted} {
		server := newScripted(t).start()
		server.fail(status.New(code, "told to fail"))
		if _, err := server.connect().User("u", nil).Track(t.Context(), "purchase"); err == nil {
			t.Errorf("%s: got no error", code)
		}
		if calls := len(server.seen()); calls != 1 {
			t.Errorf("%s: got %d calls, wanted 1", code, calls)
		}
	}
}

func TestACallEndsAtItsDeadline(t *testing.T) {
	server := newScripted(t).start()
	server.hold = make(chan struct{})
	defer close(server.hold)
	user := server.connect().User("u", nil)
	_, err := user.Track(t.Context(), "purchase", sidecar.WithTimeout(50*time.Millisecond), sidecar.WithEventID("e-1"))
	var failed *sidecar.Error
	if !errors.As(err, &failed) || !errors.Is(err, sidecar.ErrDeadlinePassed) || failed.EventID != "e-1" {
		t.Fatalf("got %v, wanted a deadline passed of e-1", err)
	}
	if !errors.Is(err, context.DeadlineExceeded) || !failed.Retryable() {
		t.Errorf("got %v, wanted a retryable context.DeadlineExceeded", err)
	}
}

func TestRetriesEndBeforeTheDeadline(t *testing.T) {
	client := connect(t, nowhere(t))
	_, err := client.User("u", nil).Track(t.Context(), "purchase", sidecar.WithTimeout(200*time.Millisecond))
	if !errors.Is(err, sidecar.ErrUnavailable) {
		t.Fatalf("got %v, wanted unavailable, which says more than a deadline", err)
	}
}

func TestTheContextOfTheCallerEndsACall(t *testing.T) {
	server := newScripted(t).start()
	server.hold = make(chan struct{})
	defer close(server.hold)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-server.entered
		cancel()
	}()
	_, err := server.connect().User("u", nil).Track(ctx, "purchase")
	if !errors.Is(err, context.Canceled) || !errors.Is(err, sidecar.ErrCanceled) {
		t.Fatalf("got %v, wanted a canceled one", err)
	}
}

func TestADefaultIsAnsweredCountedAndSaysWhy(t *testing.T) {
	client := connect(t, nowhere(t))
	fallback := sidecar.Decision{VariationKey: "mine", Enabled: true, Variables: sidecar.NewVariables(sidecar.Values{"n": 1})}
	decision, err := client.User("u", nil).Decide(t.Context(), "f", sidecar.WithDefault(fallback))
	if err != nil {
		t.Fatal(err)
	}
	if decision.FlagKey != "f" || decision.VariationKey != "mine" || !decision.Enabled {
		t.Errorf("got %v, wanted the default", decision)
	}
	if decision.Reason != sidecar.SidecarUnavailable || decision.ErrorReason != "UNAVAILABLE" || len(decision.Reasons) != 1 {
		t.Errorf("got %s, %s, %v", decision.Reason, decision.ErrorReason, decision.Reasons)
	}
	if n, err := decision.Variables.Integer("n"); n != 1 || err != nil {
		t.Errorf("got %d, %v, wanted 1", n, err)
	}
	several, err := client.User("u", nil).DecideForKeys(t.Context(), []string{"b", "a"})
	if err != nil || several.Len() != 2 || several.ErrorReason != "UNAVAILABLE" {
		t.Errorf("got %v, %v", several, err)
	}
	if counted := client.Counters().DecisionsDefaulted; counted != 2 {
		t.Errorf("got %d defaulted, wanted 2", counted)
	}
}

func TestStrictReturnsTheErrorAndTheDefault(t *testing.T) {
	for name, client := range map[string]*sidecar.Client{
		"client": connect(t, nowhere(t), sidecar.WithStrict()), "call": connect(t, nowhere(t)),
	} {
		fallback := sidecar.Decision{VariationKey: "mine"}
		options := []sidecar.DecideOneOption{sidecar.WithDefault(fallback)}
		if name == "call" {
			options = append(options, sidecar.WithStrict())
		}
		decision, err := client.User("u", nil).Decide(t.Context(), "f", options...)
		if !errors.Is(err, sidecar.ErrUnavailable) || decision.VariationKey != "mine" {
			t.Errorf("%s: got %v, %v", name, decision, err)
		}
		if counted := client.Counters().DecisionsDefaulted; counted != 0 {
			t.Errorf("%s: got %d defaulted, wanted 0", name, counted)
		}
	}
}

func TestEveryViolationIsListed(t *testing.T) {
	server := newScripted(t).start()
	refused, err := status.New(codes.InvalidArgument, "user_id: is empty").WithDetails(
		&errdetails.ErrorInfo{Reason: "INVALID_ARGUMENT", Domain: "sidecar"},
		&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
			{Field: "user_id", Description: "is empty"}, {Field: "event_key", Description: "is empty"},
		}},
	)
	if err != nil {
		t.Fatal(err)
	}
	server.fail(refused)
	_, err = server.connect().User("", nil).Track(t.Context(), "")
	var failed *sidecar.Error
	if !errors.As(err, &failed) || failed.Kind != sidecar.ErrRequestRefused || failed.Retryable() {
		t.Fatalf("got %v, wanted a refused request", err)
	}
	if len(failed.Violations) != 2 || failed.Violations[1].Field != "event_key" {
		t.Errorf("got %v", failed.Violations)
	}
	if text := err.Error(); !strings.HasSuffix(text, "user_id: is empty; event_key: is empty") {
		t.Errorf("got %s", text)
	}
}

func TestValuesComeBackAsTheyWere(t *testing.T) {
	type plan string
	client := newScripted(t).start().connect()
	given := sidecar.Values{
		"big": int64(1<<53 + 1), "least": int64(math.MinInt64), "half": 0.5, "on": true, "none": nil, "text": "日本",
		"list": []int{1, 2}, "map": map[string]string{"a": "b"}, "plan": plan("pro"), "small": uint8(7),
	}
	decision, err := client.User("u", given).Decide(t.Context(), "f", sidecar.WithStrict())
	if err != nil {
		t.Fatal(err)
	}
	variables := decision.Variables
	if big, err := variables.Integer("big"); big != 1<<53+1 || err != nil {
		t.Errorf("got %d, %v, wanted 2^53+1", big, err)
	}
	for key, wanted := range map[string]any{
		"least": int64(math.MinInt64), "half": 0.5, "on": true, "none": nil, "text": "日本", "plan": "pro", "small": int64(7),
	} {
		if got, there := variables.Get(key); got != wanted || !there {
			t.Errorf("%s: got %v, wanted %v", key, got, wanted)
		}
	}
	if list, err := variables.JSON("list"); err != nil || len(list.([]any)) != 2 {
		t.Errorf("got %v, %v", list, err)
	}
}

func TestAValueWithoutAWireFormIsRefusedWithItsPath(t *testing.T) {
	deep := any("x")
	for range 33 {
		deep = []any{deep}
	}
	client := newScripted(t).start().connect()
	for path, value := range map[string]any{
		"attributes[products][1][price]": uint64(math.MaxUint64),
		"attributes[products][1][when]":  time.Now(),
		"attributes[products][1][bytes]": []byte("x"),
		"attributes[products][1][text]":  "\xff",
	} {
		key := path[strings.LastIndex(path, "[")+1 : len(path)-1]
		user := client.User("u", sidecar.Values{"products": []any{1, map[string]any{key: value}}})
		decision, err := user.Decide(t.Context(), "f")
		var wrong *sidecar.ArgumentError
		if !errors.As(err, &wrong) || wrong.Path != path || decision.FlagKey != "f" {
			t.Errorf("got %v, wanted a mistake at %s", err, path)
		}
		if user.Err() == nil {
			t.Errorf("%s: the handle says nothing", path)
		}
	}
	if err := client.User("u", sidecar.Values{"deep": deep}).Err(); err == nil {
		t.Error("33 levels were taken")
	}
}

func TestAVariableOfAnotherTypeNamesEverything(t *testing.T) {
	client := newScripted(t).start().connect()
	decision, err := client.User("u", sidecar.Values{"price": "x", "half": 0.5}).Decide(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	price, err := decision.Variables.Integer("price", 10)
	var wrong *sidecar.VariableTypeError
	if !errors.As(err, &wrong) || price != 10 {
		t.Fatalf("got %d, %v", price, err)
	}
	if text := err.Error(); text != "variable `price` of flag `f` is string `x`, wanted integer" {
		t.Errorf("got %s", text)
	}
	_, err = decision.Variables.String("absent")
	var missing *sidecar.VariableMissingError
	if !errors.As(err, &missing) || missing.VariableKey != "absent" || missing.FlagKey != "f" {
		t.Errorf("got %v", err)
	}
	if given, err := decision.Variables.Boolean("absent", true); !given || err != nil {
		t.Errorf("got %t, %v, wanted the default", given, err)
	}
}

func TestManyGoroutinesShareOneClient(t *testing.T) {
	server := newScripted(t).start()
	server.entered = make(chan struct{}, 10_000)
	client := server.connect()
	user := client.User("u", sidecar.Values{"country": "DE"})
	var group sync.WaitGroup
	for range 16 {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 50 {
				if decision, err := user.Decide(t.Context(), "f", sidecar.WithStrict()); err != nil || !decision.Enabled {
					t.Errorf("got %v, %v", decision, err)
				}
				_ = user.WithAttributes(sidecar.Values{"plan": "pro"}).WithForcedDecision("f", "on", "")
			}
		}()
	}
	group.Wait()
}

func TestHandlesDoNotChange(t *testing.T) {
	server := newScripted(t).start()
	user := server.connect().User("u", sidecar.Values{"a": 1})
	forced := user.WithForcedDecision("f", "x", "").WithForcedDecision("f", "y", "").WithSegments()
	for _, each := range []sidecar.User{user, forced, forced.WithoutForcedDecision("f", "").WithoutSegments()} {
		if _, err := each.Decide(t.Context(), "f", sidecar.WithStrict()); err != nil {
			t.Fatal(err)
		}
	}
	seen := server.seen()
	first, second, third := seen[0].(*pb.DecideRequest), seen[1].(*pb.DecideRequest), seen[2].(*pb.DecideRequest)
	if len(first.GetForcedDecisions()) != 0 || first.GetQualifiedSegments() != nil {
		t.Errorf("the first handle has changed: %v", first)
	}
	if len(second.GetForcedDecisions()) != 1 || second.GetForcedDecisions()[0].GetVariationKey() != "y" {
		t.Errorf("got %v, wanted the last forced decision", second)
	}
	if second.GetQualifiedSegments() == nil || third.GetQualifiedSegments() != nil {
		t.Error("in no segment and unset are not told apart")
	}
}
