package sidecar

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"decision-sidecar.dev/sidecar/internal/pb"
)

// Remainder is what one destination has still to get.
type Remainder struct {
	Destination string
	Events      int64
	// PauseReason says why it is paused; empty when it is not.
	PauseReason string
}

// Flushed is what a Flush left: one entry for each destination, and the events still in this client's buffer.
type Flushed struct {
	Remainders []Remainder
	Buffered   int
}

// Complete tells whether everything accepted before the flush is delivered, or a dead letter that says why.
func (f Flushed) Complete() bool {
	for _, each := range f.Remainders {
		if each.Events != 0 {
			return false
		}
	}
	return f.Buffered == 0
}

// DatafileWarning is one thing wrong with a datafile in force.
type DatafileWarning struct {
	Path        string
	Description string
	// DisabledFlagKey is the flag that is off because of it; empty when none is.
	DisabledFlagKey string
}

// DatafileStatus is what the sidecar decides with, and how fresh it is.
type DatafileStatus struct {
	Name string
	// Revision is empty before the first datafile.
	Revision string
	Source   string
	// LoadedTime is zero before the first datafile.
	LoadedTime time.Time
	// CheckedTime is zero when the source was never read.
	CheckedTime time.Time
	// Stale means that the last look at the source failed or is overdue; LastError then says why.
	Stale     bool
	FromCache bool
	LastError string
	Warnings  []DatafileWarning
}

// DatafileChange is a revision that came into force.
type DatafileChange struct {
	Revision   string
	LoadedTime time.Time
	Source     string
	// Warnings is how many there are; Status lists them.
	Warnings int
	// Lost is how many changes were missed because this reader was slow.
	Lost int64
}

func flushedOf(reply *pb.FlushResponse, buffered int) Flushed {
	left := Flushed{Buffered: buffered}
	for _, each := range reply.GetRemainders() {
		left.Remainders = append(left.Remainders, Remainder{each.GetDestination(), each.GetEvents(), each.GetPauseReason()})
	}
	return left
}

func statusOf(reply *pb.GetStatusResponse) DatafileStatus {
	said := DatafileStatus{
		Name:        reply.GetName(),
		Revision:    reply.GetRevision(),
		Source:      reply.GetSource(),
		LoadedTime:  timeOf(reply.GetLoadedTime()),
		CheckedTime: timeOf(reply.GetCheckedTime()),
		Stale:       reply.GetStale(),
		FromCache:   reply.GetFromCache(),
		LastError:   reply.GetLastError().GetMessage(),
	}
	for _, each := range reply.GetWarnings() {
		warning := DatafileWarning{each.GetPath(), each.GetDescription(), each.GetDisabledFlagKey()}
		said.Warnings = append(said.Warnings, warning)
	}
	return said
}

func changeOf(reply *pb.WatchResponse) DatafileChange {
	return DatafileChange{
		Revision:   reply.GetRevision(),
		LoadedTime: timeOf(reply.GetLoadedTime()),
		Source:     reply.GetSource(),
		Warnings:   int(reply.GetWarnings()),
		Lost:       reply.GetLost(),
	}
}

func timeOf(message *timestamppb.Timestamp) time.Time {
	if message == nil {
		return time.Time{}
	}
	return message.AsTime()
}

func durationOf(given time.Duration) *durationpb.Duration {
	return durationpb.New(given)
}
