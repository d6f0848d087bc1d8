package sidecar

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	mathrand "math/rand/v2"
	"time"
)

// newID is a version 7 UUID: the name of a decision or an event. Source: RFC 9562 §5.7. Why not version 4: the sidecar
// remembers event ids in order, so ids that follow each other in time cost it less than random ones.
func newID(now time.Time) string {
	var id [16]byte
	// Why unchecked: since Go 1.24 it never fails.
	_, _ = rand.Read(id[6:])
	var milliseconds [8]byte
	binary.BigEndian.PutUint64(milliseconds[:], uint64(now.UnixMilli()))
	copy(id[:6], milliseconds[2:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	var text [36]byte
	hex.Encode(text[:8], id[:4])
	hex.Encode(text[9:13], id[4:6])
	hex.Encode(text[14:18], id[6:8])
	hex.Encode(text[19:23], id[8:10])
	hex.Encode(text[24:], id[10:])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// retry is when a call that found no sidecar (UNAVAILABLE) is tried again, always within its deadline.
type retry struct {
	attemptsMax        int
	pauseMin, pauseMax time.Duration
}

var (
	// Why so few: a sidecar that is gone must not cost each request the whole deadline of a decision.
	decideRetry = retry{attemptsMax: 3, pauseMin: 10 * time.Millisecond, pauseMax: 20 * time.Millisecond}
	// Why so many: an event has no default, so its deadline is the bound.
	eventRetry = retry{attemptsMax: 20, pauseMin: 20 * time.Millisecond, pauseMax: 200 * time.Millisecond}
	// Of a stream, only the pauses: it is opened again until the client is closed.
	watchRetry = retry{pauseMin: 100 * time.Millisecond, pauseMax: 5 * time.Second}
	// Of the buffer and of an import, only the pauses between two tries of the same events.
	bufferRetry = retry{pauseMin: 100 * time.Millisecond, pauseMax: 5 * time.Second}
)

// pause is how long to wait after so many failures in a row, 1 or more: it doubles, and a random half is left out.
func (r retry) pause(failures int) time.Duration {
	full := min(r.pauseMin<<min(failures-1, 16), r.pauseMax)
	return time.Duration(float64(full) * (1 - mathrand.Float64()/2))
}
