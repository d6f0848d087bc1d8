// Package wire turns native values into the contract's Value and back. Exact: an integer is int64, a bool is never a
// number. It knows neither calls nor errors of the client. Its specification is proto/sidecar/v1/value.proto.
package wire

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strings"
	"unicode/utf8"

	"decision-sidecar.dev/sidecar/internal/pb"
)

// DepthMax is the nesting of lists and maps in one value; a scalar has depth 0. The sidecar's own bound.
const DepthMax = 32

const wanted = "wanted nil, a bool, an integer, a float, a string, or a slice or map[string] of those"

// Misfit is a value that has no wire form: where it is, as `tags[products][0][price]`, and what is wrong with it.
type Misfit struct {
	Path    string
	Problem string
}

func misfit(format string, arguments ...any) *Misfit {
	return &Misfit{Problem: fmt.Sprintf(format, arguments...)}
}

func (m *Misfit) under(step string) *Misfit {
	m.Path = "[" + step + "]" + m.Path
	return m
}

// Encode turns the entries of a map called `where` into messages. Nothing is nil for nothing.
func Encode(values map[string]any, where string) (map[string]*pb.Value, *Misfit) {
	if len(values) == 0 {
		return nil, nil
	}
	fields, wrong := encodeEntries(values, 0)
	if wrong != nil {
		wrong.Path = where + wrong.Path
	}
	return fields, wrong
}

func encodeEntries(values map[string]any, depth int) (map[string]*pb.Value, *Misfit) {
	fields := make(map[string]*pb.Value, len(values))
	for key, value := range values {
		if !utf8.ValidString(key) {
			return nil, misfit("has a key that is not UTF-8: %q", key)
		}
		encoded, wrong := encode(value, depth)
		if wrong != nil {
			return nil, wrong.under(key)
		}
		fields[key] = encoded
	}
	return fields, nil
}

// encode takes the common types at once, and every other by its kind.
func encode(value any, depth int) (*pb.Value, *Misfit) {
	switch given := value.(type) {
	case nil:
		return &pb.Value{Kind: &pb.Value_NullValue{}}, nil
	case string:
		return text(given)
	case bool:
		return &pb.Value{Kind: &pb.Value_BoolValue{BoolValue: given}}, nil
	case int:
		return integer(int64(given)), nil
	case int64:
		return integer(given), nil
	case float64:
		return double(given), nil
	case json.Number:
		return number(given)
	case map[string]any:
		if depth == DepthMax {
			return nil, misfit("is nested deeper than %d levels", DepthMax)
		}
		fields, wrong := encodeEntries(given, depth+1)
		return mapOf(fields), wrong
	}
	return encodeKind(reflect.ValueOf(value), depth)
}

// encodeKind takes types of the caller's own by their kind: `type Plan string` is a string.
func encodeKind(value reflect.Value, depth int) (*pb.Value, *Misfit) {
	switch value.Kind() {
	case reflect.String:
		return text(value.String())
	case reflect.Bool:
		return &pb.Value{Kind: &pb.Value_BoolValue{BoolValue: value.Bool()}}, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return integer(value.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		if value.Uint() > math.MaxInt64 {
			return nil, misfit("is `%d`, wanted an integer within int64", value.Uint())
		}
		return integer(int64(value.Uint())), nil
	case reflect.Float32, reflect.Float64:
		return double(value.Float()), nil
	case reflect.Pointer, reflect.Interface:
		if value.IsNil() {
			return &pb.Value{Kind: &pb.Value_NullValue{}}, nil
		}
		return encode(value.Elem().Interface(), depth)
	case reflect.Slice, reflect.Array:
		return encodeList(value, depth)
	case reflect.Map:
		return encodeMap(value, depth)
	default:
		return nil, misfit("is %s, %s", value.Type(), wanted)
	}
}

func encodeList(value reflect.Value, depth int) (*pb.Value, *Misfit) {
	if value.Type().Elem().Kind() == reflect.Uint8 {
		return nil, misfit("is %s, %s", value.Type(), wanted)
	}
	if depth == DepthMax {
		return nil, misfit("is nested deeper than %d levels", DepthMax)
	}
	values := make([]*pb.Value, value.Len())
	for index := range values {
		encoded, wrong := encode(value.Index(index).Interface(), depth+1)
		if wrong != nil {
			return nil, wrong.under(fmt.Sprint(index))
		}
		values[index] = encoded
	}
	return &pb.Value{Kind: &pb.Value_ListValue{ListValue: &pb.ValueList{Values: values}}}, nil
}

func encodeMap(value reflect.Value, depth int) (*pb.Value, *Misfit) {
	if value.Type().Key().Kind() != reflect.String {
		return nil, misfit("is %s, %s", value.Type(), wanted)
	}
	if depth == DepthMax {
		return nil, misfit("is nested deeper than %d levels", DepthMax)
	}
	entries := make(map[string]any, value.Len())
	for each := value.MapRange(); each.Next(); {
		entries[each.Key().String()] = each.Value().Interface()
	}
	fields, wrong := encodeEntries(entries, depth+1)
	return mapOf(fields), wrong
}

func text(given string) (*pb.Value, *Misfit) {
	if !utf8.ValidString(given) {
		return nil, misfit("is text that is not UTF-8: %q", given)
	}
	return &pb.Value{Kind: &pb.Value_StringValue{StringValue: given}}, nil
}

// number keeps what encoding/json's UseNumber keeps: whole numbers are exact, others are doubles.
func number(given json.Number) (*pb.Value, *Misfit) {
	if whole, err := given.Int64(); err == nil {
		return integer(whole), nil
	}
	fraction, err := given.Float64()
	if err != nil || !strings.ContainsAny(string(given), ".eE") {
		return nil, misfit("is the number `%s`, wanted an integer within int64 or a double", given)
	}
	return double(fraction), nil
}

func integer(given int64) *pb.Value {
	return &pb.Value{Kind: &pb.Value_IntValue{IntValue: given}}
}

func double(given float64) *pb.Value {
	return &pb.Value{Kind: &pb.Value_DoubleValue{DoubleValue: given}}
}

func mapOf(fields map[string]*pb.Value) *pb.Value {
	return &pb.Value{Kind: &pb.Value_MapValue{MapValue: &pb.ValueMap{Fields: fields}}}
}

// Decode is the native value of a message: nil, bool, int64, float64, string, []any or map[string]any. One without a
// kind, or of a kind that this client does not know, is nil.
func Decode(message *pb.Value) any {
	switch kind := message.GetKind().(type) {
	case *pb.Value_BoolValue:
		return kind.BoolValue
	case *pb.Value_IntValue:
		return kind.IntValue
	case *pb.Value_DoubleValue:
		return kind.DoubleValue
	case *pb.Value_StringValue:
		return kind.StringValue
	case *pb.Value_ListValue:
		values := make([]any, len(kind.ListValue.GetValues()))
		for index, each := range kind.ListValue.GetValues() {
			values[index] = Decode(each)
		}
		return values
	case *pb.Value_MapValue:
		return DecodeAll(kind.MapValue.GetFields())
	default:
		return nil
	}
}

// DecodeAll is the native values of a map; never nil.
func DecodeAll(fields map[string]*pb.Value) map[string]any {
	values := make(map[string]any, len(fields))
	for key, each := range fields {
		values[key] = Decode(each)
	}
	return values
}
