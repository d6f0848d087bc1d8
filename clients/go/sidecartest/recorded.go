package sidecartest

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/timestamppb"

	"decision-sidecar.dev/sidecar"
	"decision-sidecar.dev/sidecar/internal/pb"
	"decision-sidecar.dev/sidecar/internal/wire"
)

// Event is an event that the code under test sent.
type Event struct {
	// Kind is track, identify, page, screen, group or alias.
	Kind string
	// Name is the event key, the page, the screen or the group id.
	Name         string
	EventID      string
	UserID       string
	AnonymousID  string
	Timestamp    time.Time
	PreviousID   string
	Category     string
	Attributes   sidecar.Values
	Tags         sidecar.Values
	Properties   sidecar.Values
	Traits       sidecar.Values
	Context      sidecar.Values
	Integrations sidecar.Values
	// Revenue is nil when there is none.
	Revenue *sidecar.Money
}

// Decided is a decision that the code under test asked for, one for each flag answered.
type Decided struct {
	UserID     string
	FlagKey    string
	Attributes sidecar.Values
}

// eventRequest is what the six events have.
type eventRequest interface {
	proto.Message
	GetUserId() string
	GetAnonymousId() string
	GetEventId() string
	GetTimestamp() *timestamppb.Timestamp
	GetContext() map[string]*pb.Value
	GetIntegrations() map[string]*pb.Value
}

func eventOf(request eventRequest) Event {
	event := Event{
		EventID:      request.GetEventId(),
		UserID:       request.GetUserId(),
		AnonymousID:  request.GetAnonymousId(),
		Timestamp:    request.GetTimestamp().AsTime(),
		Context:      wire.DecodeAll(request.GetContext()),
		Integrations: wire.DecodeAll(request.GetIntegrations()),
	}
	switch request := request.(type) {
	case *pb.TrackRequest:
		event.Kind, event.Name = "track", request.GetEventKey()
		event.Attributes = wire.DecodeAll(request.GetAttributes())
		event.Tags = wire.DecodeAll(request.GetEventTags())
		event.Properties = wire.DecodeAll(request.GetProperties())
		if revenue := request.GetRevenue(); revenue != nil {
			event.Revenue = &sidecar.Money{Amount: revenue.GetAmount(), Currency: revenue.GetCurrency()}
		}
	case *pb.IdentifyRequest:
		event.Kind, event.Traits = "identify", wire.DecodeAll(request.GetTraits())
	case *pb.PageRequest:
		event.Kind, event.Name, event.Category = "page", request.GetName(), request.GetCategory()
		event.Properties = wire.DecodeAll(request.GetProperties())
	case *pb.ScreenRequest:
		event.Kind, event.Name, event.Category = "screen", request.GetName(), request.GetCategory()
		event.Properties = wire.DecodeAll(request.GetProperties())
	case *pb.GroupRequest:
		event.Kind, event.Name = "group", request.GetGroupId()
		event.Traits = wire.DecodeAll(request.GetTraits())
	case *pb.AliasRequest:
		event.Kind, event.PreviousID = "alias", request.GetPreviousId()
	}
	return event
}

// importedOf is the one event of an ImportEvent.
func importedOf(message *pb.ImportEvent) (eventRequest, bool) {
	var found eventRequest
	message.ProtoReflect().Range(func(_ protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		found, _ = value.Message().Interface().(eventRequest)
		return false
	})
	return found, found != nil
}
