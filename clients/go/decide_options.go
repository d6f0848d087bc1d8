package sidecar

import (
	"time"

	"decision-sidecar.dev/sidecar/internal/pb"
)

// decideDetails is what the options of one call for decisions said.
type decideDetails struct {
	options     []pb.DecideOption
	fallback    *Decision
	fallbacks   map[string]Decision
	decisionID  string
	decisionIDs []string
	timeout     time.Duration
	strict      bool
	misfit      *ArgumentError
}

// DecideOneOption is an option of [User.Decide].
type DecideOneOption interface{ decideOne(*decideDetails) }

// DecideSeveralOption is an option of [User.DecideForKeys] and [User.DecideAll].
type DecideSeveralOption interface{ decideSeveral(*decideDetails) }

// DecideManyOption is an option of [Client.DecideMany].
type DecideManyOption interface{ decideMany(*decideDetails) }

// ExplainOption is an option of [User.Explain].
type ExplainOption interface{ explain(*decideDetails) }

// DecideOption says how to decide, by the names of Optimizely's SDKs; added to the sidecar's default options. It is an
// option of every call for decisions.
type DecideOption int32

// The options of Optimizely's SDKs.
const (
	// DisableDecisionEvent records no impression.
	DisableDecisionEvent = DecideOption(pb.DecideOption_DECIDE_OPTION_DISABLE_DECISION_EVENT)
	// EnabledFlagsOnly answers flags that are enabled alone.
	EnabledFlagsOnly = DecideOption(pb.DecideOption_DECIDE_OPTION_ENABLED_FLAGS_ONLY)
	// IgnoreUserProfileService neither reads nor saves sticky profiles.
	IgnoreUserProfileService = DecideOption(pb.DecideOption_DECIDE_OPTION_IGNORE_USER_PROFILE_SERVICE)
	// IncludeReasons fills Reasons with the whole walk, not with problems alone.
	IncludeReasons = DecideOption(pb.DecideOption_DECIDE_OPTION_INCLUDE_REASONS)
	// ExcludeVariables leaves Variables empty.
	ExcludeVariables = DecideOption(pb.DecideOption_DECIDE_OPTION_EXCLUDE_VARIABLES)
)

func (o DecideOption) add(details *decideDetails) {
	details.options = append(details.options, pb.DecideOption(o))
}

func (o DecideOption) decideOne(details *decideDetails)     { o.add(details) }
func (o DecideOption) decideSeveral(details *decideDetails) { o.add(details) }
func (o DecideOption) decideMany(details *decideDetails)    { o.add(details) }
func (o DecideOption) explain(details *decideDetails)       { o.add(details) }

type oneOption func(*decideDetails)

func (o oneOption) decideOne(details *decideDetails) { o(details) }

type severalOption func(*decideDetails)

func (o severalOption) decideSeveral(details *decideDetails) { o(details) }
func (o severalOption) decideMany(details *decideDetails)    { o(details) }

type manyOption func(*decideDetails)

func (o manyOption) decideMany(details *decideDetails) { o(details) }

// UserDecideOption is an option of each call for the decisions of one user.
type UserDecideOption func(*decideDetails)

func (o UserDecideOption) decideOne(details *decideDetails)     { o(details) }
func (o UserDecideOption) decideSeveral(details *decideDetails) { o(details) }

// WithDefault sets what Decide answers when the sidecar does not. Its FlagKey may be left empty.
func WithDefault(decision Decision) DecideOneOption {
	return oneOption(func(details *decideDetails) { details.fallback = &decision })
}

// WithDefaults sets, by flag key, what a call for several flags answers when the sidecar does not.
func WithDefaults(decisions map[string]Decision) interface {
	DecideSeveralOption
	DecideManyOption
} {
	return severalOption(func(details *decideDetails) { details.fallbacks = decisions })
}

// WithDecisionID names the decision, 1-100 characters, a UUID unless set: the same id makes the same impressions, once.
func WithDecisionID(id string) UserDecideOption {
	return func(details *decideDetails) { details.decisionID = id }
}

// WithDecisionIDs names the decisions of the users of DecideMany, in their order.
func WithDecisionIDs(ids ...string) DecideManyOption {
	return manyOption(func(details *decideDetails) { details.decisionIDs = ids })
}

// StrictOption is what [WithStrict] makes: an option of Connect, and of each call for decisions.
type StrictOption struct{}

// WithStrict returns the error when a decision fails, instead of answering its default.
func WithStrict() StrictOption {
	return StrictOption{}
}

func (StrictOption) connect(given *settings)              { given.strict = true }
func (StrictOption) decideOne(details *decideDetails)     { details.strict = true }
func (StrictOption) decideSeveral(details *decideDetails) { details.strict = true }
func (StrictOption) decideMany(details *decideDetails)    { details.strict = true }

// TimeoutOption is what [WithTimeout] makes: an option of each call for decisions and of each event.
type TimeoutOption time.Duration

// WithTimeout sets the deadline of one call, in place of the client's. The context's deadline holds, too.
func WithTimeout(timeout time.Duration) TimeoutOption {
	return TimeoutOption(timeout)
}

func (o TimeoutOption) set(details *decideDetails) {
	details.timeout = time.Duration(o)
	if o <= 0 {
		details.misfit = argument("timeout", "is %s, wanted more than 0", time.Duration(o))
	}
}

func (o TimeoutOption) decideOne(details *decideDetails)     { o.set(details) }
func (o TimeoutOption) decideSeveral(details *decideDetails) { o.set(details) }
func (o TimeoutOption) decideMany(details *decideDetails)    { o.set(details) }
func (o TimeoutOption) explain(details *decideDetails)       { o.set(details) }
