package sidecar

import (
	"context"
	"errors"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// call is one unary call, built whole, ids and time included, before its first try: a retry sends the same bytes.
type call struct {
	method  string
	request proto.Message
	timeout time.Duration
	retry   retry
	eventID string
}

// perform makes one call, and fills reply. Only UNAVAILABLE is tried again, and only when the pause ends before the
// deadline.
func (c *Client) perform(ctx context.Context, one *call, reply proto.Message) *Error {
	ctx, cancel := context.WithTimeout(ctx, one.timeout)
	defer cancel()
	for attempts := 1; ; attempts++ {
		failed := c.try(ctx, one, reply)
		if failed == nil {
			return nil
		}
		if failed.Kind != ErrUnavailable || attempts >= one.retry.attemptsMax {
			return failed
		}
		pause := one.retry.pause(attempts)
		if deadline, _ := ctx.Deadline(); time.Until(deadline) <= pause {
			return failed
		}
		c.counters.retries.Add(1)
		if !c.rest(ctx, pause) {
			return c.failure(ctx, failed, one)
		}
	}
}

// try makes the call once.
func (c *Client) try(ctx context.Context, one *call, reply proto.Message) *Error {
	if c.isClosed() {
		return closedError(one.method, one.eventID)
	}
	// Why asked here too: a connection in memory may not look at the context.
	if ctx.Err() != nil {
		return c.failure(ctx, nil, one)
	}
	err := c.conn.Invoke(c.settings.outgoing(ctx), one.method, one.request, reply)
	if err == nil {
		return nil
	}
	if c.isClosed() {
		return closedError(one.method, one.eventID)
	}
	return errorOf(status.Convert(err), one.method, one.eventID)
}

// failure is why a call ended outside of a try: its client was closed, or its context is done; else what failed before.
func (c *Client) failure(ctx context.Context, failed *Error, one *call) *Error {
	switch {
	case c.isClosed():
		return closedError(one.method, one.eventID)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return errorOf(status.New(codes.DeadlineExceeded, "the deadline passed"), one.method, one.eventID)
	case ctx.Err() != nil:
		return errorOf(status.New(codes.Canceled, "the context was canceled"), one.method, one.eventID)
	}
	return failed
}

// rest waits; false when the context or the client ended it.
func (c *Client) rest(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-c.closed:
	}
	return false
}
