// Command first_event records what a user did: `go run ./samples/first_event [ADDRESS]`, a sidecar listening there.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"decision-sidecar.dev/sidecar"
)

func main() {
	address := append(os.Args[1:], sidecar.DefaultAddress)[0]
	if err := run(context.Background(), address); err != nil {
		log.Fatal(err)
	}
}

// run says who a user is, and records what it bought, for exactly so much money.
func run(ctx context.Context, address string) error {
	client, err := sidecar.Connect(address)
	if err != nil {
		return err
	}
	defer client.Close()
	user := client.User("user-1", sidecar.Values{"country": "DE"})
	if _, err := user.Identify(ctx, sidecar.Values{"plan": "pro"}); err != nil {
		return err
	}
	accepted, err := user.Track(ctx, "purchase",
		sidecar.WithRevenue(sidecar.Money{Amount: "19.90", Currency: "USD"}),
		sidecar.WithProperties(sidecar.Values{"order_id": "7"}),
	)
	if err != nil {
		return err
	}
	for _, outcome := range accepted.Outcomes {
		line := fmt.Sprintf("%s: %s %s", outcome.Destination, outcome.State, outcome.Reason)
		fmt.Println(strings.TrimSpace(line))
	}
	return nil
}
