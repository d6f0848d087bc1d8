package sidecar

import (
	"context"
	"math"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// dial makes the one channel of a client. It connects at the first call, and retries nothing by itself: what is sent
// twice, the client alone decides.
func dial(given *settings) (*grpc.ClientConn, error) {
	network, where, _ := networkOf(given.address)
	options := []grpc.DialOption{
		grpc.WithDisableRetry(),
		grpc.WithDisableServiceConfig(),
		// Why: a proxy of the environment is for the outside, the sidecar is next door.
		grpc.WithNoProxy(),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, where)
		}),
		// Why so short: to ask a closed port of this machine costs nothing, and a restarted sidecar must be found within
		// the deadline of an event.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay:  50 * time.Millisecond,
				Multiplier: 1.6,
				Jitter:     0.2,
				MaxDelay:   250 * time.Millisecond,
			},
			MinConnectTimeout: time.Second,
		}),
		grpc.WithDefaultCallOptions(
			grpc.ForceCodec(codec{}),
			grpc.MaxCallRecvMsgSize(given.replyBytesMax),
			// Why no bound: the sidecar's refusal says more than gRPC's own.
			grpc.MaxCallSendMsgSize(math.MaxInt32),
		),
	}
	if network == "unix" && (given.tls == nil || given.tls.ServerName == "") {
		options = append(options, grpc.WithAuthority("localhost"))
	}
	if given.tls == nil {
		options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	} else {
		options = append(options, grpc.WithTransportCredentials(credentials.NewTLS(given.tls)))
	}
	target := "passthrough:///" + where
	if network == "unix" {
		target = "passthrough:///localhost"
	}
	return grpc.NewClient(target, options...)
}

// outgoing is the context of one try: its headers are the client's alone. Why not the caller's too: a service that
// hands on the headers of its own caller would send a foreign authorization.
func (s *settings) outgoing(ctx context.Context) context.Context {
	headers := metadata.MD{}
	if s.token != nil {
		if token := s.token(); token != "" {
			headers.Set("authorization", "Bearer "+token)
		}
	}
	for _, source := range s.headers {
		for key, value := range source(ctx) {
			headers.Set(key, value)
		}
	}
	return metadata.NewOutgoingContext(ctx, headers)
}
