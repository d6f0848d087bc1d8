package sidecar

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	"decision-sidecar.dev/sidecar/internal/pb"
	"decision-sidecar.dev/sidecar/internal/wire"
)

// eventDetails is what the options of one event said.
type eventDetails struct {
	eventID      string
	timestamp    *timestamppb.Timestamp
	context      map[string]*pb.Value
	integrations map[string]*pb.Value
	tags         map[string]*pb.Value
	properties   map[string]*pb.Value
	category     string
	revenue      *pb.Money
	timeout      time.Duration
	misfit       *ArgumentError
}

// wrong keeps the first mistake.
func (d *eventDetails) wrong(found *ArgumentError) {
	if d.misfit == nil {
		d.misfit = found
	}
}

func (d *eventDetails) encode(values Values, where string) map[string]*pb.Value {
	fields, wrong := wire.Encode(values, where)
	d.wrong(argumentOf(wrong))
	return fields
}

func (d *eventDetails) text(name, text string) string {
	d.wrong(misfitOf(name, text))
	return text
}

// EventOption is an option of [User.Identify], [User.Group] and [User.Alias], and of every other event.
type EventOption interface {
	TrackOption
	PageOption
	event(*eventDetails)
}

// TrackOption is an option of [User.Track].
type TrackOption interface{ track(*eventDetails) }

// PageOption is an option of [User.Page] and [User.Screen].
type PageOption interface{ page(*eventDetails) }

type eventOption func(*eventDetails)

func (o eventOption) track(details *eventDetails) { o(details) }
func (o eventOption) page(details *eventDetails)  { o(details) }
func (o eventOption) event(details *eventDetails) { o(details) }

type trackOption func(*eventDetails)

func (o trackOption) track(details *eventDetails) { o(details) }

type pageOption func(*eventDetails)

func (o pageOption) page(details *eventDetails) { o(details) }

// PropertiesOption is what [WithProperties] makes: an option of Track, Page and Screen.
type PropertiesOption func(*eventDetails)

func (o PropertiesOption) track(details *eventDetails) { o(details) }
func (o PropertiesOption) page(details *eventDetails)  { o(details) }

func (o TimeoutOption) keep(details *eventDetails) {
	details.timeout = time.Duration(o)
	if o <= 0 {
		details.wrong(argument("timeout", "is %s, wanted more than 0", time.Duration(o)))
	}
}

func (o TimeoutOption) track(details *eventDetails) { o.keep(details) }
func (o TimeoutOption) page(details *eventDetails)  { o.keep(details) }
func (o TimeoutOption) event(details *eventDetails) { o.keep(details) }

// WithEventID names the event, 1-100 characters, a UUID unless set: to repeat a call that failed, pass the error's.
func WithEventID(id string) EventOption {
	return eventOption(func(details *eventDetails) { details.eventID = details.text("event id", id) })
}

// WithTimestamp says when it happened: now unless set.
func WithTimestamp(when time.Time) EventOption {
	return eventOption(func(details *eventDetails) {
		details.timestamp = timestamppb.New(when)
		if err := details.timestamp.CheckValid(); err != nil {
			details.wrong(argument("timestamp", "is %s, wanted a year from 1 to 9999", when))
		}
	})
}

// WithEventContext says where and how it happened (ip, locale, page, campaign …), sent as it is.
func WithEventContext(values Values) EventOption {
	return eventOption(func(details *eventDetails) { details.context = details.encode(values, "context") })
}

// WithIntegrations says which destinations want it, by case-sensitive name: true, false, or a map of options.
func WithIntegrations(values Values) EventOption {
	return eventOption(func(details *eventDetails) { details.integrations = details.encode(values, "integrations") })
}

// WithTags sets tags with Optimizely's meaning: `revenue` whole cents, `value` a number.
func WithTags(values Values) TrackOption {
	return trackOption(func(details *eventDetails) { details.tags = details.encode(values, "tags") })
}

// WithRevenue says what it earned, exactly; it stands above tags and properties.
func WithRevenue(revenue Money) TrackOption {
	return trackOption(func(details *eventDetails) {
		details.wrong(revenue.check())
		details.revenue = &pb.Money{Amount: revenue.Amount, Currency: revenue.Currency}
	})
}

// WithProperties sets properties with Segment's meaning.
func WithProperties(values Values) PropertiesOption {
	return func(details *eventDetails) { details.properties = details.encode(values, "properties") }
}

// WithCategory sets the category that the page or screen belongs to.
func WithCategory(category string) PageOption {
	return pageOption(func(details *eventDetails) { details.category = details.text("category", category) })
}
