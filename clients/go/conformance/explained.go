package main

import "decision-sidecar.dev/sidecar"

// explanationForm is an EXPLANATION: the fields of explain.proto by their names.
func explanationForm(answered sidecar.Explanation) any {
	return form{
		"decision":         decisionForm(answered.Decision, ""),
		"revision":         answered.Revision,
		"bucketing_id":     answered.BucketingID,
		"makes_impression": answered.MakesImpression,
		"rules":            all(answered.Rules, ruleForm),
	}
}

func ruleForm(rule sidecar.ExplainedRule) any {
	return form{
		"rule_key":        rule.RuleKey,
		"rule_id":         rule.RuleID,
		"rule_type":       string(rule.RuleType),
		"result":          rule.Result,
		"reason":          string(rule.Reason),
		"variation_key":   rule.VariationKey,
		"status":          rule.Status,
		"local_holdouts":  all(rule.LocalHoldouts, ruleForm),
		"audience":        whenThere(rule.Audience, conditionForm),
		"group_bucketing": whenThere(rule.GroupBucketing, bucketingForm),
		"bucketing":       whenThere(rule.Bucketing, bucketingForm),
		"notes":           all(rule.Notes, text),
	}
}

func whenThere[T any](given *T, turn func(T) any) any {
	if given == nil {
		return nil
	}
	return turn(*given)
}

func conditionForm(condition sidecar.Condition) any {
	made := form{
		"kind":          condition.Kind,
		"truth":         condition.Truth,
		"children":      all(condition.Children, conditionForm),
		"audience_id":   condition.AudienceID,
		"audience_name": condition.AudienceName,
		"attribute_key": condition.AttributeKey,
		"match":         condition.Match,
		"note":          condition.Note,
	}
	if condition.Wanted != nil {
		made["wanted"] = valueForm(condition.Wanted.Value)
	}
	if condition.Seen != nil {
		made["seen"] = valueForm(condition.Seen.Value)
	}
	return made
}

func bucketingForm(bucketing sidecar.Bucketing) any {
	return form{
		"bucketing_id": bucketing.BucketingID,
		"entity_id":    bucketing.EntityID,
		"hash":         bucketing.Hash,
		"bucket":       bucketing.Bucket,
		"ranges": all(bucketing.Ranges, func(one sidecar.BucketRange) any {
			return form{
				"start_bucket": one.StartBucket, "end_bucket": one.EndBucket,
				"entity_id": one.EntityID, "entity_key": one.EntityKey,
			}
		}),
		"chosen_entity_id": bucketing.ChosenEntityID,
	}
}
