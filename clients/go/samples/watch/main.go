// Command watch tells each change of the datafile as it comes into force: `go run ./samples/watch [ADDRESS] [COUNT]`.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strconv"

	"decision-sidecar.dev/sidecar"
)

func main() {
	address, count := sidecar.DefaultAddress, 0
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	if len(os.Args) > 2 {
		number, err := strconv.Atoi(os.Args[2])
		if err != nil {
			log.Fatal(err)
		}
		count = number
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, address, count); err != nil {
		log.Fatal(err)
	}
}

// run prints the revision in force, then each change, over restarts of the sidecar: count of them, 0 = until interrupted.
func run(ctx context.Context, address string, count int) error {
	client, err := sidecar.Connect(address)
	if err != nil {
		return err
	}
	defer client.Close()
	told := 0
	for change, err := range client.Watch(ctx) {
		if err != nil {
			return err
		}
		fmt.Printf("revision %s from %s\n", change.Revision, change.Source)
		if told++; told == count {
			break
		}
	}
	return nil
}
