// Command first_decision decides for one user: `go run ./samples/first_decision [ADDRESS]`, a sidecar listening there.
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"decision-sidecar.dev/sidecar"
)

func main() {
	address := append(os.Args[1:], sidecar.DefaultAddress)[0]
	if err := run(context.Background(), address); err != nil {
		log.Fatal(err)
	}
}

// run decides the shop's checkout for one user.
func run(ctx context.Context, address string) error {
	client, err := sidecar.Connect(address)
	if err != nil {
		return err
	}
	defer client.Close()
	user := client.User("user-1", sidecar.Values{"app_version": "2.5.0", "country": "DE"})
	decision, err := user.Decide(ctx, "checkout_redesign")
	if err != nil {
		return err
	}
	layout, err := decision.Variables.String("layout", "classic")
	if err != nil {
		return err
	}
	fmt.Printf("%s: %s, layout %s, because %s\n", decision.FlagKey, decision.VariationKey, layout, decision.Reason)
	return nil
}
