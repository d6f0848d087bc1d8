package sidecar

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"decision-sidecar.dev/sidecar/internal/pb"
)

// Client is a sidecar, as seen from any number of goroutines. Make it by [Connect], one for the process, and close it.
type Client struct {
	settings settings
	conn     grpc.ClientConnInterface
	channel  *grpc.ClientConn
	closed   chan struct{}
	closing  sync.Once
	counters counters
	buffer   buffer
}

// Connect is a client for the sidecar at `HOST:PORT` or `unix:PATH`. It returns at once: the first call connects. The
// error is an [*ArgumentError], for an address or a bound that cannot be.
func Connect(address string, options ...Option) (*Client, error) {
	given := defaults(address)
	for _, each := range options {
		each.connect(&given)
	}
	if err := given.check(); err != nil {
		return nil, err
	}
	client := &Client{settings: given, conn: given.conn, closed: make(chan struct{})}
	client.buffer.client = client
	if client.conn == nil {
		channel, err := dial(&given)
		if err != nil {
			return nil, argument("address", "cannot be used: %s", err)
		}
		client.conn, client.channel = channel, channel
	}
	return client, nil
}

// User is a handle for one user. An attribute that has no wire form is an [*ArgumentError] of each call about it, and of
// its Err.
func (c *Client) User(userID string, attributes Values, options ...UserOption) User {
	who := identity{userID: userID, datafile: c.settings.datafile}
	for _, each := range options {
		each(&who)
	}
	who.check()
	who.setAttributes(attributes)
	return User{client: c, identity: &who}
}

// Status is the state of the datafile that decisions are made with.
func (c *Client) Status(ctx context.Context) (DatafileStatus, error) {
	return c.status(ctx, c.settings.statusTimeout)
}

func (c *Client) status(ctx context.Context, timeout time.Duration) (DatafileStatus, error) {
	var reply pb.GetStatusResponse
	failed := c.perform(ctx, &call{
		method:  pb.DatafileService_GetStatus_FullMethodName,
		request: &pb.GetStatusRequest{Datafile: c.settings.datafile},
		timeout: timeout,
		retry:   eventRetry,
	}, &reply)
	if failed != nil {
		return DatafileStatus{}, failed
	}
	return statusOf(&reply), nil
}

// readyPause is between two questions whether a sidecar that answers has its datafile.
const readyPause = 50 * time.Millisecond

// WaitReady waits until a first decision will succeed or, without any datafile, an event; false when the time runs out.
// The error is of what waiting does not mend, as a wrong token.
func (c *Client) WaitReady(ctx context.Context, timeout time.Duration) (bool, error) {
	if timeout < 0 {
		return false, argument("timeout", "is %s, wanted 0 or more", timeout)
	}
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, max(timeout, time.Millisecond))
	defer cancel()
	for {
		answered, err := c.status(ctx, c.settings.statusTimeout)
		// Without a name there is no datafile to wait for: such a sidecar only takes events.
		if err == nil && (answered.Revision != "" || answered.Name == "") {
			return true, nil
		}
		if failed, ok := err.(*Error); ok && !failed.Retryable() {
			return false, failed
		}
		if !c.rest(ctx, readyPause) {
			if c.isClosed() {
				return false, closedError(pb.DatafileService_GetStatus_FullMethodName, "")
			}
			return false, outer.Err()
		}
	}
}

// flushMargin is what a Flush's deadline leaves for the way there and back.
const flushMargin = time.Second

// Flush waits until everything accepted before is delivered, at most so long, and tells what is left. What this client
// has in its buffer goes first. A timeout of 0 only looks.
func (c *Client) Flush(ctx context.Context, timeout time.Duration) (Flushed, error) {
	if timeout < 0 {
		return Flushed{}, argument("timeout", "is %s, wanted 0 or more", timeout)
	}
	started := time.Now()
	buffered := c.buffer.drain(ctx, timeout)
	left := max(timeout-time.Since(started), 0)
	var reply pb.FlushResponse
	failed := c.perform(ctx, &call{
		method:  pb.TrackingService_Flush_FullMethodName,
		request: &pb.FlushRequest{Datafile: c.settings.datafile, Timeout: durationOf(left)},
		timeout: left + flushMargin,
		retry:   eventRetry,
	}, &reply)
	if failed != nil {
		return Flushed{Buffered: buffered}, failed
	}
	return flushedOf(&reply, buffered), nil
}

// Counters is what this client has been through, for metrics.
func (c *Client) Counters() Counters {
	return Counters{
		DecisionsDefaulted: c.counters.decisionsDefaulted.Load(),
		Retries:            c.counters.retries.Load(),
		EventsDropped:      c.counters.eventsDropped.Load(),
		EventsBuffered:     c.counters.eventsBuffered.Load(),
	}
}

// Close ends every call and watch under way, and the connection; a call after it is [ErrClientClosed]. Events in the
// buffer are given as long as one event has; what is left is dropped and counted. It may be called again, and returns
// nil always.
func (c *Client) Close() error {
	c.closing.Do(func() {
		c.buffer.close()
		close(c.closed)
		c.buffer.giveUp()
		if c.channel != nil {
			// Why unchecked: its only error is that it was closed before, and only this closes it.
			_ = c.channel.Close()
		}
	})
	return nil
}

func (c *Client) isClosed() bool {
	select {
	case <-c.closed:
		return true
	default:
		return false
	}
}

// Counters is what a client has been through.
type Counters struct {
	// DecisionsDefaulted are calls for decisions, and users of DecideMany, that were answered with the caller's default.
	DecisionsDefaulted int64
	// Retries are tries after the first, of any call.
	Retries int64
	// EventsDropped are events that the buffer gave up: past its bounds, refused when sent at last, or left at the end.
	EventsDropped int64
	// EventsBuffered are the events in the buffer now; the only one that falls.
	EventsBuffered int64
}

type counters struct {
	decisionsDefaulted, retries, eventsDropped, eventsBuffered atomic.Int64
}
