package sidecar

import (
	"context"
	"crypto/tls"
	"math"
	"net"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
)

// DefaultAddress is where a sidecar listens unless it is told otherwise.
const DefaultAddress = "127.0.0.1:8013"

// settings is what Connect was told.
type settings struct {
	address         string
	tls             *tls.Config
	token           func() string
	headers         []func(context.Context) map[string]string
	datafile        string
	strict          bool
	decideTimeout   time.Duration
	eventTimeout    time.Duration
	statusTimeout   time.Duration
	importTimeout   time.Duration
	bufferEventsMax int
	bufferBytesMax  int
	replyBytesMax   int
	conn            grpc.ClientConnInterface
}

func defaults(address string) settings {
	return settings{
		address:        address,
		decideTimeout:  250 * time.Millisecond,
		eventTimeout:   time.Second,
		statusTimeout:  5 * time.Second,
		importTimeout:  10 * time.Second,
		bufferBytesMax: 8 << 20,
		replyBytesMax:  32 << 20,
	}
}

// Option is an option of [Connect].
type Option interface{ connect(*settings) }

type option func(*settings)

func (o option) connect(given *settings) { o(given) }

// WithTLS encrypts the connection. RootCAs of the configuration are the authorities to trust, Certificates what this
// client shows, ServerName the name in the sidecar's certificate when it is not the address. Without this option the
// connection is plain: the sidecar listens on loopback or a Unix socket.
func WithTLS(configuration *tls.Config) Option {
	return option(func(given *settings) { given.tls = configuration.Clone() })
}

// WithToken sends `authorization: Bearer TOKEN`; an empty token sends nothing.
func WithToken(token string) Option {
	return WithTokenFunc(func() string { return token })
}

// WithTokenFunc asks for the current token before every try, from the goroutine of the call.
func WithTokenFunc(token func() string) Option {
	return option(func(given *settings) { given.token = token })
}

// WithHeaders adds headers to every try, as of a trace: it is given the context of the caller.
func WithHeaders(headers func(context.Context) map[string]string) Option {
	return option(func(given *settings) { given.headers = append(given.headers, headers) })
}

// WithDatafile sets the name or SDK key of the datafile of users that name none; empty is the sidecar's default.
func WithDatafile(name string) Option {
	return option(func(given *settings) { given.datafile = name })
}

// WithDecideTimeout sets the deadline of Decide, DecideForKeys and DecideAll: 250 ms unless set.
func WithDecideTimeout(timeout time.Duration) Option {
	return option(func(given *settings) { given.decideTimeout = timeout })
}

// WithEventTimeout sets the deadline of Track and its sisters: 1 s unless set.
func WithEventTimeout(timeout time.Duration) Option {
	return option(func(given *settings) { given.eventTimeout = timeout })
}

// WithStatusTimeout sets the deadline of Status, Explain and DecideMany: 5 s unless set.
func WithStatusTimeout(timeout time.Duration) Option {
	return option(func(given *settings) { given.statusTimeout = timeout })
}

// WithImportTimeout sets the deadline of one batch of ImportEvents: 10 s unless set.
func WithImportTimeout(timeout time.Duration) Option {
	return option(func(given *settings) { given.importTimeout = timeout })
}

// WithBuffer keeps up to so many events in memory while no sidecar takes them, and sends them later, in order. Past
// that, or past 8 MiB, the oldest is dropped and counted. Without it such an event is an error.
func WithBuffer(eventsMax int) Option {
	return option(func(given *settings) { given.bufferEventsMax = eventsMax })
}

// WithBufferBytes sets the bytes that [WithBuffer] keeps at most: 8 MiB unless set.
func WithBufferBytes(bytesMax int) Option {
	return option(func(given *settings) { given.bufferBytesMax = bytesMax })
}

// WithReplyBytes sets the largest reply that is taken, in bytes: 32 MiB unless set.
func WithReplyBytes(bytesMax int) Option {
	return option(func(given *settings) { given.replyBytesMax = bytesMax })
}

// WithConn makes every call over a connection of the caller's own, as one in memory; what is said about addresses, TLS
// and replies has no effect then. Closing the client does not close it.
func WithConn(conn grpc.ClientConnInterface) Option {
	return option(func(given *settings) { given.conn = conn })
}

// check tells of an address or a bound that cannot be.
func (s *settings) check() error {
	if s.conn == nil {
		if _, _, ok := networkOf(s.address); !ok {
			return argument("address", "is `%s`, wanted `HOST:PORT` or `unix:PATH`", s.address)
		}
	}
	timeouts := map[string]time.Duration{
		"decide timeout": s.decideTimeout,
		"event timeout":  s.eventTimeout,
		"status timeout": s.statusTimeout,
		"import timeout": s.importTimeout,
	}
	for name, timeout := range timeouts {
		if timeout <= 0 {
			return argument(name, "is %s, wanted more than 0", timeout)
		}
	}
	if s.replyBytesMax <= 0 || s.replyBytesMax > math.MaxInt32 {
		return argument("reply bytes", "are %d, wanted 1 to 2^31-1", s.replyBytesMax)
	}
	if s.bufferEventsMax < 0 || s.bufferBytesMax < 0 {
		return argument("buffer", "has %d events and %d bytes, wanted 0 or more", s.bufferEventsMax, s.bufferBytesMax)
	}
	return nil
}

// networkOf is the network and the address to dial, and whether the address is one.
func networkOf(address string) (network, where string, ok bool) {
	if path, unix := strings.CutPrefix(address, "unix:"); unix {
		return "unix", path, path != ""
	}
	host, port, err := net.SplitHostPort(address)
	number, wrong := strconv.ParseUint(port, 10, 16)
	return "tcp", address, err == nil && wrong == nil && host != "" && number > 0
}
