package sidecar

import (
	"context"
	"errors"
	"iter"
	"time"

	"google.golang.org/protobuf/proto"

	"decision-sidecar.dev/sidecar/internal/pb"
)

const (
	// BatchEventsMax is how many events one batch of ImportEvents has at most; the sidecar's own bound.
	BatchEventsMax = 500
	// Far below the sidecar's bound, so that memory stays small.
	batchBytesMax = 4 << 20
	// What an event costs besides its own bytes: two tags and two lengths.
	eventOverheadBytes = 12
	// How long an import waits in all for a batch that is not accepted for now, as while the outbox is full.
	importPatience = time.Minute
)

// RefusedBatch is events of an import that the sidecar refused together, and why.
type RefusedBatch struct {
	// FirstIndex is the place of the first among all that were given, from 0; the violations of Err count from it:
	// `events[2].user_id` is event FirstIndex + 2.
	FirstIndex int
	Events     int
	Err        *Error
}

// Imported is what became of an import.
type Imported struct {
	// Accepted counts the events accepted, repeats included.
	Accepted int
	// Repeated counts accepted events whose id was accepted before, and which are not queued again.
	Repeated int
	Refused  []RefusedBatch
	// Outcomes are the different outcomes, with how many events had each.
	Outcomes map[Outcome]int64
}

// ImportOption is an option of [Client.ImportEvents].
type ImportOption func(*importing)

// WithOptimizely sends the events to Optimizely, too. Why not by itself: old timestamps distort its results.
func WithOptimizely() ImportOption {
	return func(given *importing) { given.includeOptimizely = true }
}

// WithBatchEvents sets the most events of one batch, 1 to [BatchEventsMax], which it is unless set.
func WithBatchEvents(eventsMax int) ImportOption {
	return func(given *importing) { given.eventsMax = eventsMax }
}

// ImportEvents records history: any number of events, in batches accepted or refused whole. The sequence is read no
// further than the batch that is being sent.
//
// The error is an [*Error] when no sidecar takes a batch for a minute, or it never will, and an [*ArgumentError] of a
// draft; what was imported before comes with it, and the rest starts at Accepted plus the refused.
func (c *Client) ImportEvents(ctx context.Context, drafts iter.Seq[Draft], options ...ImportOption) (Imported, error) {
	one := importing{client: c, eventsMax: BatchEventsMax, report: Imported{Outcomes: map[Outcome]int64{}}}
	for _, each := range options {
		each(&one)
	}
	if one.eventsMax < 1 || one.eventsMax > BatchEventsMax {
		return one.report, argument("batch events", "are %d, wanted 1 to %d", one.eventsMax, BatchEventsMax)
	}
	for draft := range drafts {
		if err := draft.Err(); err != nil {
			failed := one.flush(ctx)
			return one.report, errors.Join(failed, err)
		}
		size := proto.Size(draft.request) + eventOverheadBytes
		if len(one.batch) == one.eventsMax || len(one.batch) > 0 && one.bytes+size > batchBytesMax {
			if err := one.flush(ctx); err != nil {
				return one.report, err
			}
		}
		one.batch = append(one.batch, draft.event)
		one.bytes += size
	}
	err := one.flush(ctx)
	return one.report, err
}

// importing is one import, and the batch that it gathers.
type importing struct {
	client            *Client
	includeOptimizely bool
	eventsMax         int
	batch             []*pb.ImportEvent
	bytes             int
	given             int
	report            Imported
}

// flush sends the batch until it is accepted or refused; an error when it is neither.
func (i *importing) flush(ctx context.Context) error {
	if len(i.batch) == 0 {
		return nil
	}
	one := &call{
		method: pb.TrackingService_Import_FullMethodName,
		request: &pb.ImportRequest{
			Events:            i.batch,
			IncludeOptimizely: i.includeOptimizely,
			Datafile:          i.client.settings.datafile,
		},
		timeout: i.client.settings.importTimeout,
		retry:   eventRetry,
	}
	var waited time.Duration
	for failures := 1; ; failures++ {
		var reply pb.ImportResponse
		failed := i.client.perform(ctx, one, &reply)
		if failed == nil {
			i.accepted(&reply)
			return nil
		}
		if failed.Kind == ErrRequestRefused {
			i.refused(failed)
			return nil
		}
		pause := pauseOf(failed, failures)
		if !failed.Retryable() || ctx.Err() != nil || waited >= importPatience || !i.client.rest(ctx, pause) {
			return failed
		}
		waited += pause
	}
}

func (i *importing) accepted(reply *pb.ImportResponse) {
	i.report.Accepted += len(i.batch)
	i.report.Repeated += int(reply.GetRepeatedEvents())
	for _, each := range reply.GetOutcomes() {
		i.report.Outcomes[outcomeOf(each.GetOutcome())] += each.GetEvents()
	}
	i.next()
}

func (i *importing) refused(failed *Error) {
	refused := RefusedBatch{FirstIndex: i.given, Events: len(i.batch), Err: failed}
	i.report.Refused = append(i.report.Refused, refused)
	i.next()
}

func (i *importing) next() {
	i.given += len(i.batch)
	i.batch, i.bytes = nil, 0
}
