// Package sidecarotel sends the trace of OpenTelemetry along with each call of the client. A module of its own, so that
// the client depends on no OpenTelemetry.
package sidecarotel

import (
	"context"

	"go.opentelemetry.io/otel/propagation"

	"decision-sidecar.dev/sidecar"
)

// WithTracing sends the W3C traceparent, and tracestate, of the span in the caller's context with each try.
func WithTracing() sidecar.Option {
	return WithPropagator(propagation.TraceContext{})
}

// WithPropagator sends what the propagator makes of the caller's context, as otel.GetTextMapPropagator().
func WithPropagator(propagator propagation.TextMapPropagator) sidecar.Option {
	return sidecar.WithHeaders(func(ctx context.Context) map[string]string {
		carrier := propagation.MapCarrier{}
		propagator.Inject(ctx, carrier)
		return carrier
	})
}
