package sidecar

import (
	"fmt"

	"google.golang.org/protobuf/proto"
)

// codec is protobuf with the keys of maps sorted. Why: a retry sends the same bytes, and the sidecar tells its reasons in
// the order of the attributes, which is then the same each time.
type codec struct{}

// Name is the content subtype.
func (codec) Name() string { return "proto" }

// Marshal encodes a message.
func (codec) Marshal(message any) ([]byte, error) {
	given, ok := message.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("got %T, wanted a message", message)
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(given)
}

// Unmarshal decodes a message.
func (codec) Unmarshal(encoded []byte, message any) error {
	given, ok := message.(proto.Message)
	if !ok {
		return fmt.Errorf("got %T, wanted a message", message)
	}
	return proto.Unmarshal(encoded, given)
}
