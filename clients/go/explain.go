package sidecar

import (
	"context"

	"decision-sidecar.dev/sidecar/internal/pb"
	"decision-sidecar.dev/sidecar/internal/wire"
)

// Explanation is why a user gets a variation. Nothing was recorded for it. The meaning of each field, and the words, are
// fixed by the contract.
type Explanation struct {
	Decision        Decision
	Revision        string
	BucketingID     string
	MakesImpression bool
	// Rules are in the order they are tried, also those not reached.
	Rules []ExplainedRule
}

// ExplainedRule is one rule or holdout as it was tried.
type ExplainedRule struct {
	RuleKey  string
	RuleID   string
	RuleType RuleType
	// Result is as CHOSEN or AUDIENCE_MISSED.
	Result        string
	Reason        Reason
	VariationKey  string
	Status        string
	LocalHoldouts []ExplainedRule
	// Audience is nil when everybody is in, or evaluation did not get there.
	Audience *Condition
	// GroupBucketing is nil when the rule is in no group, or was not reached.
	GroupBucketing *Bucketing
	// Bucketing is nil when it was not reached.
	Bucketing *Bucketing
	Notes     []string
}

// Condition is one node of an audience.
type Condition struct {
	// Kind is AND, OR, NOT, AUDIENCE or COMPARISON.
	Kind string
	// Truth is TRUE, FALSE or UNKNOWN.
	Truth        string
	Children     []Condition
	AudienceID   string
	AudienceName string
	AttributeKey string
	Match        string
	// Wanted is the datafile's value; nil when the match takes none.
	Wanted *Compared
	// Seen is the user's value; nil when the user has none.
	Seen *Compared
	Note string
}

// Compared is a value that stood in a comparison. A type of its own, since nil is a value.
type Compared struct {
	Value any
}

// Bucketing is one draw: what was hashed, the hash, its bucket, and the entity whose range holds it; empty = none.
type Bucketing struct {
	BucketingID    string
	EntityID       string
	Hash           uint32
	Bucket         uint32
	Ranges         []BucketRange
	ChosenEntityID string
}

// BucketRange is the buckets StartBucket ≤ bucket < EndBucket, in hundredths of a percent of traffic.
type BucketRange struct {
	StartBucket uint32
	EndBucket   uint32
	EntityID    string
	EntityKey   string
}

// Explain tells why the user gets what it gets, rule by rule; it records nothing. It has no default: it is for people,
// and an error is what they want to see.
func (u User) Explain(ctx context.Context, flagKey string, options ...ExplainOption) (Explanation, error) {
	details := decideDetails{timeout: u.client.settings.statusTimeout}
	for _, each := range options {
		each.explain(&details)
	}
	if err := u.Err(); err != nil {
		return Explanation{}, err
	}
	if err := details.check([]string{flagKey}); err != nil {
		return Explanation{}, err
	}
	who := u.identity
	var reply pb.ExplainResponse
	failed := u.client.perform(ctx, &call{
		method: pb.DecisionService_Explain_FullMethodName,
		request: &pb.ExplainRequest{
			UserId:            who.userID,
			Attributes:        who.fields,
			FlagKey:           flagKey,
			Options:           details.options,
			ForcedDecisions:   who.forced,
			QualifiedSegments: who.segments,
			Datafile:          who.datafile,
		},
		timeout: details.timeout,
		retry:   eventRetry,
	}, &reply)
	if failed != nil {
		return Explanation{}, failed
	}
	return Explanation{
		Decision:        decisionOf(reply.GetDecision(), reply.GetRevision(), ""),
		Revision:        reply.GetRevision(),
		BucketingID:     reply.GetBucketingId(),
		MakesImpression: reply.GetMakesImpression(),
		Rules:           each(reply.GetRules(), ruleOf),
	}, nil
}

func each[From, To any](messages []From, turn func(From) To) []To {
	turned := make([]To, len(messages))
	for place, message := range messages {
		turned[place] = turn(message)
	}
	return turned
}

func ruleOf(message *pb.ExplainedRule) ExplainedRule {
	return ExplainedRule{
		RuleKey:        message.GetRuleKey(),
		RuleID:         message.GetRuleId(),
		RuleType:       RuleType(wordOf(pb.RuleType_name, int32(message.GetRuleType()), "RULE_TYPE_")),
		Result:         wordOf(pb.RuleResult_name, int32(message.GetResult()), "RULE_RESULT_"),
		Reason:         reasonOf(message.GetReason()),
		VariationKey:   message.GetVariationKey(),
		Status:         message.GetStatus(),
		LocalHoldouts:  each(message.GetLocalHoldouts(), ruleOf),
		Audience:       whenThere(message.GetAudience(), conditionOf),
		GroupBucketing: whenThere(message.GetGroupBucketing(), bucketingOf),
		Bucketing:      whenThere(message.GetBucketing(), bucketingOf),
		Notes:          message.GetNotes(),
	}
}

func whenThere[From, To any](message *From, turn func(*From) To) *To {
	if message == nil {
		return nil
	}
	turned := turn(message)
	return &turned
}

func conditionOf(message *pb.ExplainedCondition) Condition {
	return Condition{
		Kind:         wordOf(pb.ConditionKind_name, int32(message.GetKind()), "CONDITION_KIND_"),
		Truth:        wordOf(pb.Truth_name, int32(message.GetTruth()), "TRUTH_"),
		Children:     each(message.GetChildren(), conditionOf),
		AudienceID:   message.GetAudienceId(),
		AudienceName: message.GetAudienceName(),
		AttributeKey: message.GetAttributeKey(),
		Match:        message.GetMatch(),
		Wanted:       whenThere(message.GetWanted(), comparedOf),
		Seen:         whenThere(message.GetSeen(), comparedOf),
		Note:         message.GetNote(),
	}
}

func comparedOf(message *pb.Value) Compared {
	return Compared{Value: wire.Decode(message)}
}

func bucketingOf(message *pb.ExplainedBucketing) Bucketing {
	return Bucketing{
		BucketingID:    message.GetBucketingId(),
		EntityID:       message.GetEntityId(),
		Hash:           message.GetHash(),
		Bucket:         message.GetBucket(),
		Ranges:         each(message.GetRanges(), rangeOf),
		ChosenEntityID: message.GetChosenEntityId(),
	}
}

func rangeOf(message *pb.ExplainedRange) BucketRange {
	return BucketRange{
		StartBucket: message.GetStartBucket(),
		EndBucket:   message.GetEndBucket(),
		EntityID:    message.GetEntityId(),
		EntityKey:   message.GetEntityKey(),
	}
}
