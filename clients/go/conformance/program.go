package main

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"os"

	"decision-sidecar.dev/sidecar"
)

// program is the client under test, and what of it outlives a step.
type program struct {
	client *sidecar.Client
	next   func() (sidecar.DatafileChange, error, bool)
	stop   func()
}

func (p *program) disconnect() {
	if p.client != nil {
		_ = p.client.Close()
	}
	if p.stop != nil {
		p.stop()
	}
	p.next, p.stop = nil, nil
}

func (p *program) connect(_ context.Context, one *step) (any, error) {
	p.disconnect()
	addresses := map[string]string{"tcp": "SIDECAR_TCP", "unix": "SIDECAR_UNIX", "nowhere": "SIDECAR_NOWHERE"}
	options, err := one.With.options()
	if err != nil {
		return nil, err
	}
	p.client, err = sidecar.Connect(os.Getenv(addresses[one.To]), options...)
	return "connected", err
}

func (p *program) close(context.Context, *step) (any, error) {
	return "closed", p.client.Close()
}

func (p *program) waitReady(ctx context.Context, one *step) (any, error) {
	return p.client.WaitReady(ctx, milliseconds(*one.TimeoutMS))
}

// --- decisions ---

func (p *program) user(given *userForm) sidecar.User {
	options := []sidecar.UserOption{}
	if given.AnonymousID != "" {
		options = append(options, sidecar.WithAnonymousID(given.AnonymousID))
	}
	if given.Datafile != "" {
		options = append(options, sidecar.WithUserDatafile(given.Datafile))
	}
	user := p.client.User(given.UserID, sidecar.Values(given.Attributes), options...)
	if given.Segments != nil {
		user = user.WithSegments(*given.Segments...)
	}
	for _, each := range given.ForcedDecisions {
		user = user.WithForcedDecision(each.FlagKey, each.VariationKey, each.RuleKey)
	}
	return user
}

var decideOptions = map[string]sidecar.DecideOption{
	"DISABLE_DECISION_EVENT":      sidecar.DisableDecisionEvent,
	"ENABLED_FLAGS_ONLY":          sidecar.EnabledFlagsOnly,
	"IGNORE_USER_PROFILE_SERVICE": sidecar.IgnoreUserProfileService,
	"INCLUDE_REASONS":             sidecar.IncludeReasons,
	"EXCLUDE_VARIABLES":           sidecar.ExcludeVariables,
}

// everywhere is an option of each call for decisions.
type everywhere interface {
	sidecar.DecideOneOption
	sidecar.DecideSeveralOption
	sidecar.DecideManyOption
}

func everywhereOf(one *step) []everywhere {
	var options []everywhere
	for _, name := range one.Options {
		options = append(options, decideOptions[name])
	}
	if one.TimeoutMS != nil {
		options = append(options, sidecar.WithTimeout(milliseconds(*one.TimeoutMS)))
	}
	if one.Strict {
		options = append(options, sidecar.WithStrict())
	}
	return options
}

func (p *program) decided(ctx context.Context, one *step) (sidecar.Decision, error) {
	var options []sidecar.DecideOneOption
	for _, each := range everywhereOf(one) {
		options = append(options, each)
	}
	if one.DecisionID != "" {
		options = append(options, sidecar.WithDecisionID(one.DecisionID))
	}
	if one.Default != nil {
		options = append(options, sidecar.WithDefault(one.Default.decision()))
	}
	return p.user(&one.User).Decide(ctx, one.FlagKey, options...)
}

func (p *program) decide(ctx context.Context, one *step) (any, error) {
	decision, err := p.decided(ctx, one)
	return decisionForm(decision, one.DecisionID), err
}

func (p *program) variables(ctx context.Context, one *step) (any, error) {
	decision, err := p.decided(ctx, one)
	if err != nil {
		return nil, err
	}
	read := make([]any, len(one.Read))
	for place, each := range one.Read {
		value, err := readVariable(decision.Variables, each.Key, each.Type, each.Default)
		if err != nil {
			read[place] = form{"error": variableErrorForm(err)}
		} else {
			read[place] = form{"value": valueForm(value)}
		}
	}
	return read, nil
}

func readVariable(variables sidecar.Variables, key, kind string, text json.RawMessage) (any, error) {
	switch kind {
	case "string":
		return variables.String(key, fallback[string](text)...)
	case "integer":
		return variables.Integer(key, fallback[int64](text)...)
	case "double":
		return variables.Double(key, fallback[float64](text)...)
	case "boolean":
		return variables.Boolean(key, fallback[bool](text)...)
	}
	return variables.JSON(key, fallback[any](text)...)
}

func fallback[T any](text json.RawMessage) []T {
	if text == nil {
		return nil
	}
	value, err := native(text)
	if err != nil {
		panic(err)
	}
	return []T{value.(T)}
}

func several(one *step) []sidecar.DecideSeveralOption {
	var options []sidecar.DecideSeveralOption
	for _, each := range everywhereOf(one) {
		options = append(options, each)
	}
	if one.DecisionID != "" {
		options = append(options, sidecar.WithDecisionID(one.DecisionID))
	}
	return append(options, sidecar.WithDefaults(defaultsOf(one)))
}

func defaultsOf(one *step) map[string]sidecar.Decision {
	given := make(map[string]sidecar.Decision, len(one.Defaults))
	for key, each := range one.Defaults {
		given[key] = each.decision()
	}
	return given
}

func (p *program) decideForKeys(ctx context.Context, one *step) (any, error) {
	answered, err := p.user(&one.User).DecideForKeys(ctx, one.FlagKeys, several(one)...)
	return decisionsForm(answered, one.DecisionID), err
}

func (p *program) decideAll(ctx context.Context, one *step) (any, error) {
	answered, err := p.user(&one.User).DecideAll(ctx, several(one)...)
	return decisionsForm(answered, one.DecisionID), err
}

func (p *program) decideMany(ctx context.Context, one *step) (any, error) {
	options := []sidecar.DecideManyOption{sidecar.WithDefaults(defaultsOf(one))}
	for _, each := range everywhereOf(one) {
		options = append(options, each)
	}
	users := make([]sidecar.User, len(one.Users))
	ids := make([]string, len(one.Users))
	for place := range one.Users {
		users[place], ids[place] = p.user(&one.Users[place]), one.Users[place].DecisionID
	}
	answered, err := p.client.DecideMany(ctx, users, one.FlagKeys, append(options, sidecar.WithDecisionIDs(ids...))...)
	if err != nil {
		return nil, err
	}
	forms := make([]any, len(answered))
	for place, each := range answered {
		forms[place] = decisionsForm(each, ids[place])
	}
	return forms, nil
}

func (p *program) explain(ctx context.Context, one *step) (any, error) {
	var options []sidecar.ExplainOption
	for _, name := range one.Options {
		options = append(options, decideOptions[name])
	}
	if one.TimeoutMS != nil {
		options = append(options, sidecar.WithTimeout(milliseconds(*one.TimeoutMS)))
	}
	answered, err := p.user(&one.User).Explain(ctx, one.FlagKey, options...)
	return explanationForm(answered), err
}

// --- the rest ---

func (p *program) importEvents(ctx context.Context, one *step) (any, error) {
	var options []sidecar.ImportOption
	if one.IncludeOptimizely {
		options = append(options, sidecar.WithOptimizely())
	}
	if one.BatchEventsMax != nil {
		options = append(options, sidecar.WithBatchEvents(*one.BatchEventsMax))
	}
	report, err := p.client.ImportEvents(ctx, p.drafts(one.Events), options...)
	return importedForm(report), err
}

func (p *program) drafts(events []step) iter.Seq[sidecar.Draft] {
	return func(yield func(sidecar.Draft) bool) {
		for place := range events {
			if !yield(p.draft(&events[place])) {
				return
			}
		}
	}
}

func (p *program) flush(ctx context.Context, one *step) (any, error) {
	left, err := p.client.Flush(ctx, milliseconds(*one.TimeoutMS))
	remainders := make([]any, len(left.Remainders))
	for place, each := range left.Remainders {
		remainders[place] = form{
			"destination": each.Destination, "events": each.Events, "pause_reason": each.PauseReason,
		}
	}
	return form{"complete": left.Complete(), "remainders": remainders}, err
}

func (p *program) status(ctx context.Context, _ *step) (any, error) {
	said, err := p.client.Status(ctx)
	warnings := make([]any, len(said.Warnings))
	for place, each := range said.Warnings {
		warnings[place] = form{
			"description": each.Description, "disabled_flag_key": each.DisabledFlagKey, "path": each.Path,
		}
	}
	return form{
		"from_cache": said.FromCache, "name": said.Name, "revision": said.Revision, "stale": said.Stale,
		"warnings": warnings,
	}, err
}

func (p *program) watchNext(ctx context.Context, _ *step) (any, error) {
	if p.next == nil {
		p.next, p.stop = iter.Pull2(p.client.Watch(ctx))
	}
	change, err, more := p.next()
	if !more {
		return nil, errors.New("the watch has ended")
	}
	return form{"revision": change.Revision}, err
}

func (p *program) counters(context.Context, *step) (any, error) {
	counted := p.client.Counters()
	return form{
		"decisions_defaulted": counted.DecisionsDefaulted,
		"events_buffered":     counted.EventsBuffered,
		"events_dropped":      counted.EventsDropped,
	}, nil
}
