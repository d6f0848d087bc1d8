package sidecar

import (
	"maps"
	"slices"
	"unicode/utf8"

	"decision-sidecar.dev/sidecar/internal/pb"
	"decision-sidecar.dev/sidecar/internal/wire"
)

// User is one user with its attributes. Immutable: what changes it returns another handle. Safe for goroutines.
type User struct {
	client   *Client
	identity *identity
}

// UserOption is an option of [Client.User].
type UserOption func(*identity)

// WithAnonymousID sets the id of a user who is not known, beside or in place of the user id; events alone need one.
func WithAnonymousID(id string) UserOption {
	return func(who *identity) { who.anonymousID = id }
}

// WithUserDatafile sets the name or SDK key of the datafile that decides for this user.
func WithUserDatafile(name string) UserOption {
	return func(who *identity) { who.datafile = name }
}

// identity is who a call is about, encoded once: a handle asks many decisions with the same attributes. Never changed
// once it is in a handle.
type identity struct {
	userID      string
	anonymousID string
	datafile    string
	attributes  Values
	fields      map[string]*pb.Value
	segments    *pb.QualifiedSegments
	forced      []*pb.ForcedDecision
	misfit      *ArgumentError
}

func (i *identity) check() {
	texts := [...]struct{ name, text string }{
		{"user id", i.userID}, {"anonymous id", i.anonymousID}, {"datafile", i.datafile},
	}
	for _, each := range texts {
		i.checkText(each.name, each.text)
	}
}

func (i *identity) checkText(name, text string) {
	if i.misfit == nil {
		i.misfit = misfitOf(name, text)
	}
}

// misfitOf tells of text that no message can carry.
func misfitOf(name, text string) *ArgumentError {
	if utf8.ValidString(text) {
		return nil
	}
	return argument(name, "is text that is not UTF-8: %q", text)
}

func (i *identity) setAttributes(attributes Values) {
	fields, wrong := wire.Encode(attributes, "attributes")
	i.attributes, i.fields = attributes, fields
	if i.misfit == nil {
		i.misfit = argumentOf(wrong)
	}
}

// err is what is wrong with the user's own values, as an error or none.
func (i *identity) err() error {
	if i.misfit == nil {
		return nil
	}
	return i.misfit
}

// UserID is the user's id; empty when only an anonymous id is known.
func (u User) UserID() string {
	return u.identity.userID
}

// Attributes is a copy of the user's attributes.
func (u User) Attributes() Values {
	return maps.Clone(u.identity.attributes)
}

// Err is the [*ArgumentError] that each call about this user will return, for a value without a wire form; else nil.
func (u User) Err() error {
	return u.identity.err()
}

// Drafts makes the events of this user that are sent later, by ImportEvents.
func (u User) Drafts() Drafts {
	return Drafts{identity: u.identity}
}

// WithAttributes is the same user with these attributes added or replaced.
func (u User) WithAttributes(attributes Values) User {
	return u.like(func(who *identity) {
		merged := make(Values, len(who.attributes)+len(attributes))
		maps.Copy(merged, who.attributes)
		maps.Copy(merged, attributes)
		who.misfit = nil
		who.check()
		who.setAttributes(merged)
	})
}

// WithSegments is the same user in exactly these segments, for `qualified` conditions; none given is in no segment.
func (u User) WithSegments(segments ...string) User {
	return u.like(func(who *identity) {
		who.segments = &pb.QualifiedSegments{Keys: slices.Clone(segments)}
		for _, each := range segments {
			who.checkText("segment", each)
		}
	})
}

// WithoutSegments is the same user with segments unset, as a new one is: every `qualified` condition is false.
func (u User) WithoutSegments() User {
	return u.like(func(who *identity) { who.segments = nil })
}

// WithForcedDecision is the same user with a variation imposed on one rule, or with an empty ruleKey on the whole flag.
func (u User) WithForcedDecision(flagKey, variationKey, ruleKey string) User {
	return u.like(func(who *identity) {
		forced := &pb.ForcedDecision{FlagKey: flagKey, RuleKey: ruleKey, VariationKey: variationKey}
		who.forced = append(without(who.forced, flagKey, ruleKey), forced)
		for _, each := range []string{flagKey, ruleKey, variationKey} {
			who.checkText("forced decision", each)
		}
	})
}

// WithoutForcedDecision is the same user without the forced decision for that flag and rule; none is no error.
func (u User) WithoutForcedDecision(flagKey, ruleKey string) User {
	return u.like(func(who *identity) { who.forced = without(who.forced, flagKey, ruleKey) })
}

// without is a new slice, so that handles share none that grows.
func without(forced []*pb.ForcedDecision, flagKey, ruleKey string) []*pb.ForcedDecision {
	kept := make([]*pb.ForcedDecision, 0, len(forced)+1)
	for _, each := range forced {
		if each.GetFlagKey() != flagKey || each.GetRuleKey() != ruleKey {
			kept = append(kept, each)
		}
	}
	return kept
}

func (u User) like(change func(*identity)) User {
	who := *u.identity
	change(&who)
	return User{client: u.client, identity: &who}
}
