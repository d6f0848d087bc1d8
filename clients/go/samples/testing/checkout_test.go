package testing

import (
	"testing"
	"time"

	"decision-sidecar.dev/sidecar"
	"decision-sidecar.dev/sidecar/sidecartest"
)

func TestExpressCheckoutHasOneStep(t *testing.T) {
	fake := sidecartest.New(sidecar.Decision{
		FlagKey:   "checkout_redesign",
		Enabled:   true,
		Variables: sidecar.NewVariables(sidecar.Values{"steps": 1}),
	})
	steps, err := checkout(t.Context(), fake.Client(t))
	if err != nil || steps != "1 steps" {
		t.Fatalf("got %s, %v, wanted 1 steps", steps, err)
	}
	if events := fake.Events(); len(events) != 1 || events[0].Revenue.Amount != "19.90" {
		t.Fatalf("got %v, wanted one purchase of 19.90", events)
	}
}

func TestCheckoutSurvivesAnOutage(t *testing.T) {
	fake := sidecartest.New()
	fake.Fail("UNAVAILABLE", "an outage", "")
	client := fake.Client(t, sidecar.WithBuffer(10), sidecar.WithEventTimeout(100*time.Millisecond))
	steps, err := checkout(t.Context(), client)
	if err != nil || steps != "4 steps" {
		t.Fatalf("got %s, %v, wanted 4 steps", steps, err)
	}
	fake.Recover()
	if left, err := client.Flush(t.Context(), 10*time.Second); err != nil || !left.Complete() {
		t.Fatalf("got %v, %v, wanted nothing left", left, err)
	}
	if events := fake.Events(); len(events) != 1 || events[0].Name != "purchase" {
		t.Fatalf("got %v, wanted the purchase", events)
	}
}
