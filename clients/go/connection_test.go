package sidecar_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"iter"
	"math/big"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	"decision-sidecar.dev/sidecar"
)

func TestAnAddressThatIsNoneIsRefused(t *testing.T) {
	for _, address := range []string{"", "localhost", "unix:", ":8013", "host:0", "host:99999", "host:x"} {
		client, err := sidecar.Connect(address)
		var wrong *sidecar.ArgumentError
		if !errors.As(err, &wrong) || client != nil {
			t.Errorf("%q: got %v, wanted a mistake", address, err)
		}
	}
}

func TestARestartOfTheSidecarIsFound(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		server := newScripted(t)
		if network == "tcp" {
			server.network, server.address = "tcp", "127.0.0.1:0"
		}
		server.start()
		user := server.connect().User("u", nil)
		for range 3 {
			if _, err := user.Track(t.Context(), "purchase"); err != nil {
				t.Fatalf("%s: %v", network, err)
			}
			server.server.Stop()
			if decision, err := user.Decide(t.Context(), "f"); err != nil || decision.ErrorReason != "UNAVAILABLE" {
				t.Errorf("%s: got %v, %v, wanted a default", network, decision, err)
			}
			server.start()
		}
		if _, err := user.Track(t.Context(), "purchase"); err != nil {
			t.Errorf("%s: %v", network, err)
		}
	}
}

func TestACallAfterCloseIsClientClosed(t *testing.T) {
	client := newScripted(t).start().connect()
	user := client.User("u", nil)
	_ = client.Close()
	_ = client.Close()
	if _, err := user.Track(t.Context(), "purchase"); !errors.Is(err, sidecar.ErrClientClosed) {
		t.Errorf("got %v", err)
	}
	if decision, err := user.Decide(t.Context(), "f"); err != nil || decision.ErrorReason != "CLIENT_CLOSED" {
		t.Errorf("got %v, %v, wanted a default", decision, err)
	}
	if _, err := client.WaitReady(t.Context(), time.Minute); !errors.Is(err, sidecar.ErrClientClosed) {
		t.Errorf("got %v", err)
	}
	for range client.Watch(t.Context()) {
		t.Error("a closed client told a change")
	}
}

func TestACallDuringCloseIsClientClosed(t *testing.T) {
	server := newScripted(t).start()
	server.hold = make(chan struct{})
	defer close(server.hold)
	client := server.connect()
	go func() {
		<-server.entered
		_ = client.Close()
	}()
	if _, err := client.User("u", nil).Track(t.Context(), "purchase"); !errors.Is(err, sidecar.ErrClientClosed) {
		t.Errorf("got %v", err)
	}
}

func TestATokenIsAskedForBeforeEachTryAndForeignHeadersStayOut(t *testing.T) {
	server := newScripted(t).start()
	asked := 0
	client := server.connect(sidecar.WithTokenFunc(func() string {
		asked++
		return "t-" + string(rune('0'+asked))
	}))
	server.fail(unavailable())
	ctx := metadata.AppendToOutgoingContext(t.Context(), "authorization", "Bearer of-another", "x-foreign", "1")
	if _, err := client.User("u", nil).Track(ctx, "purchase"); err != nil {
		t.Fatal(err)
	}
	for place, wanted := range []string{"Bearer t-1", "Bearer t-2"} {
		headers := server.headers[place]
		if got := headers.Get("authorization"); len(got) != 1 || got[0] != wanted || len(headers.Get("x-foreign")) != 0 {
			t.Errorf("try %d: got %v, wanted %s alone", place, headers, wanted)
		}
	}
}

func TestHeadersAreOfTheCallersContext(t *testing.T) {
	type key struct{}
	server := newScripted(t).start()
	client := server.connect(sidecar.WithHeaders(func(ctx context.Context) map[string]string {
		return map[string]string{"traceparent": ctx.Value(key{}).(string)}
	}))
	if _, err := client.User("u", nil).Decide(context.WithValue(t.Context(), key{}, "00-1-2-01"), "f"); err != nil {
		t.Fatal(err)
	}
	if got := server.headers[0].Get("traceparent"); len(got) != 1 || got[0] != "00-1-2-01" {
		t.Errorf("got %v", got)
	}
}

func TestWatchSurvivesARestartAndTellsNothingTwice(t *testing.T) {
	server := newScripted(t).start()
	client := server.connect()
	next, stop := iter.Pull2(client.Watch(t.Context()))
	defer stop()
	server.changes <- "41"
	if change, err, _ := next(); err != nil || change.Revision != "41" {
		t.Fatalf("got %v, %v", change, err)
	}
	server.server.Stop()
	server.start()
	server.changes <- "41"
	server.changes <- "42"
	if change, err, _ := next(); err != nil || change.Revision != "42" {
		t.Fatalf("got %v, %v, wanted 42 alone", change, err)
	}
}

func TestWatchEndsWithItsContextAndWithItsClient(t *testing.T) {
	for _, end := range []string{"context", "client"} {
		server := newScripted(t).start()
		client := server.connect()
		ctx, cancel := context.WithCancel(t.Context())
		server.changes <- "41"
		for change, err := range client.Watch(ctx) {
			if err != nil || change.Revision != "41" {
				t.Errorf("got %v, %v", change, err)
			}
			if end == "context" {
				cancel()
			} else {
				_ = client.Close()
			}
		}
		cancel()
	}
}

func TestWaitReadyTellsWhetherTheTimeRanOut(t *testing.T) {
	if ready, err := newScripted(t).start().connect().WaitReady(t.Context(), 20*time.Second); !ready || err != nil {
		t.Errorf("got %t, %v, wanted true", ready, err)
	}
	if ready, err := connect(t, nowhere(t)).WaitReady(t.Context(), 100*time.Millisecond); ready || err != nil {
		t.Errorf("got %t, %v, wanted false", ready, err)
	}
}

// issue is a certificate, signed by the authority, else by itself.
func issue(t *testing.T, name string, authority *tls.Certificate) *tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		BasicConstraintsValid: true, IsCA: authority == nil,
	}
	parent, signer := template, any(key)
	if authority != nil {
		parent, signer = authority.Leaf, authority.PrivateKey
	}
	encoded, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(encoded)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{encoded}, PrivateKey: key, Leaf: leaf}
}

func TestTLSWithAndWithoutAClientCertificate(t *testing.T) {
	authority := issue(t, "authority", nil)
	pool := x509.NewCertPool()
	pool.AddCert(authority.Leaf)
	served := &tls.Config{
		Certificates: []tls.Certificate{*issue(t, "server", authority)},
		ClientCAs:    pool, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12,
	}
	for _, network := range []string{"tcp", "unix"} {
		server := newScripted(t, grpc.Creds(credentials.NewTLS(served)))
		if network == "tcp" {
			server.network, server.address = "tcp", "127.0.0.1:0"
		}
		server.start()
		shown := &tls.Config{
			RootCAs: pool, Certificates: []tls.Certificate{*issue(t, "client", authority)}, MinVersion: tls.VersionTLS12,
		}
		if _, err := server.connect(sidecar.WithTLS(shown)).User("u", nil).Track(t.Context(), "purchase"); err != nil {
			t.Errorf("%s: %v", network, err)
		}
		hidden := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
		client := server.connect(sidecar.WithTLS(hidden))
		_, err := client.User("u", nil).Track(t.Context(), "purchase", sidecar.WithTimeout(500*time.Millisecond))
		if !errors.Is(err, sidecar.ErrUnavailable) && !errors.Is(err, sidecar.ErrDeadlinePassed) {
			t.Errorf("%s: got %v, wanted no connection without a certificate", network, err)
		}
	}
}
