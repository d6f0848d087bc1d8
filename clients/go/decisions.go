package sidecar

import (
	"iter"
	"strings"

	"decision-sidecar.dev/sidecar/internal/pb"
	"decision-sidecar.dev/sidecar/internal/wire"
)

// Reason is the step that settled a decision: the contract's word, and one of our own. For programs.
type Reason string

// The reasons. Their meaning is fixed by the contract.
const (
	// ReasonUnspecified is of a sidecar newer than this client, which gave a reason that it does not know.
	ReasonUnspecified          Reason = "UNSPECIFIED"
	ReasonBucketed             Reason = "BUCKETED"
	ReasonRollout              Reason = "ROLLOUT"
	ReasonNoRuleMatched        Reason = "NO_RULE_MATCHED"
	ReasonFlagNotFound         Reason = "FLAG_NOT_FOUND"
	ReasonFlagInvalid          Reason = "FLAG_INVALID"
	ReasonFlagForced           Reason = "FLAG_FORCED"
	ReasonRuleForced           Reason = "RULE_FORCED"
	ReasonHoldout              Reason = "HOLDOUT"
	ReasonForcedVariation      Reason = "FORCED_VARIATION"
	ReasonWhitelisted          Reason = "WHITELISTED"
	ReasonSticky               Reason = "STICKY"
	ReasonCMABUnsupported      Reason = "CMAB_UNSUPPORTED"
	ReasonExperimentNotFound   Reason = "EXPERIMENT_NOT_FOUND"
	ReasonExperimentNotRunning Reason = "EXPERIMENT_NOT_RUNNING"
	// SidecarUnavailable is of a default: there was no answer, and Reasons says what went wrong.
	SidecarUnavailable Reason = "SIDECAR_UNAVAILABLE"
)

// RuleType is the kind of rule that decided; UNSPECIFIED when none did.
type RuleType string

// The kinds of rules.
const (
	RuleTypeUnspecified RuleType = "UNSPECIFIED"
	RuleTypeFeatureTest RuleType = "FEATURE_TEST"
	RuleTypeRollout     RuleType = "ROLLOUT"
	RuleTypeHoldout     RuleType = "HOLDOUT"
	RuleTypeExperiment  RuleType = "EXPERIMENT"
)

// Decision is what one flag is for one user. An empty string means none.
type Decision struct {
	FlagKey      string
	VariationKey string
	Enabled      bool
	Variables    Variables
	RuleKey      string
	RuleType     RuleType
	Reason       Reason
	ExperimentID string
	VariationID  string
	// Reasons are English, for people; Reason is for programs.
	Reasons []string
	// Revision is of the datafile; empty in a default.
	Revision string
	// DecisionID is of the call that it came with; empty in a default.
	DecisionID string
	// ErrorReason is why this is the caller's default, by the word of the error, as UNAVAILABLE; empty when answered.
	ErrorReason string
}

// Decisions are the decisions of one call, in the order of the request or of the datafile.
type Decisions struct {
	// Revision and DecisionID are empty when the sidecar gave no answer; ErrorReason then says why.
	Revision    string
	DecisionID  string
	ErrorReason string
	listed      []Decision
	places      map[string]int
}

// Len is how many there are.
func (d Decisions) Len() int {
	return len(d.listed)
}

// Get is the decision of a flag, and whether there is one.
func (d Decisions) Get(flagKey string) (Decision, bool) {
	place, there := d.places[flagKey]
	if !there {
		return Decision{}, false
	}
	return d.listed[place], true
}

// All goes through the decisions by flag key, in order.
func (d Decisions) All() iter.Seq2[string, Decision] {
	return func(yield func(string, Decision) bool) {
		for _, each := range d.listed {
			if !yield(each.FlagKey, each) {
				return
			}
		}
	}
}

func (d *Decisions) add(decision Decision) {
	if place, there := d.places[decision.FlagKey]; there {
		d.listed[place] = decision
		return
	}
	d.places[decision.FlagKey] = len(d.listed)
	d.listed = append(d.listed, decision)
}

func decisionsOf(reply *pb.DecideResponse) Decisions {
	size := len(reply.GetDecisions())
	answered := Decisions{
		Revision:   reply.GetRevision(),
		DecisionID: reply.GetDecisionId(),
		listed:     make([]Decision, 0, size),
		places:     make(map[string]int, size),
	}
	for _, each := range reply.GetDecisions() {
		answered.add(decisionOf(each, answered.Revision, answered.DecisionID))
	}
	return answered
}

func decisionOf(message *pb.Decision, revision, decisionID string) Decision {
	return Decision{
		FlagKey:      message.GetFlagKey(),
		VariationKey: message.GetVariationKey(),
		Enabled:      message.GetEnabled(),
		Variables:    Variables{flagKey: message.GetFlagKey(), values: wire.DecodeAll(message.GetVariables())},
		RuleKey:      message.GetRuleKey(),
		RuleType:     RuleType(wordOf(pb.RuleType_name, int32(message.GetRuleType()), "RULE_TYPE_")),
		Reason:       reasonOf(message.GetReason()),
		ExperimentID: message.GetExperimentId(),
		VariationID:  message.GetVariationId(),
		Reasons:      message.GetReasons(),
		Revision:     revision,
		DecisionID:   decisionID,
	}
}

func reasonOf(reason pb.DecisionReason) Reason {
	return Reason(wordOf(pb.DecisionReason_name, int32(reason), "DECISION_REASON_"))
}

// wordOf is the word of an enum's value without its prefix; one of a newer sidecar is UNSPECIFIED.
func wordOf(names map[int32]string, number int32, prefix string) string {
	if name, known := names[number]; known {
		return strings.TrimPrefix(name, prefix)
	}
	return "UNSPECIFIED"
}
