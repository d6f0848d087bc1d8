// The yardstick of the native wire: a bare grpc-go server that answers each call of any method with the same bytes.
//
//	grpc-go-echo REPLY_BYTES [unix:PATH]
//
// It prints the address that it is bound to. No message is parsed, no interceptor is there, and gRPC has its defaults.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"strconv"
	"strings"

	"google.golang.org/grpc"
)

// raw hands messages over as the bytes that they are.
type raw struct{}

func (raw) Marshal(message any) ([]byte, error) { return *message.(*[]byte), nil }

func (raw) Unmarshal(data []byte, message any) error {
	*message.(*[]byte) = data
	return nil
}

func (raw) Name() string { return "raw" }

func main() {
	size, err := strconv.Atoi(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	network, address := "tcp", "127.0.0.1:0"
	if len(os.Args) > 2 {
		network, address = "unix", strings.TrimPrefix(os.Args[2], "unix:")
	}
	listener, err := net.Listen(network, address)
	if err != nil {
		log.Fatal(err)
	}
	reply := make([]byte, size)
	// Why by name: the handler of a generated service, which is faster than the one for unknown methods.
	decide := func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var request []byte
		if err := decode(&request); err != nil {
			return nil, err
		}
		return &reply, nil
	}
	server := grpc.NewServer(grpc.ForceServerCodec(raw{}))
	for service, methods := range map[string][]string{
		"sidecar.v1.DecisionService": {"Decide"},
		"sidecar.v1.TrackingService": {"Track"},
	} {
		description := grpc.ServiceDesc{ServiceName: service, HandlerType: (*any)(nil)}
		for _, method := range methods {
			description.Methods = append(description.Methods, grpc.MethodDesc{MethodName: method, Handler: decide})
		}
		server.RegisterService(&description, struct{}{})
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	log.Fatal(server.Serve(listener))
}
