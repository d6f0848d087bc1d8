package main

import (
	"context"
	"time"

	"decision-sidecar.dev/sidecar"
)

// common are the options that every event of a step has.
func common(one *step) []sidecar.EventOption {
	var options []sidecar.EventOption
	if one.EventID != "" {
		options = append(options, sidecar.WithEventID(one.EventID))
	}
	if one.Timestamp != "" {
		when, err := time.Parse(time.RFC3339Nano, one.Timestamp)
		if err != nil {
			panic(err)
		}
		options = append(options, sidecar.WithTimestamp(when))
	}
	if one.Context != nil {
		options = append(options, sidecar.WithEventContext(sidecar.Values(one.Context)))
	}
	if one.Integrations != nil {
		options = append(options, sidecar.WithIntegrations(sidecar.Values(one.Integrations)))
	}
	if one.TimeoutMS != nil {
		options = append(options, sidecar.WithTimeout(milliseconds(*one.TimeoutMS)))
	}
	return options
}

func trackOptions(one *step) []sidecar.TrackOption {
	var options []sidecar.TrackOption
	for _, each := range common(one) {
		options = append(options, each)
	}
	if one.Tags != nil {
		options = append(options, sidecar.WithTags(sidecar.Values(one.Tags)))
	}
	if one.Properties != nil {
		options = append(options, sidecar.WithProperties(sidecar.Values(one.Properties)))
	}
	if one.Revenue != nil {
		options = append(options, sidecar.WithRevenue(sidecar.Money(*one.Revenue)))
	}
	return options
}

func pageOptions(one *step) []sidecar.PageOption {
	var options []sidecar.PageOption
	for _, each := range common(one) {
		options = append(options, each)
	}
	if one.Properties != nil {
		options = append(options, sidecar.WithProperties(sidecar.Values(one.Properties)))
	}
	if one.Category != "" {
		options = append(options, sidecar.WithCategory(one.Category))
	}
	return options
}

func (p *program) track(ctx context.Context, one *step) (any, error) {
	accepted, err := p.user(&one.User).Track(ctx, one.EventKey, trackOptions(one)...)
	return acceptedForm(accepted, one.EventID), err
}

func (p *program) identify(ctx context.Context, one *step) (any, error) {
	accepted, err := p.user(&one.User).Identify(ctx, sidecar.Values(one.Traits), common(one)...)
	return acceptedForm(accepted, one.EventID), err
}

func (p *program) page(ctx context.Context, one *step) (any, error) {
	accepted, err := p.user(&one.User).Page(ctx, one.Name, pageOptions(one)...)
	return acceptedForm(accepted, one.EventID), err
}

func (p *program) screen(ctx context.Context, one *step) (any, error) {
	accepted, err := p.user(&one.User).Screen(ctx, one.Name, pageOptions(one)...)
	return acceptedForm(accepted, one.EventID), err
}

func (p *program) group(ctx context.Context, one *step) (any, error) {
	accepted, err := p.user(&one.User).Group(ctx, one.GroupID, sidecar.Values(one.Traits), common(one)...)
	return acceptedForm(accepted, one.EventID), err
}

func (p *program) alias(ctx context.Context, one *step) (any, error) {
	accepted, err := p.user(&one.User).Alias(ctx, one.PreviousID, common(one)...)
	return acceptedForm(accepted, one.EventID), err
}

func (p *program) draft(one *step) sidecar.Draft {
	drafts := p.user(&one.User).Drafts()
	switch one.Call {
	case "track":
		return drafts.Track(one.EventKey, trackOptions(one)...)
	case "identify":
		return drafts.Identify(sidecar.Values(one.Traits), common(one)...)
	case "page":
		return drafts.Page(one.Name, pageOptions(one)...)
	case "screen":
		return drafts.Screen(one.Name, pageOptions(one)...)
	case "group":
		return drafts.Group(one.GroupID, sidecar.Values(one.Traits), common(one)...)
	default:
		return drafts.Alias(one.PreviousID, common(one)...)
	}
}
