// Command caller makes the calls that standard input lists, through grpc-go, and prints one JSON line for each.
// It knows no message type: requests and replies are bytes, in hex. The plan's form: tests/interop/callers.py.
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip" // Registers the compressor that a plan may ask for.
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

type plan struct {
	Network    string `json:"network"`
	Address    string `json:"address"`
	CA         string `json:"ca"`
	ServerName string `json:"server_name"`
	Calls      []call `json:"calls"`
}

type call struct {
	Name        string      `json:"name"`
	Kind        string      `json:"kind"`
	Method      string      `json:"method"`
	Requests    []string    `json:"requests"`
	Metadata    [][2]string `json:"metadata"`
	TimeoutMS   int         `json:"timeout_ms"`
	CancelAfter int         `json:"cancel_after"`
	Gzip        bool        `json:"gzip"`
}

type result struct {
	Name     string   `json:"name"`
	Code     uint32   `json:"code"`
	Message  string   `json:"message"`
	Details  string   `json:"details"`
	Initial  string   `json:"initial"`
	Trailing string   `json:"trailing"`
	Replies  []string `json:"replies"`
}

// raw is a codec that leaves bytes alone.
type raw struct{}

func (raw) Name() string                  { return "proto" }
func (raw) Marshal(v any) ([]byte, error) { return v.([]byte), nil }
func (raw) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...)
	return nil
}

func main() {
	var asked plan
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		log.Fatalf("the plan is no JSON: %v", err)
	}
	connection, err := dial(asked)
	if err != nil {
		log.Fatalf("cannot dial %s: %v", asked.Address, err)
	}
	defer connection.Close()
	lines := json.NewEncoder(os.Stdout)
	for _, one := range asked.Calls {
		if err := lines.Encode(perform(connection, one)); err != nil {
			log.Fatal(err)
		}
	}
}

func dial(asked plan) (*grpc.ClientConn, error) {
	target, secured := asked.Address, insecure.NewCredentials()
	switch asked.Network {
	case "unix":
		target = "unix:" + asked.Address
	case "tls":
		var err error
		if secured, err = credentials.NewClientTLSFromFile(asked.CA, asked.ServerName); err != nil {
			return nil, err
		}
	}
	return grpc.NewClient(target, grpc.WithTransportCredentials(secured))
}

func perform(connection *grpc.ClientConn, one call) result {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(one.TimeoutMS)*time.Millisecond)
	defer cancel()
	for _, pair := range one.Metadata {
		value := pair[1]
		if strings.HasSuffix(pair[0], "-bin") {
			value = string(bytesOf(value))
		}
		ctx = metadata.AppendToOutgoingContext(ctx, pair[0], value)
	}
	options := []grpc.CallOption{grpc.ForceCodec(raw{})}
	if one.Gzip {
		options = append(options, grpc.UseCompressor("gzip"))
	}
	found := result{Name: one.Name, Replies: []string{}}
	description := &grpc.StreamDesc{ClientStreams: one.Kind == "bidi", ServerStreams: one.Kind != "unary"}
	stream, err := connection.NewStream(ctx, description, one.Method, options...)
	if err == nil {
		err = exchange(stream, one, cancel, &found)
		header, _ := stream.Header()
		found.Initial = strings.Join(header.Get("x-grpc-test-echo-initial"), ",")
		trailer := stream.Trailer()
		found.Trailing = hex.EncodeToString([]byte(strings.Join(trailer.Get("x-grpc-test-echo-trailing-bin"), ",")))
		found.Details = hex.EncodeToString([]byte(strings.Join(trailer.Get("grpc-status-details-bin"), ",")))
	}
	ended := status.Convert(err)
	found.Code, found.Message = uint32(ended.Code()), ended.Message()
	return found
}

// exchange sends and reads in turn on a bidirectional stream, else sends all and reads all; nil is the status OK.
func exchange(stream grpc.ClientStream, one call, cancel func(), found *result) error {
	receive := func() error {
		var reply []byte
		if err := stream.RecvMsg(&reply); err != nil {
			return err
		}
		found.Replies = append(found.Replies, hex.EncodeToString(reply))
		if len(found.Replies) == one.CancelAfter {
			cancel()
		}
		return nil
	}
	for _, request := range one.Requests {
		// Why EOF goes on: the call has ended, and the status is what receiving gives.
		if err := stream.SendMsg(bytesOf(request)); err != nil && err != io.EOF {
			return err
		}
		if one.Kind == "bidi" {
			if err := receive(); err != nil {
				return ended(err)
			}
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if one.Kind == "unary" {
		return ended(receive())
	}
	for {
		if err := receive(); err != nil {
			return ended(err)
		}
	}
}

func ended(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

func bytesOf(text string) []byte {
	decoded, err := hex.DecodeString(text)
	if err != nil {
		log.Fatal(fmt.Errorf("the plan holds no hex: %w", err))
	}
	return decoded
}
