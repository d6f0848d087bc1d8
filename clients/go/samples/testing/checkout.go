// Package testing shows a unit test of code that decides and tracks, without a sidecar: `go test ./samples/testing`.
package testing

import (
	"context"
	"fmt"

	"decision-sidecar.dev/sidecar"
)

// checkout is the code under test.
func checkout(ctx context.Context, client *sidecar.Client) (string, error) {
	user := client.User("user-1", nil)
	decision, err := user.Decide(ctx, "checkout_redesign")
	if err != nil {
		return "", err
	}
	steps, err := decision.Variables.Integer("steps", 4)
	if err != nil {
		return "", err
	}
	_, err = user.Track(ctx, "purchase", sidecar.WithRevenue(sidecar.MoneyOf(1990, 2, "USD")))
	return fmt.Sprintf("%d steps", steps), err
}
