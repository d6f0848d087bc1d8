// Command errors shows what goes wrong, and how it reads: `go run ./samples/errors [ADDRESS]`, a sidecar listening there.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"decision-sidecar.dev/sidecar"
)

func main() {
	address := append(os.Args[1:], sidecar.DefaultAddress)[0]
	ctx := context.Background()
	if err := refused(ctx, address); err != nil {
		log.Fatal(err)
	}
	if err := unavailable(ctx); err != nil {
		log.Fatal(err)
	}
}

// refused is an event with its violations.
func refused(ctx context.Context, address string) error {
	client, err := sidecar.Connect(address)
	if err != nil {
		return err
	}
	defer client.Close()
	_, err = client.User("", nil).Track(ctx, "")
	var failed *sidecar.Error
	switch {
	case !errors.As(err, &failed):
		return err
	case errors.Is(err, sidecar.ErrRequestRefused):
		for _, violation := range failed.Violations {
			fmt.Printf("%s: %s\n", violation.Field, violation.Description)
		}
	default:
		fmt.Printf("%s, again later: %t, as event %s\n", failed.Reason, failed.Retryable(), failed.EventID)
	}
	return nil
}

// unavailable is a decision where nothing listens: the caller's default is the answer, and says why.
func unavailable(ctx context.Context) error {
	nowhere, err := sidecar.Connect("127.0.0.1:9")
	if err != nil {
		return err
	}
	defer nowhere.Close()
	fallback := sidecar.Decision{
		VariationKey: "control",
		Variables:    sidecar.NewVariables(sidecar.Values{"steps": 4}),
	}
	decision, err := nowhere.User("user-1", nil).Decide(ctx, "checkout_redesign", sidecar.WithDefault(fallback))
	if err != nil {
		return err
	}
	fmt.Printf("%s, because %s: %s\n", decision.VariationKey, decision.Reason, decision.ErrorReason)
	return nil
}
