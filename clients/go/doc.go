// Package sidecar is the client of the decision sidecar: decisions and events from the process beside yours.
//
//	client, err := sidecar.Connect("127.0.0.1:8013")
//	if err != nil {
//		return err
//	}
//	defer client.Close()
//	user := client.User("user-1", sidecar.Values{"country": "DE"})
//	decision, err := user.Decide(ctx, "checkout_redesign")
//
// One [Client] serves the whole process: it connects at its first call, connects anew when the connection is lost, and
// is safe for any number of goroutines. A [User] is an immutable, cheap handle.
//
// A decision does not fail: without an answer in time it is the caller's default, with the reason
// [SidecarUnavailable]. Its error tells of a mistake in the arguments, or, when [WithStrict] is given, of a failed call.
// An event returns an [*Error] when it was not accepted, unless [WithBuffer] keeps it.
//
// Every call ends at the deadline of its context or at its own, whichever is first. Package sidecartest is a sidecar for
// unit tests; the module decision-sidecar.dev/sidecar/sidecarotel sends the trace of OpenTelemetry along.
package sidecar
