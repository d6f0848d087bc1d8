package sidecar_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"testing"
	"time"

	"decision-sidecar.dev/sidecar"
	"decision-sidecar.dev/sidecar/sidecartest"
)

func Example() {
	ctx := context.Background()
	client, err := sidecar.Connect("127.0.0.1:8013")
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	user := client.User("user-1", sidecar.Values{"country": "DE"})
	decision, err := user.Decide(ctx, "checkout_redesign")
	if err != nil {
		log.Fatal(err)
	}
	steps, err := decision.Variables.Integer("steps", 4)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(decision.Enabled, steps)
}

func ExampleMoneyOf() {
	fmt.Println(sidecar.MoneyOf(1990, 2, "USD").Amount, sidecar.MoneyOf(500, 0, "JPY").Amount)
	// Output: 19.90 500
}

func ExampleWithDefault() {
	// Nothing listens there.
	client, err := sidecar.Connect("127.0.0.1:9", sidecar.WithDecideTimeout(time.Second))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	fallback := sidecar.Decision{VariationKey: "control", Variables: sidecar.NewVariables(sidecar.Values{"steps": 4})}
	decision, err := client.User("user-1", nil).Decide(
		context.Background(), "checkout_redesign", sidecar.WithDefault(fallback),
	)
	fmt.Println(decision.VariationKey, decision.Reason, err)
	// Output: control SIDECAR_UNAVAILABLE <nil>
}

func ExampleError() {
	fake := sidecartest.New()
	fake.Fail("RESOURCE_EXHAUSTED", "the outbox is full", "OUTBOX_FULL")
	client := fake.Client(new(testing.T))
	_, err := client.User("user-1", nil).Track(context.Background(), "purchase")
	var failed *sidecar.Error
	if errors.As(err, &failed) {
		fmt.Println(failed.Reason, failed.Retryable(), errors.Is(err, sidecar.ErrRefused))
	}
	// Output: OUTBOX_FULL true true
}
