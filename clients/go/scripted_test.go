package sidecar_test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"decision-sidecar.dev/sidecar"
	"decision-sidecar.dev/sidecar/internal/pb"
)

// scripted is a sidecar for tests: a real gRPC server that keeps every request, and fails the next calls as it is told.
type scripted struct {
	pb.UnimplementedDecisionServiceServer
	pb.UnimplementedTrackingServiceServer
	pb.UnimplementedDatafileServiceServer
	t       *testing.T
	network string
	address string
	options []grpc.ServerOption
	server  *grpc.Server

	mutex    sync.Mutex
	requests []proto.Message
	headers  []metadata.MD
	failures []*status.Status
	hold     chan struct{}
	entered  chan struct{}
	changes  chan string
}

// newScripted is an unstarted sidecar on a Unix socket.
func newScripted(t *testing.T, options ...grpc.ServerOption) *scripted {
	t.Helper()
	return &scripted{
		t: t, network: "unix", address: filepath.Join(t.TempDir(), "s"), options: options,
		entered: make(chan struct{}, 1000), changes: make(chan string, 10),
	}
}

// start listens, at the same address as before.
func (s *scripted) start() *scripted {
	s.t.Helper()
	listener, err := net.Listen(s.network, s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.address = listener.Addr().String()
	s.server = grpc.NewServer(append(s.options, grpc.UnaryInterceptor(s.enter), grpc.WaitForHandlers(true))...)
	pb.RegisterDecisionServiceServer(s.server, s)
	pb.RegisterTrackingServiceServer(s.server, s)
	pb.RegisterDatafileServiceServer(s.server, s)
	server := s.server
	go func() { _ = server.Serve(listener) }()
	s.t.Cleanup(server.Stop)
	return s
}

func (s *scripted) where() string {
	if s.network == "unix" {
		return "unix:" + s.address
	}
	return s.address
}

// connect is a client of it, with time enough for a busy machine.
func (s *scripted) connect(options ...sidecar.Option) *sidecar.Client {
	s.t.Helper()
	return connect(s.t, s.where(), options...)
}

func connect(t *testing.T, address string, options ...sidecar.Option) *sidecar.Client {
	t.Helper()
	patient := []sidecar.Option{sidecar.WithDecideTimeout(20 * time.Second), sidecar.WithEventTimeout(20 * time.Second)}
	client, err := sidecar.Connect(address, append(patient, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func (s *scripted) fail(failures ...*status.Status) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.failures = append(s.failures, failures...)
}

func unavailable() *status.Status {
	return status.New(codes.Unavailable, "told to fail")
}

// seen is the requests so far.
func (s *scripted) seen() []proto.Message {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return append([]proto.Message(nil), s.requests...)
}

func (s *scripted) enter(
	ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler,
) (any, error) {
	headers, _ := metadata.FromIncomingContext(ctx)
	s.mutex.Lock()
	s.requests = append(s.requests, request.(proto.Message))
	s.headers = append(s.headers, headers)
	var failure *status.Status
	if len(s.failures) > 0 {
		failure, s.failures = s.failures[0], s.failures[1:]
	}
	hold := s.hold
	s.mutex.Unlock()
	s.entered <- struct{}{}
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			// Its clock may be ahead of the caller's: what came too late is never answered.
			return nil, status.FromContextError(ctx.Err()).Err()
		}
	}
	// A failure of code OK is none: it leaves this call alone and hits the next.
	if err := failure.Err(); err != nil {
		return nil, err
	}
	return handle(ctx, request)
}

// Decide answers every flag with what the user's attributes are.
func (s *scripted) Decide(_ context.Context, request *pb.DecideRequest) (*pb.DecideResponse, error) {
	reply := &pb.DecideResponse{Revision: "41", DecisionId: request.GetDecisionId()}
	for _, key := range request.GetFlagKeys() {
		reply.Decisions = append(reply.Decisions, &pb.Decision{
			FlagKey: key, VariationKey: "on", Enabled: true, Reason: pb.DecisionReason_DECISION_REASON_BUCKETED,
			Variables: request.GetAttributes(),
		})
	}
	return reply, nil
}

// Track accepts everything.
func (s *scripted) Track(_ context.Context, request *pb.TrackRequest) (*pb.TrackResponse, error) {
	outcomes := []*pb.Outcome{{Destination: "console", State: pb.OutcomeState_OUTCOME_STATE_QUEUED}}
	return &pb.TrackResponse{EventId: request.GetEventId(), Outcomes: outcomes, ExposureSeenHere: true}, nil
}

// Identify accepts everything.
func (s *scripted) Identify(_ context.Context, request *pb.IdentifyRequest) (*pb.IdentifyResponse, error) {
	return &pb.IdentifyResponse{EventId: request.GetEventId()}, nil
}

// Import accepts everything.
func (s *scripted) Import(_ context.Context, request *pb.ImportRequest) (*pb.ImportResponse, error) {
	outcome := &pb.Outcome{Destination: "console", State: pb.OutcomeState_OUTCOME_STATE_QUEUED}
	counted := &pb.ImportOutcome{Outcome: outcome, Events: int64(len(request.GetEvents()))}
	return &pb.ImportResponse{Outcomes: []*pb.ImportOutcome{counted}}, nil
}

// Flush has nothing left.
func (s *scripted) Flush(context.Context, *pb.FlushRequest) (*pb.FlushResponse, error) {
	return &pb.FlushResponse{Remainders: []*pb.FlushRemainder{{Destination: "console"}}}, nil
}

// GetStatus has a datafile in force.
func (s *scripted) GetStatus(context.Context, *pb.GetStatusRequest) (*pb.GetStatusResponse, error) {
	return &pb.GetStatusResponse{Name: "default", Revision: "41", Source: "file:/shop.json"}, nil
}

// Watch tells what is put into changes.
func (s *scripted) Watch(_ *pb.WatchRequest, stream grpc.ServerStreamingServer[pb.WatchResponse]) error {
	for {
		select {
		case revision := <-s.changes:
			if err := stream.Send(&pb.WatchResponse{Revision: revision}); err != nil {
				return fmt.Errorf("send: %w", err)
			}
		case <-stream.Context().Done():
			return stream.Context().Err()
		}
	}
}

// nowhere is an address where nothing listens.
func nowhere(t *testing.T) string {
	t.Helper()
	return "unix:" + filepath.Join(t.TempDir(), "none")
}
