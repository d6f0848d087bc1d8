package sidecartest_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"decision-sidecar.dev/sidecar"
	"decision-sidecar.dev/sidecar/sidecartest"
)

func TestTheFakeDecidesAsItIsTold(t *testing.T) {
	fake := sidecartest.New(sidecar.Decision{
		FlagKey: "f", VariationKey: "on", Enabled: true, Reason: sidecar.ReasonBucketed,
		Variables: sidecar.NewVariables(sidecar.Values{"steps": 1}),
	})
	client := fake.Client(t)
	user := client.User("u", sidecar.Values{"country": "DE"})
	decisions, err := user.DecideForKeys(t.Context(), []string{"f", "other"}, sidecar.WithStrict())
	if err != nil {
		t.Fatal(err)
	}
	first, _ := decisions.Get("f")
	if steps, err := first.Variables.Integer("steps"); steps != 1 || err != nil || first.Reason != sidecar.ReasonBucketed {
		t.Errorf("got %v, %v", first, err)
	}
	if other, _ := decisions.Get("other"); other.Reason != sidecar.ReasonFlagNotFound {
		t.Errorf("got %v", other)
	}
	if decided := fake.Decided(); len(decided) != 2 || decided[0].Attributes["country"] != "DE" {
		t.Errorf("got %v", decided)
	}
	if many, err := client.DecideMany(t.Context(), []sidecar.User{user, user}, nil); err != nil || many[1].Len() != 1 {
		t.Errorf("got %v, %v", many, err)
	}
	if why, err := user.Explain(t.Context(), "f"); err != nil || why.Decision.VariationKey != "on" {
		t.Errorf("got %v, %v", why, err)
	}
}

func TestTheFakeRecordsWhatWasSentOnce(t *testing.T) {
	fake := sidecartest.New()
	client := fake.Client(t)
	user := client.User("u", sidecar.Values{"country": "DE"}, sidecar.WithAnonymousID("a"))
	when := time.Date(2026, 3, 1, 12, 0, 0, 250_000_000, time.UTC)
	for range 2 {
		_, err := user.Track(t.Context(), "purchase", sidecar.WithEventID("e-1"), sidecar.WithTimestamp(when),
			sidecar.WithTags(sidecar.Values{"value": 1.5}), sidecar.WithRevenue(sidecar.Money{Amount: "19.90", Currency: "EUR"}))
		if err != nil {
			t.Fatal(err)
		}
	}
	draft := user.Drafts().Page("home", sidecar.WithCategory("shop"), sidecar.WithProperties(sidecar.Values{"url": "/"}))
	again := user.Drafts().Track("purchase", sidecar.WithEventID("e-1"))
	report, err := client.ImportEvents(t.Context(), slices.Values([]sidecar.Draft{draft, again}))
	if err != nil || report.Accepted != 2 || report.Repeated != 1 {
		t.Fatalf("got %v, %v", report, err)
	}
	events := fake.Events()
	if len(events) != 2 || *events[0].Revenue != (sidecar.Money{Amount: "19.90", Currency: "EUR"}) {
		t.Fatalf("got %v", events)
	}
	if !events[0].Timestamp.Equal(when) || events[0].Tags["value"] != 1.5 || events[0].AnonymousID != "a" {
		t.Errorf("got %v", events[0])
	}
	if events[1].Kind != "page" || events[1].Category != "shop" || events[1].Properties["url"] != "/" {
		t.Errorf("got %v", events[1])
	}
}

func TestTheFakeRecordsAllSixEvents(t *testing.T) {
	fake := sidecartest.New()
	user := fake.Client(t).User("u", nil)
	calls := map[string]func() (sidecar.Accepted, error){
		"track":    func() (sidecar.Accepted, error) { return user.Track(t.Context(), "x") },
		"identify": func() (sidecar.Accepted, error) { return user.Identify(t.Context(), sidecar.Values{"plan": "pro"}) },
		"page":     func() (sidecar.Accepted, error) { return user.Page(t.Context(), "x") },
		"screen":   func() (sidecar.Accepted, error) { return user.Screen(t.Context(), "x") },
		"group":    func() (sidecar.Accepted, error) { return user.Group(t.Context(), "x", nil) },
		"alias":    func() (sidecar.Accepted, error) { return user.Alias(t.Context(), "x") },
	}
	for kind, call := range calls {
		accepted, err := call()
		events := fake.Events()
		last := events[len(events)-1]
		if err != nil || last.Kind != kind || last.EventID != accepted.EventID || last.EventID == "" {
			t.Errorf("%s: got %v, %v", kind, last, err)
		}
	}
}

func TestTheFakeFailsUntilItRecovers(t *testing.T) {
	fake := sidecartest.New()
	user := fake.Client(t).User("u", nil)
	fake.Fail("RESOURCE_EXHAUSTED", "full", "OUTBOX_FULL")
	_, err := user.Track(t.Context(), "purchase")
	var failed *sidecar.Error
	if !errors.As(err, &failed) || failed.Reason != "OUTBOX_FULL" || !errors.Is(err, sidecar.ErrRefused) {
		t.Fatalf("got %v", err)
	}
	fake.Recover()
	if _, err := user.Track(t.Context(), "purchase"); err != nil {
		t.Error(err)
	}
}

func TestAWatchOfTheFakeEndsWithItsClient(t *testing.T) {
	client := sidecartest.New().Client(t)
	for change, err := range client.Watch(t.Context()) {
		if err != nil || change.Revision != sidecartest.Revision {
			t.Errorf("got %v, %v", change, err)
		}
		_ = client.Close()
	}
}
