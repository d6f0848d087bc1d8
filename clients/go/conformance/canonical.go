package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf16"

	"decision-sidecar.dev/sidecar"
)

// form is an object of JSON.
type form map[string]any

// canonical is a line of RFC 8785; its numbers are whole, which is all that the forms have.
func canonical(given any) ([]byte, error) {
	var line bytes.Buffer
	err := write(&line, given)
	return line.Bytes(), err
}

func write(line *bytes.Buffer, given any) error {
	switch given := given.(type) {
	case nil:
		line.WriteString("null")
	case bool:
		line.WriteString(strconv.FormatBool(given))
	case string:
		writeText(line, given)
	case int, int64, uint32:
		fmt.Fprintf(line, "%d", given)
	case []any:
		line.WriteByte('[')
		for place, each := range given {
			if place > 0 {
				line.WriteByte(',')
			}
			if err := write(line, each); err != nil {
				return err
			}
		}
		line.WriteByte(']')
	case form:
		return writeObject(line, given)
	default:
		return fmt.Errorf("no form is a %T", given)
	}
	return nil
}

func writeObject(line *bytes.Buffer, given form) error {
	// RFC 8785 §3.2.3: by UTF-16 code units.
	keys := slices.SortedFunc(maps.Keys(given), func(a, b string) int {
		return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
	})
	line.WriteByte('{')
	for place, key := range keys {
		if place > 0 {
			line.WriteByte(',')
		}
		writeText(line, key)
		line.WriteByte(':')
		if err := write(line, given[key]); err != nil {
			return err
		}
	}
	line.WriteByte('}')
	return nil
}

var short = map[rune]string{
	'"': `\"`, '\\': `\\`, '\b': `\b`, '\t': `\t`, '\n': `\n`, '\f': `\f`, '\r': `\r`,
}

func writeText(line *bytes.Buffer, text string) {
	line.WriteByte('"')
	for _, each := range text {
		escaped, known := short[each]
		switch {
		case known:
			line.WriteString(escaped)
		case each < 0x20:
			fmt.Fprintf(line, `\u%04x`, each)
		default:
			line.WriteRune(each)
		}
	}
	line.WriteByte('"')
}

// valueForm is a VALUE of an answer.
func valueForm(given any) any {
	switch given := given.(type) {
	case int64:
		return form{"int": strconv.FormatInt(given, 10)}
	case float64:
		bits := math.Float64bits(given)
		if math.IsNaN(given) {
			bits = 0x7ff8000000000000
		}
		return form{"double": hex.EncodeToString(binary.BigEndian.AppendUint64(nil, bits))}
	case []any:
		return form{"list": all(given, valueForm)}
	case map[string]any:
		entries := form{}
		for key, each := range given {
			entries[key] = valueForm(each)
		}
		return form{"map": entries}
	}
	return given
}

func all[T any](given []T, turn func(T) any) []any {
	forms := make([]any, len(given))
	for place, each := range given {
		forms[place] = turn(each)
	}
	return forms
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// named is an id: as it is when the step gave it, or when it is no UUID.
func named(id, given string) string {
	if given == "" && uuid.MatchString(id) {
		return "<uuid>"
	}
	return id
}

func text(given string) any {
	return given
}

func decisionForm(answered sidecar.Decision, given string) any {
	reasons := []any{}
	if answered.ErrorReason == "" {
		reasons = all(answered.Reasons, text)
	}
	variables := form{}
	for key, value := range answered.Variables.All() {
		variables[key] = valueForm(value)
	}
	return form{
		"flag_key":      answered.FlagKey,
		"variation_key": answered.VariationKey,
		"enabled":       answered.Enabled,
		"variables":     variables,
		"rule_key":      answered.RuleKey,
		"rule_type":     string(answered.RuleType),
		"reason":        string(answered.Reason),
		"experiment_id": answered.ExperimentID,
		"variation_id":  answered.VariationID,
		"reasons":       reasons,
		"revision":      answered.Revision,
		"decision_id":   named(answered.DecisionID, given),
		"error_reason":  answered.ErrorReason,
	}
}

func decisionsForm(answered sidecar.Decisions, given string) any {
	decisions := []any{}
	for _, each := range answered.All() {
		decisions = append(decisions, decisionForm(each, given))
	}
	return form{
		"decisions":    decisions,
		"revision":     answered.Revision,
		"decision_id":  named(answered.DecisionID, given),
		"error_reason": answered.ErrorReason,
	}
}

func acceptedForm(answered sidecar.Accepted, given string) any {
	return form{
		"event_id": named(answered.EventID, given),
		"outcomes": all(answered.Outcomes, func(each sidecar.Outcome) any {
			return form{"destination": each.Destination, "state": string(each.State), "reason": each.Reason}
		}),
		"exposure_seen_here": answered.ExposureSeenHere,
		"buffered":           answered.Buffered,
	}
}

func importedForm(answered sidecar.Imported) any {
	listed := slices.SortedFunc(maps.Keys(answered.Outcomes), func(a, b sidecar.Outcome) int {
		first := []string{a.Destination, string(a.State), a.Reason}
		return slices.Compare(first, []string{b.Destination, string(b.State), b.Reason})
	})
	return form{
		"accepted": answered.Accepted,
		"repeated": answered.Repeated,
		"outcomes": all(listed, func(each sidecar.Outcome) any {
			return form{
				"destination": each.Destination, "state": string(each.State), "reason": each.Reason,
				"events": answered.Outcomes[each],
			}
		}),
		"refused": all(answered.Refused, func(each sidecar.RefusedBatch) any {
			return form{"error": errorForm(each.Err, ""), "events": each.Events, "first_index": each.FirstIndex}
		}),
	}
}

var kinds = map[error]string{
	sidecar.ErrRequestRefused: "RequestRefused",
	sidecar.ErrAccessDenied:   "AccessDenied",
	sidecar.ErrNotReady:       "NotReady",
	sidecar.ErrUnavailable:    "Unavailable",
	sidecar.ErrDeadlinePassed: "DeadlinePassed",
	sidecar.ErrRefused:        "Refused",
	sidecar.ErrClientClosed:   "ClientClosed",
	sidecar.ErrSidecarFault:   "SidecarFault",
}

func errorForm(failed *sidecar.Error, given string) any {
	var pause any
	if failed.RetryAfter != nil {
		pause = failed.RetryAfter.Milliseconds()
	}
	return form{
		"kind":   kinds[failed.Kind],
		"code":   failed.Code,
		"reason": failed.Reason,
		"violations": all(failed.Violations, func(each sidecar.Violation) any {
			return form{"field": each.Field, "description": each.Description}
		}),
		"retryable":      failed.Retryable(),
		"retry_after_ms": pause,
		"event_id":       named(failed.EventID, given),
	}
}

func variableErrorForm(err error) any {
	var missing *sidecar.VariableMissingError
	if errors.As(err, &missing) {
		return form{
			"kind": "VariableMissing", "flag_key": missing.FlagKey, "variable_key": missing.VariableKey,
			"wanted": missing.Wanted,
		}
	}
	var wrong *sidecar.VariableTypeError
	if !errors.As(err, &wrong) {
		panic(err)
	}
	return form{
		"kind": "VariableTypeMismatch", "flag_key": wrong.FlagKey, "variable_key": wrong.VariableKey,
		"got": wrong.GotType(), "wanted": wrong.Wanted,
	}
}
