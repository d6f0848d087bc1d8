package sidecarotel_test

import (
	"context"
	"testing"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"decision-sidecar.dev/sidecar"
	"decision-sidecar.dev/sidecar/sidecarotel"
)

// told keeps the headers of the last call.
type told struct{ headers metadata.MD }

func (t *told) Invoke(ctx context.Context, _ string, _, _ any, _ ...grpc.CallOption) error {
	t.headers, _ = metadata.FromOutgoingContext(ctx)
	return nil
}

func (t *told) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, context.Canceled
}

func TestTheTraceparentOfTheCurrentSpanIsSent(t *testing.T) {
	conn := &told{}
	client, err := sidecar.Connect(sidecar.DefaultAddress, sidecar.WithConn(conn), sidecarotel.WithTracing())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	span := trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled,
	})
	user := client.User("u", nil)
	if _, err := user.Decide(trace.ContextWithSpanContext(t.Context(), span), "f"); err != nil {
		t.Fatal(err)
	}
	const wanted = "00-01000000000000000000000000000000-0200000000000000-01"
	if got := conn.headers.Get("traceparent"); len(got) != 1 || got[0] != wanted {
		t.Errorf("got %v, wanted %s", got, wanted)
	}
	if _, err := user.Decide(t.Context(), "f"); err != nil || len(conn.headers.Get("traceparent")) != 0 {
		t.Errorf("got %v, %v, wanted no traceparent without a span", conn.headers, err)
	}
}
