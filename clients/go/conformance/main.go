// Command conformance is the conformance program of the Go client: steps as JSON lines in, canonical lines of what the
// client answered out. The forms are fixed by clients/conformance/README.md; the client's public surface alone is used.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"decision-sidecar.dev/sidecar"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run answers every step; a line each way, so that the runner can act in between.
func run() error {
	program := program{}
	defer program.disconnect()
	input := json.NewDecoder(bufio.NewReader(os.Stdin))
	input.UseNumber()
	for input.More() {
		var one step
		if err := input.Decode(&one); err != nil {
			return err
		}
		line, err := canonical(program.answer(&one))
		if err != nil {
			return fmt.Errorf("step %s: %w", one.ID, err)
		}
		if _, err := os.Stdout.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// answer is one line for one step. An error that is no *sidecar.Error ends the program: a step asks for none.
func (p *program) answer(one *step) form {
	act, known := acts[one.Call]
	if !known {
		panic(fmt.Sprintf("step %s: call is `%s`", one.ID, one.Call))
	}
	result, err := act(p, context.Background(), one)
	var failed *sidecar.Error
	switch {
	case err == nil:
		return form{"id": one.ID, "result": result}
	case errors.As(err, &failed):
		return form{"id": one.ID, "error": errorForm(failed, one.EventID)}
	}
	panic(fmt.Sprintf("step %s: %s", one.ID, err))
}

var acts = map[string]func(*program, context.Context, *step) (any, error){
	"connect":         (*program).connect,
	"close":           (*program).close,
	"wait_ready":      (*program).waitReady,
	"decide":          (*program).decide,
	"decide_for_keys": (*program).decideForKeys,
	"decide_all":      (*program).decideAll,
	"decide_many":     (*program).decideMany,
	"explain":         (*program).explain,
	"variables":       (*program).variables,
	"track":           (*program).track,
	"identify":        (*program).identify,
	"page":            (*program).page,
	"screen":          (*program).screen,
	"group":           (*program).group,
	"alias":           (*program).alias,
	"import_events":   (*program).importEvents,
	"flush":           (*program).flush,
	"status":          (*program).status,
	"watch_next":      (*program).watchNext,
	"counters":        (*program).counters,
}
