package sidecartest

import (
	"context"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"decision-sidecar.dev/sidecar"
	"decision-sidecar.dev/sidecar/internal/pb"
	"decision-sidecar.dev/sidecar/internal/wire"
)

// conn is a connection in memory: a call is a call of the fake. Messages pass as bytes, as they do on a real one.
type conn struct {
	fake *Fake
}

// Invoke answers one call.
func (c conn) Invoke(ctx context.Context, method string, request, reply any, _ ...grpc.CallOption) error {
	if err := ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	encoded, err := proto.Marshal(request.(proto.Message))
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	copied := request.(proto.Message).ProtoReflect().New().Interface()
	if err := proto.Unmarshal(encoded, copied); err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	answered, err := c.fake.answer(method, copied)
	if err != nil {
		return err
	}
	proto.Merge(reply.(proto.Message), answered)
	return nil
}

// NewStream opens a Watch, the one stream of the client.
func (c conn) NewStream(ctx context.Context, _ *grpc.StreamDesc, _ string, _ ...grpc.CallOption) (grpc.ClientStream, error) {
	c.fake.mutex.Lock()
	defer c.fake.mutex.Unlock()
	if c.fake.failure != nil {
		return nil, c.fake.failure.Err()
	}
	return &watch{ctx: ctx}, nil
}

// watch tells the one revision that there is, then nothing until its context is done.
type watch struct {
	ctx  context.Context
	told bool
}

func (w *watch) Header() (metadata.MD, error) { return nil, nil }
func (w *watch) Trailer() metadata.MD         { return nil }
func (w *watch) CloseSend() error             { return nil }
func (w *watch) Context() context.Context     { return w.ctx }
func (w *watch) SendMsg(any) error            { return nil }

// RecvMsg is the next change.
func (w *watch) RecvMsg(reply any) error {
	message, ok := reply.(*pb.WatchResponse)
	if !ok {
		return io.EOF
	}
	if w.told {
		<-w.ctx.Done()
		return status.FromContextError(w.ctx.Err()).Err()
	}
	w.told = true
	message.Revision, message.Source = Revision, "fake"
	return nil
}

func (f *Fake) answer(method string, request proto.Message) (proto.Message, error) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	if f.failure != nil {
		return nil, f.failure.Err()
	}
	switch request := request.(type) {
	case *pb.DecideRequest:
		return f.decide(request)
	case *pb.DecideManyRequest:
		return f.decideMany(request)
	case *pb.ExplainRequest:
		return f.explain(request)
	case *pb.FlushRequest:
		return &pb.FlushResponse{}, nil
	case *pb.GetStatusRequest:
		return &pb.GetStatusResponse{Name: "default", Revision: Revision, Source: "fake"}, nil
	case *pb.ImportRequest:
		return f.importAll(request), nil
	case eventRequest:
		return f.keep(request), nil
	}
	return nil, status.Errorf(codes.Unimplemented, "the fake has no %s", method)
}

func (f *Fake) decide(request *pb.DecideRequest) (*pb.DecideResponse, error) {
	keys := request.GetFlagKeys()
	if len(keys) == 0 {
		keys = f.order
	}
	attributes := wire.DecodeAll(request.GetAttributes())
	reply := &pb.DecideResponse{Revision: Revision, DecisionId: request.GetDecisionId()}
	for _, key := range keys {
		message, err := f.message(key)
		if err != nil {
			return nil, err
		}
		reply.Decisions = append(reply.Decisions, message)
		f.decided = append(f.decided, Decided{UserID: request.GetUserId(), FlagKey: key, Attributes: attributes})
	}
	return reply, nil
}

func (f *Fake) decideMany(request *pb.DecideManyRequest) (*pb.DecideManyResponse, error) {
	reply := &pb.DecideManyResponse{}
	for _, user := range request.GetUsers() {
		decided, err := f.decide(&pb.DecideRequest{
			UserId:     user.GetUserId(),
			Attributes: user.GetAttributes(),
			FlagKeys:   request.GetFlagKeys(),
			DecisionId: user.GetDecisionId(),
		})
		if err != nil {
			return nil, err
		}
		result := &pb.DecideManyResult{Result: &pb.DecideManyResult_Decided{Decided: decided}}
		reply.Results = append(reply.Results, result)
	}
	return reply, nil
}

func (f *Fake) explain(request *pb.ExplainRequest) (*pb.ExplainResponse, error) {
	message, err := f.message(request.GetFlagKey())
	return &pb.ExplainResponse{Decision: message, Revision: Revision, BucketingId: request.GetUserId()}, err
}

// message is the answer for a flag.
func (f *Fake) message(flagKey string) (*pb.Decision, error) {
	decision, known := f.flags[flagKey]
	if !known {
		decision = sidecar.Decision{Reason: sidecar.ReasonFlagNotFound}
	}
	values := sidecar.Values{}
	for key, value := range decision.Variables.All() {
		values[key] = value
	}
	variables, wrong := wire.Encode(values, "variables")
	if wrong != nil {
		return nil, status.Errorf(codes.Internal, "%s %s", wrong.Path, wrong.Problem)
	}
	return &pb.Decision{
		FlagKey:      flagKey,
		VariationKey: decision.VariationKey,
		Enabled:      decision.Enabled,
		Variables:    variables,
		RuleKey:      decision.RuleKey,
		RuleType:     pb.RuleType(pb.RuleType_value["RULE_TYPE_"+string(decision.RuleType)]),
		Reason:       pb.DecisionReason(pb.DecisionReason_value["DECISION_REASON_"+string(decision.Reason)]),
		ExperimentId: decision.ExperimentID,
		VariationId:  decision.VariationID,
		Reasons:      decision.Reasons,
	}, nil
}

func (f *Fake) importAll(request *pb.ImportRequest) *pb.ImportResponse {
	reply := &pb.ImportResponse{}
	before := len(f.events)
	for _, each := range request.GetEvents() {
		if event, ok := importedOf(each); ok {
			f.keep(event)
			reply.EventIds = append(reply.EventIds, event.GetEventId())
		}
	}
	reply.RepeatedEvents = int32(len(request.GetEvents()) - (len(f.events) - before))
	return reply
}

// keep records an event, once by its id, and makes its reply.
func (f *Fake) keep(request eventRequest) proto.Message {
	event := eventOf(request)
	if _, known := f.places[event.EventID]; !known {
		f.places[event.EventID] = len(f.events)
		f.events = append(f.events, event)
	}
	return replyTo(request, event.EventID)
}

func replyTo(request eventRequest, id string) proto.Message {
	switch request.(type) {
	case *pb.IdentifyRequest:
		return &pb.IdentifyResponse{EventId: id}
	case *pb.PageRequest:
		return &pb.PageResponse{EventId: id}
	case *pb.ScreenRequest:
		return &pb.ScreenResponse{EventId: id}
	case *pb.GroupRequest:
		return &pb.GroupResponse{EventId: id}
	case *pb.AliasRequest:
		return &pb.AliasResponse{EventId: id}
	}
	return &pb.TrackResponse{EventId: id}
}
