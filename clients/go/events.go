package sidecar

import (
	"context"

	"google.golang.org/protobuf/proto"

	"decision-sidecar.dev/sidecar/internal/pb"
)

// OutcomeState tells whether a destination will get the event.
type OutcomeState string

// The states of an outcome.
const (
	OutcomeUnspecified OutcomeState = "UNSPECIFIED"
	OutcomeQueued      OutcomeState = "QUEUED"
	OutcomeSkipped     OutcomeState = "SKIPPED"
)

// Outcome is what became of an event at one destination.
type Outcome struct {
	Destination string
	State       OutcomeState
	// Reason is empty when all of it is queued.
	Reason string
}

// Accepted is an event that is written, and will be delivered at least once, under this id.
type Accepted struct {
	EventID  string
	Outcomes []Outcome
	// ExposureSeenHere is true when this sidecar made an impression, for this user, of an experiment that the event
	// measures; a hint that only Track gives, and false says nothing.
	ExposureSeenHere bool
	// Buffered is true when no sidecar took it yet, and this client keeps it in memory to send it later.
	Buffered bool
}

// Track records something that the user did. It returns when that is written to the sidecar's disk. The error is an
// [*ArgumentError] or an [*Error].
func (u User) Track(ctx context.Context, eventKey string, options ...TrackOption) (Accepted, error) {
	return u.client.send(ctx, u.Drafts().Track(eventKey, options...))
}

// Identify records who the user is; otherwise as Track.
func (u User) Identify(ctx context.Context, traits Values, options ...EventOption) (Accepted, error) {
	return u.client.send(ctx, u.Drafts().Identify(traits, options...))
}

// Page records a page that the user saw; otherwise as Track.
func (u User) Page(ctx context.Context, name string, options ...PageOption) (Accepted, error) {
	return u.client.send(ctx, u.Drafts().Page(name, options...))
}

// Screen records a screen of an app that the user saw; otherwise as Track.
func (u User) Screen(ctx context.Context, name string, options ...PageOption) (Accepted, error) {
	return u.client.send(ctx, u.Drafts().Screen(name, options...))
}

// Group records the group, as a company or team, that the user belongs to; otherwise as Track.
func (u User) Group(ctx context.Context, groupID string, traits Values, options ...EventOption) (Accepted, error) {
	return u.client.send(ctx, u.Drafts().Group(groupID, traits, options...))
}

// Alias records that the user was known as previousID until now; otherwise as Track.
func (u User) Alias(ctx context.Context, previousID string, options ...EventOption) (Accepted, error) {
	return u.client.send(ctx, u.Drafts().Alias(previousID, options...))
}

// send brings one event to the sidecar, or to the buffer while it takes none.
func (c *Client) send(ctx context.Context, draft Draft) (Accepted, error) {
	if err := draft.Err(); err != nil {
		return Accepted{}, err
	}
	one := draft.call(&c.settings)
	if c.settings.bufferEventsMax == 0 {
		return unlessFailed(c.record(ctx, one))
	}
	if c.buffer.isEmpty() {
		accepted, failed := c.record(ctx, one)
		// Why a canceled one is kept out: its caller does not want it any more.
		if failed == nil || !failed.Retryable() {
			return unlessFailed(accepted, failed)
		}
	}
	if !c.buffer.add(one) {
		return Accepted{}, closedError(one.method, one.eventID)
	}
	return Accepted{EventID: one.eventID, Buffered: true}, nil
}

func (d Draft) call(given *settings) *call {
	timeout := d.timeout
	if timeout == 0 {
		timeout = given.eventTimeout
	}
	return &call{method: d.method, request: d.request, timeout: timeout, retry: eventRetry, eventID: d.eventID}
}

func unlessFailed(accepted Accepted, failed *Error) (Accepted, error) {
	if failed != nil {
		return Accepted{}, failed
	}
	return accepted, nil
}

// record makes the call of one event.
func (c *Client) record(ctx context.Context, one *call) (Accepted, *Error) {
	reply := replyTo(one.method)
	if failed := c.perform(ctx, one, reply); failed != nil {
		return Accepted{}, failed
	}
	accepted := Accepted{EventID: reply.GetEventId(), Outcomes: outcomesOf(reply.GetOutcomes())}
	if tracked, ok := reply.(*pb.TrackResponse); ok {
		accepted.ExposureSeenHere = tracked.GetExposureSeenHere()
	}
	return accepted, nil
}

// eventReply is what the replies to the six events have.
type eventReply interface {
	proto.Message
	GetEventId() string
	GetOutcomes() []*pb.Outcome
}

func replyTo(method string) eventReply {
	switch method {
	case pb.TrackingService_Identify_FullMethodName:
		return new(pb.IdentifyResponse)
	case pb.TrackingService_Page_FullMethodName:
		return new(pb.PageResponse)
	case pb.TrackingService_Screen_FullMethodName:
		return new(pb.ScreenResponse)
	case pb.TrackingService_Group_FullMethodName:
		return new(pb.GroupResponse)
	case pb.TrackingService_Alias_FullMethodName:
		return new(pb.AliasResponse)
	default:
		return new(pb.TrackResponse)
	}
}

func outcomesOf(messages []*pb.Outcome) []Outcome {
	outcomes := make([]Outcome, len(messages))
	for place, each := range messages {
		outcomes[place] = outcomeOf(each)
	}
	return outcomes
}

func outcomeOf(message *pb.Outcome) Outcome {
	state := OutcomeState(wordOf(pb.OutcomeState_name, int32(message.GetState()), "OUTCOME_STATE_"))
	return Outcome{Destination: message.GetDestination(), State: state, Reason: message.GetReason()}
}
