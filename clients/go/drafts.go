package sidecar

import (
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"decision-sidecar.dev/sidecar/internal/pb"
)

// Draft is an event that is complete, with its id and time, and not sent yet, as [Client.ImportEvents] takes it.
type Draft struct {
	event   *pb.ImportEvent
	request proto.Message
	method  string
	eventID string
	timeout time.Duration
	misfit  *ArgumentError
}

// EventID is the event's id.
func (d Draft) EventID() string {
	return d.eventID
}

// Err is the [*ArgumentError] of a value without a wire form, which sending it will return; else nil.
func (d Draft) Err() error {
	if d.misfit == nil {
		return nil
	}
	return d.misfit
}

// Drafts makes the six events of one user, with the arguments of the user's own methods; each has its id and time now.
type Drafts struct {
	identity *identity
}

// begin is what the options of an event say, completed by id and time.
func begin[Option any](who *identity, options []Option, apply func(Option, *eventDetails)) *eventDetails {
	now := time.Now()
	details := &eventDetails{misfit: who.misfit}
	for _, each := range options {
		apply(each, details)
	}
	if details.eventID == "" {
		details.eventID = newID(now)
	}
	if details.timestamp == nil {
		details.timestamp = timestamppb.New(now)
	}
	return details
}

func (d *eventDetails) draft(method string, request proto.Message, event *pb.ImportEvent) Draft {
	return Draft{
		event: event, request: request, method: method, eventID: d.eventID, timeout: d.timeout, misfit: d.misfit,
	}
}

// Track is something that the user did.
func (d Drafts) Track(eventKey string, options ...TrackOption) Draft {
	details := begin(d.identity, options, TrackOption.track)
	request := &pb.TrackRequest{
		UserId:       d.identity.userID,
		AnonymousId:  d.identity.anonymousID,
		EventKey:     details.text("event key", eventKey),
		Attributes:   d.identity.fields,
		EventTags:    details.tags,
		Properties:   details.properties,
		Revenue:      details.revenue,
		EventId:      details.eventID,
		Timestamp:    details.timestamp,
		Context:      details.context,
		Integrations: details.integrations,
		Datafile:     d.identity.datafile,
	}
	event := &pb.ImportEvent{Event: &pb.ImportEvent_Track{Track: request}}
	return details.draft(pb.TrackingService_Track_FullMethodName, request, event)
}

// Identify is who the user is.
func (d Drafts) Identify(traits Values, options ...EventOption) Draft {
	details := begin(d.identity, options, EventOption.event)
	request := &pb.IdentifyRequest{
		UserId:       d.identity.userID,
		AnonymousId:  d.identity.anonymousID,
		Traits:       details.encode(traits, "traits"),
		EventId:      details.eventID,
		Timestamp:    details.timestamp,
		Context:      details.context,
		Integrations: details.integrations,
		Datafile:     d.identity.datafile,
	}
	event := &pb.ImportEvent{Event: &pb.ImportEvent_Identify{Identify: request}}
	return details.draft(pb.TrackingService_Identify_FullMethodName, request, event)
}

// Page is a page that the user saw.
func (d Drafts) Page(name string, options ...PageOption) Draft {
	details := begin(d.identity, options, PageOption.page)
	request := &pb.PageRequest{
		UserId:       d.identity.userID,
		AnonymousId:  d.identity.anonymousID,
		Name:         details.text("name", name),
		Category:     details.category,
		Properties:   details.properties,
		EventId:      details.eventID,
		Timestamp:    details.timestamp,
		Context:      details.context,
		Integrations: details.integrations,
		Datafile:     d.identity.datafile,
	}
	event := &pb.ImportEvent{Event: &pb.ImportEvent_Page{Page: request}}
	return details.draft(pb.TrackingService_Page_FullMethodName, request, event)
}

// Screen is a screen of an app that the user saw.
func (d Drafts) Screen(name string, options ...PageOption) Draft {
	details := begin(d.identity, options, PageOption.page)
	request := &pb.ScreenRequest{
		UserId:       d.identity.userID,
		AnonymousId:  d.identity.anonymousID,
		Name:         details.text("name", name),
		Category:     details.category,
		Properties:   details.properties,
		EventId:      details.eventID,
		Timestamp:    details.timestamp,
		Context:      details.context,
		Integrations: details.integrations,
		Datafile:     d.identity.datafile,
	}
	event := &pb.ImportEvent{Event: &pb.ImportEvent_Screen{Screen: request}}
	return details.draft(pb.TrackingService_Screen_FullMethodName, request, event)
}

// Group is the group, as a company or team, that the user belongs to.
func (d Drafts) Group(groupID string, traits Values, options ...EventOption) Draft {
	details := begin(d.identity, options, EventOption.event)
	request := &pb.GroupRequest{
		UserId:       d.identity.userID,
		AnonymousId:  d.identity.anonymousID,
		GroupId:      details.text("group id", groupID),
		Traits:       details.encode(traits, "traits"),
		EventId:      details.eventID,
		Timestamp:    details.timestamp,
		Context:      details.context,
		Integrations: details.integrations,
		Datafile:     d.identity.datafile,
	}
	event := &pb.ImportEvent{Event: &pb.ImportEvent_Group{Group: request}}
	return details.draft(pb.TrackingService_Group_FullMethodName, request, event)
}

// Alias tells that the user was known as previousID until now.
func (d Drafts) Alias(previousID string, options ...EventOption) Draft {
	details := begin(d.identity, options, EventOption.event)
	request := &pb.AliasRequest{
		UserId:       d.identity.userID,
		AnonymousId:  d.identity.anonymousID,
		PreviousId:   details.text("previous id", previousID),
		EventId:      details.eventID,
		Timestamp:    details.timestamp,
		Context:      details.context,
		Integrations: details.integrations,
		Datafile:     d.identity.datafile,
	}
	event := &pb.ImportEvent{Event: &pb.ImportEvent_Alias{Alias: request}}
	return details.draft(pb.TrackingService_Alias_FullMethodName, request, event)
}
