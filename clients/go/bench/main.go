// Command bench measures what a Decide costs its caller: 20,000 one after another, and 20,000 with 64 in flight
// (BENCH_CALLS says how many else). It reads SIDECAR_ADDRESS and prints one line of JSON for each mode; CPU is this
// process's own.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync"
	"syscall"
	"time"

	"decision-sidecar.dev/sidecar"
)

var calls = 20_000

func main() {
	if given := os.Getenv("BENCH_CALLS"); given != "" {
		var err error
		if calls, err = strconv.Atoi(given); err != nil {
			log.Fatalf("BENCH_CALLS is `%s`, wanted a number of calls", given)
		}
	}
	client, err := sidecar.Connect(os.Getenv("SIDECAR_ADDRESS"), sidecar.WithStrict(), sidecar.WithDecideTimeout(10*time.Second))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if ready, err := client.WaitReady(context.Background(), 10*time.Second); !ready {
		log.Fatalf("no sidecar is ready: %v", err)
	}
	measure(client, "warm", 64)
	report(measure(client, "one after another", 1))
	report(measure(client, "64 in flight", 64))
}

type row struct {
	Language           string  `json:"language"`
	Mode               string  `json:"mode"`
	Calls              int     `json:"calls"`
	USPerCall          float64 `json:"us_per_call"`
	ClientCPUUSPerCall float64 `json:"client_cpu_us_per_call"`
}

func report(measured row) {
	line, err := json.Marshal(measured)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
}

func measure(client *sidecar.Client, mode string, inFlight int) row {
	started, before := time.Now(), cpu()
	var group sync.WaitGroup
	for range inFlight {
		group.Add(1)
		go func() {
			defer group.Done()
			for range calls / inFlight {
				user := client.User("user-1", sidecar.Values{"country": "us", "age": 42})
				if _, err := user.Decide(context.Background(), "flag_0"); err != nil {
					log.Fatal(err)
				}
			}
		}()
	}
	group.Wait()
	made := calls / inFlight * inFlight
	each := func(spent time.Duration) float64 {
		return float64(spent.Nanoseconds()/int64(made)) / 1000
	}
	return row{"go", mode, made, each(time.Since(started)), each(cpu() - before)}
}

func cpu() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		log.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
