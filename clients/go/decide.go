package sidecar

import (
	"context"
	"maps"
	"slices"
	"time"

	"decision-sidecar.dev/sidecar/internal/pb"
)

// Decide decides one flag. Without an answer it is the default of [WithDefault], else off, with the reason
// [SidecarUnavailable]. The decision is good to use, whatever the error, which is an [*ArgumentError], or with
// [WithStrict] an [*Error].
func (u User) Decide(ctx context.Context, flagKey string, options ...DecideOneOption) (Decision, error) {
	details := u.details(u.client.settings.decideTimeout)
	for _, each := range options {
		each.decideOne(&details)
	}
	fallback, err := details.defaultOf(flagKey, details.fallback)
	if err != nil {
		return fallback, err
	}
	reply, failed, err := u.ask(ctx, []string{flagKey}, &details)
	switch {
	case err != nil:
		return fallback, err
	case failed != nil && details.strict:
		return fallback, failed
	case failed != nil:
		u.client.counters.decisionsDefaulted.Add(1)
		return because(fallback, failed), nil
	case len(reply.GetDecisions()) == 0:
		return Decision{
			FlagKey:    flagKey,
			RuleType:   RuleTypeUnspecified,
			Reason:     ReasonUnspecified,
			Reasons:    []string{"left out: ENABLED_FLAGS_ONLY answers flags that are enabled alone"},
			Revision:   reply.GetRevision(),
			DecisionID: reply.GetDecisionId(),
		}, nil
	}
	return decisionOf(reply.GetDecisions()[0], reply.GetRevision(), reply.GetDecisionId()), nil
}

// DecideForKeys decides these flags at one revision, in this order; none asked for is none answered. Without an answer
// each has its default of [WithDefaults], else is off. Its error is as that of Decide.
func (u User) DecideForKeys(
	ctx context.Context, flagKeys []string, options ...DecideSeveralOption,
) (Decisions, error) {
	if len(flagKeys) == 0 {
		return Decisions{}, u.Err()
	}
	return u.decideSeveral(ctx, flagKeys, options)
}

// DecideAll decides all flags of the datafile at one revision, in its order. Without an answer it is the defaults of
// [WithDefaults] alone, by flag key. Its error is as that of Decide.
func (u User) DecideAll(ctx context.Context, options ...DecideSeveralOption) (Decisions, error) {
	return u.decideSeveral(ctx, nil, options)
}

func (u User) decideSeveral(ctx context.Context, flagKeys []string, options []DecideSeveralOption) (Decisions, error) {
	details := u.details(u.client.settings.decideTimeout)
	for _, each := range options {
		each.decideSeveral(&details)
	}
	fallback, err := details.defaultsOf(flagKeys)
	if err != nil {
		return fallback, err
	}
	reply, failed, err := u.ask(ctx, flagKeys, &details)
	switch {
	case err != nil:
		return fallback, err
	case failed != nil && details.strict:
		return fallback, failed
	case failed != nil:
		u.client.counters.decisionsDefaulted.Add(1)
		return allBecause(fallback, failed), nil
	}
	return decisionsOf(reply), nil
}

func (u User) details(timeout time.Duration) decideDetails {
	return decideDetails{timeout: timeout, strict: u.client.settings.strict}
}

// ask makes the call; the error is of the arguments, and then none was made.
func (u User) ask(
	ctx context.Context, flagKeys []string, details *decideDetails,
) (*pb.DecideResponse, *Error, error) {
	who := u.identity
	if err := who.err(); err != nil {
		return nil, nil, err
	}
	if err := details.check(flagKeys); err != nil {
		return nil, nil, err
	}
	if details.decisionID == "" {
		details.decisionID = newID(time.Now())
	}
	var reply pb.DecideResponse
	failed := u.client.perform(ctx, &call{
		method: pb.DecisionService_Decide_FullMethodName,
		request: &pb.DecideRequest{
			UserId:            who.userID,
			Attributes:        who.fields,
			FlagKeys:          flagKeys,
			Options:           details.options,
			ForcedDecisions:   who.forced,
			QualifiedSegments: who.segments,
			DecisionId:        details.decisionID,
			Datafile:          who.datafile,
		},
		timeout: details.timeout,
		retry:   decideRetry,
	}, &reply)
	return &reply, failed, nil
}

// check tells what is wrong with the options, or with text that no message can carry.
func (d *decideDetails) check(flagKeys []string) error {
	wrong := d.misfit
	for _, each := range append([]string{d.decisionID}, d.decisionIDs...) {
		if wrong == nil {
			wrong = misfitOf("decision id", each)
		}
	}
	for _, each := range flagKeys {
		if wrong == nil {
			wrong = misfitOf("flag key", each)
		}
	}
	if wrong == nil {
		return nil
	}
	return wrong
}

// defaultOf is the default of one flag, complete: the caller's, else off. A default of another flag is surely a mistake.
func (d *decideDetails) defaultOf(flagKey string, given *Decision) (Decision, error) {
	decision := Decision{FlagKey: flagKey}
	if given != nil {
		decision = *given
	}
	if decision.FlagKey != "" && decision.FlagKey != flagKey {
		return Decision{FlagKey: flagKey, Reason: SidecarUnavailable, RuleType: RuleTypeUnspecified},
			argument("default", "is of flag `%s`, wanted flag `%s`", decision.FlagKey, flagKey)
	}
	decision.FlagKey, decision.Variables.flagKey = flagKey, flagKey
	decision.Reason = SidecarUnavailable
	if decision.RuleType == "" {
		decision.RuleType = RuleTypeUnspecified
	}
	if decision.Variables.misfit != nil {
		return decision, argument("default", "of flag `%s`: %s", flagKey, decision.Variables.misfit)
	}
	return decision, nil
}

// defaultsOf is what stands in for an answer: of each flag asked for its default, of all flags the defaults, by key.
func (d *decideDetails) defaultsOf(flagKeys []string) (Decisions, error) {
	if flagKeys == nil {
		flagKeys = slices.Sorted(maps.Keys(d.fallbacks))
	}
	fallback := Decisions{places: make(map[string]int, len(flagKeys))}
	var wrong error
	for _, key := range flagKeys {
		var given *Decision
		if one, there := d.fallbacks[key]; there {
			given = &one
		}
		decision, err := d.defaultOf(key, given)
		if err != nil && wrong == nil {
			wrong = err
		}
		fallback.add(decision)
	}
	return fallback, wrong
}

// because is a default that says why it is one.
func because(fallback Decision, failed *Error) Decision {
	fallback.Reasons = []string{failed.Error()}
	fallback.ErrorReason = failed.Reason
	return fallback
}

func allBecause(fallback Decisions, failed *Error) Decisions {
	listed := make([]Decision, len(fallback.listed))
	for place, each := range fallback.listed {
		listed[place] = because(each, failed)
	}
	return Decisions{ErrorReason: failed.Reason, listed: listed, places: fallback.places}
}
