package sidecar

import (
	"context"
	"errors"
	"io"
	"iter"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"decision-sidecar.dev/sidecar/internal/pb"
)

var watchStream = grpc.StreamDesc{StreamName: "Watch", ServerStreams: true}

// Watch tells the current revision, then each change, until ctx is done or the client is closed, which end it without an
// error. A restart of the sidecar is waited for; the revision told last is not told again after it. An error is the last
// thing that it tells: of what another try will not mend, as a wrong token.
func (c *Client) Watch(ctx context.Context) iter.Seq2[DatafileChange, error] {
	return func(yield func(DatafileChange, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		// Why: to close the client ends the stream, whatever carries it.
		go func() {
			select {
			case <-c.closed:
				cancel()
			case <-ctx.Done():
			}
		}()
		watching := watching{client: c, yield: yield}
		for failures := 1; ; failures++ {
			told, failed := watching.stream(ctx)
			if watching.stopped || ctx.Err() != nil || c.isClosed() {
				return
			}
			if failed != nil && failed.Kind != ErrUnavailable {
				yield(DatafileChange{}, failed)
				return
			}
			if told {
				failures = 1
			}
			if !c.rest(ctx, watchRetry.pause(failures)) {
				return
			}
		}
	}
}

// watching is one watch over as many streams as it takes.
type watching struct {
	client  *Client
	yield   func(DatafileChange, error) bool
	last    *DatafileChange
	stopped bool
}

// stream reads one stream to its end, and tells each change but a repeat of the last: whether the stream told anything,
// and its error, nil when it just ended.
func (w *watching) stream(ctx context.Context) (told bool, failed *Error) {
	const method = pb.DatafileService_Watch_FullMethodName
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := w.client.conn.NewStream(w.client.settings.outgoing(ctx), &watchStream, method)
	if err == nil {
		err = stream.SendMsg(&pb.WatchRequest{Datafile: w.client.settings.datafile})
	}
	if err == nil {
		err = stream.CloseSend()
	}
	for err == nil || errors.Is(err, io.EOF) {
		var reply pb.WatchResponse
		if err = stream.RecvMsg(&reply); err != nil {
			break
		}
		told = true
		change := changeOf(&reply)
		if w.last != nil && w.last.Revision == change.Revision && w.last.LoadedTime.Equal(change.LoadedTime) {
			continue
		}
		w.last = &change
		if !w.yield(change, nil) {
			w.stopped = true
			return told, nil
		}
	}
	if errors.Is(err, io.EOF) {
		return told, nil
	}
	return told, errorOf(status.Convert(err), method, "")
}
