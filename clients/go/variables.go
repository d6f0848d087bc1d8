package sidecar

import (
	"iter"
	"maps"

	"decision-sidecar.dev/sidecar/internal/wire"
)

// Values are attributes, tags, properties, traits or variables by key. Of a caller any nil, bool, integer within int64,
// float, string, and slices and maps of those will do; what the sidecar answers is nil, bool, int64, float64, string,
// []any or map[string]any. Money goes into a [Money].
type Values = map[string]any

// Variables are the variables of one flag by key, typed as declared; nil where a value was not of its type.
//
// Each typed reader returns the variable; when it is absent or nil, the default; without a default a
// [*VariableMissingError]. A variable of another type is a [*VariableTypeError], with or without a default; the default
// comes with it.
type Variables struct {
	flagKey string
	values  Values
	misfit  *ArgumentError
}

// NewVariables are the variables of a default: `NewVariables(Values{"steps": 4})`. A value that has no wire form is an
// [*ArgumentError] of the call that takes them.
func NewVariables(values Values) Variables {
	encoded, wrong := wire.Encode(values, "variables")
	return Variables{values: wire.DecodeAll(encoded), misfit: argumentOf(wrong)}
}

func argumentOf(wrong *wire.Misfit) *ArgumentError {
	if wrong == nil {
		return nil
	}
	return &ArgumentError{Path: wrong.Path, Problem: wrong.Problem}
}

// Len is how many there are.
func (v Variables) Len() int {
	return len(v.values)
}

// Get is a variable as it is, and whether there is one.
func (v Variables) Get(key string) (any, bool) {
	value, there := v.values[key]
	return value, there
}

// All goes through the variables, in no order.
func (v Variables) All() iter.Seq2[string, any] {
	return maps.All(v.values)
}

// String reads a variable of type string.
func (v Variables) String(key string, fallback ...string) (string, error) {
	return read[string](v, key, "string", fallback)
}

// Integer reads a variable of type integer.
func (v Variables) Integer(key string, fallback ...int64) (int64, error) {
	return read[int64](v, key, "integer", fallback)
}

// Double reads a variable of type double. An integer is read as one: in a default, 10 is as good as 10.0.
func (v Variables) Double(key string, fallback ...float64) (float64, error) {
	if whole, ok := v.values[key].(int64); ok {
		return float64(whole), nil
	}
	return read[float64](v, key, "double", fallback)
}

// Boolean reads a variable of type boolean.
func (v Variables) Boolean(key string, fallback ...bool) (bool, error) {
	return read[bool](v, key, "boolean", fallback)
}

// JSON reads a variable of type json that is an object or an array: a map[string]any or a []any. A scalar is read by Get.
func (v Variables) JSON(key string, fallback ...any) (any, error) {
	switch value := v.values[key].(type) {
	case map[string]any, []any:
		return value, nil
	case nil:
		return read[any](v, key, "json", fallback)
	default:
		var instead any
		if len(fallback) > 0 {
			instead = fallback[0]
		}
		return instead, &VariableTypeError{FlagKey: v.flagKey, VariableKey: key, Got: value, Wanted: "json"}
	}
}

// read is the variable, or its default, or an error that names everything.
func read[T any](v Variables, key, wanted string, fallback []T) (T, error) {
	given := v.values[key]
	if value, ok := given.(T); ok {
		return value, nil
	}
	var instead T
	if len(fallback) > 0 {
		instead = fallback[0]
	}
	if given != nil {
		return instead, &VariableTypeError{FlagKey: v.flagKey, VariableKey: key, Got: given, Wanted: wanted}
	}
	if len(fallback) == 0 {
		return instead, &VariableMissingError{FlagKey: v.flagKey, VariableKey: key, Wanted: wanted}
	}
	return instead, nil
}

// typeOf is the type of a value by the word of the contract.
func typeOf(value any) string {
	switch value.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case int64:
		return "integer"
	case float64:
		return "double"
	}
	return "json"
}
