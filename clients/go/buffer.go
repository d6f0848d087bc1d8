package sidecar

import (
	"context"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
)

// buffer holds events that wait in memory for a sidecar, in the order they were made. Past either bound the oldest is
// dropped and counted: what a user did last matters most. One that was on its way at that moment may arrive
// nevertheless. Its goroutine lives while there is something to send.
type buffer struct {
	client *Client

	// mutex guards all below.
	mutex  sync.Mutex
	calls  []*call
	bytes  int
	ended  bool
	sender bool
	// emptied is closed when the buffer is empty; nil while it is.
	emptied chan struct{}
}

func (b *buffer) isEmpty() bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return len(b.calls) == 0
}

// add keeps an event; false when the client is closed.
func (b *buffer) add(one *call) bool {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if b.ended {
		return false
	}
	given := &b.client.settings
	one.retry.attemptsMax = 1
	b.calls = append(b.calls, one)
	b.bytes += proto.Size(one.request)
	dropped := 0
	for len(b.calls) > given.bufferEventsMax || len(b.calls) > 0 && b.bytes > given.bufferBytesMax {
		b.shift()
		dropped++
	}
	b.client.counters.eventsBuffered.Add(int64(1 - dropped))
	b.client.counters.eventsDropped.Add(int64(dropped))
	if len(b.calls) > 0 && b.emptied == nil {
		b.emptied = make(chan struct{})
	}
	if len(b.calls) > 0 && !b.sender {
		b.sender = true
		go b.send()
	}
	b.tellEmptied()
	return true
}

// shift takes the oldest out; the mutex is held.
func (b *buffer) shift() {
	b.bytes -= proto.Size(b.calls[0].request)
	b.calls[0] = nil
	b.calls = b.calls[1:]
}

func (b *buffer) tellEmptied() {
	if len(b.calls) == 0 && b.emptied != nil {
		close(b.emptied)
		b.emptied = nil
	}
}

// first is the oldest event, which stays until it is removed; nil ends the sender, which is then no more, so that no
// event is left without one.
func (b *buffer) first() *call {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if len(b.calls) == 0 || b.ended && b.client.isClosed() {
		b.sender = false
		return nil
	}
	return b.calls[0]
}

// remove takes out an event that was accepted, or refused for good; no error when it was dropped meanwhile.
func (b *buffer) remove(one *call, refused bool) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	if len(b.calls) == 0 || b.calls[0] != one {
		return
	}
	b.shift()
	b.client.counters.eventsBuffered.Add(-1)
	if refused {
		b.client.counters.eventsDropped.Add(1)
	}
	b.tellEmptied()
}

// send sends the oldest until there is none. Why a context of its own: the caller of the event has gone on long ago.
func (b *buffer) send() {
	failures := 0
	// Why one try at a time: between two, what is oldest may have changed.
	for one := b.first(); one != nil; one = b.first() {
		_, failed := b.client.record(context.Background(), one)
		if failed != nil && failed.Retryable() {
			failures++
			b.client.rest(context.Background(), pauseOf(failed, failures))
			continue
		}
		if failed != nil && failed.Kind == ErrClientClosed {
			continue
		}
		b.remove(one, failed != nil)
		failures = 0
	}
}

// drain waits until the buffer is empty, at most so long; how many events are left.
func (b *buffer) drain(ctx context.Context, timeout time.Duration) int {
	b.mutex.Lock()
	emptied := b.emptied
	b.mutex.Unlock()
	if emptied == nil {
		return 0
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-emptied:
	case <-timer.C:
	case <-ctx.Done():
	case <-b.client.closed:
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return len(b.calls)
}

// close takes no more, and gives what is there as long as one event has.
func (b *buffer) close() {
	b.mutex.Lock()
	b.ended = true
	b.mutex.Unlock()
	b.drain(context.Background(), b.client.settings.eventTimeout)
}

// giveUp drops and counts what is left, once the client is closed.
func (b *buffer) giveUp() {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	left := int64(len(b.calls))
	b.calls, b.bytes = nil, 0
	b.client.counters.eventsBuffered.Add(-left)
	b.client.counters.eventsDropped.Add(left)
	b.tellEmptied()
}
