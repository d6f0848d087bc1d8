package sidecar_test

import (
	"errors"
	"iter"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"decision-sidecar.dev/sidecar"
	"decision-sidecar.dev/sidecar/internal/pb"
)

func TestMoneyIsExact(t *testing.T) {
	for wanted, given := range map[string]sidecar.Money{
		"19.90": sidecar.MoneyOf(1990, 2, "USD"), "-0.05": sidecar.MoneyOf(-5, 2, "USD"),
		"500": sidecar.MoneyOf(500, 0, "JPY"), "0.001": sidecar.MoneyOf(1, 3, "KWD"),
		"90071992547409.93": {Amount: "90071992547409.93", Currency: "USD"},
	} {
		server := newScripted(t).start()
		if _, err := server.connect().User("u", nil).Track(t.Context(), "purchase", sidecar.WithRevenue(given)); err != nil {
			t.Fatal(err)
		}
		if amount := server.seen()[0].(*pb.TrackRequest).GetRevenue().GetAmount(); amount != wanted {
			t.Errorf("got %s, wanted %s", amount, wanted)
		}
	}
}

func TestMoneyThatIsNoneIsRefusedBeforeItIsSent(t *testing.T) {
	client := connect(t, nowhere(t))
	for _, given := range []sidecar.Money{
		{"1e3", "USD"}, {"", "USD"}, {"1.", "USD"}, {".5", "USD"}, {"NaN", "USD"}, {"1,00", "USD"}, {"+1", "USD"},
		{"1", "usd"}, {"1", ""}, {"1234567890123456789012345678901", "USD"},
	} {
		_, err := client.User("u", nil).Track(t.Context(), "purchase", sidecar.WithRevenue(given))
		var wrong *sidecar.ArgumentError
		if !errors.As(err, &wrong) {
			t.Errorf("%v: got %v, wanted a mistake", given, err)
		}
	}
}

func TestAnEventIsAccepted(t *testing.T) {
	client := newScripted(t).start().connect()
	accepted, err := client.User("u", nil).Track(t.Context(), "purchase", sidecar.WithEventID("e-1"))
	if err != nil || accepted.EventID != "e-1" || !accepted.ExposureSeenHere || accepted.Buffered {
		t.Fatalf("got %v, %v", accepted, err)
	}
	if len(accepted.Outcomes) != 1 || accepted.Outcomes[0].State != sidecar.OutcomeQueued {
		t.Errorf("got %v", accepted.Outcomes)
	}
}

func TestTheBufferKeepsOrderDropsItsOldestAndIsSentWhenTheSidecarIsBack(t *testing.T) {
	server := newScripted(t)
	client := server.connect(sidecar.WithBuffer(3), sidecar.WithEventTimeout(100*time.Millisecond))
	user := client.User("u", nil)
	for _, id := range []string{"e-1", "e-2", "e-3", "e-4"} {
		accepted, err := user.Track(t.Context(), "purchase", sidecar.WithEventID(id))
		if err != nil || !accepted.Buffered || accepted.EventID != id {
			t.Fatalf("got %v, %v, wanted a buffered %s", accepted, err, id)
		}
	}
	if counted := client.Counters(); counted.EventsBuffered != 3 || counted.EventsDropped != 1 {
		t.Fatalf("got %v, wanted 3 buffered and 1 dropped", counted)
	}
	server.start()
	if left, err := client.Flush(t.Context(), 30*time.Second); err != nil || !left.Complete() {
		t.Fatalf("got %v, %v, wanted nothing left", left, err)
	}
	var ids []string
	for _, each := range server.seen() {
		if request, ok := each.(*pb.TrackRequest); ok {
			ids = append(ids, request.GetEventId())
		}
	}
	if !slices.Equal(ids, []string{"e-2", "e-3", "e-4"}) {
		t.Errorf("got %v, wanted the last three in order", ids)
	}
	if counted := client.Counters(); counted.EventsBuffered != 0 || counted.EventsDropped != 1 {
		t.Errorf("got %v", counted)
	}
	if accepted, err := user.Track(t.Context(), "purchase", sidecar.WithTimeout(20*time.Second)); err != nil || accepted.Buffered {
		t.Errorf("got %v, %v, wanted a sent one", accepted, err)
	}
}

func TestTheBufferTakesNothingThatIsWrong(t *testing.T) {
	server := newScripted(t).start()
	client := server.connect(sidecar.WithBuffer(3))
	server.fail(status.New(codes.InvalidArgument, "no"))
	if _, err := client.User("u", nil).Track(t.Context(), ""); !errors.Is(err, sidecar.ErrRequestRefused) {
		t.Fatalf("got %v, wanted a refused request", err)
	}
	if counted := client.Counters().EventsBuffered; counted != 0 {
		t.Errorf("got %d buffered", counted)
	}
}

func TestABufferPastItsBytesDropsItsOldest(t *testing.T) {
	client := connect(t, nowhere(t), sidecar.WithBuffer(100), sidecar.WithBufferBytes(200),
		sidecar.WithEventTimeout(50*time.Millisecond))
	for range 5 {
		if _, err := client.User("u", nil).Track(t.Context(), "purchase"); err != nil {
			t.Fatal(err)
		}
	}
	counted := client.Counters()
	if counted.EventsDropped == 0 || counted.EventsBuffered == 0 || counted.EventsDropped+counted.EventsBuffered != 5 {
		t.Errorf("got %v, wanted some of 5 dropped", counted)
	}
	_ = client.Close()
	if counted := client.Counters(); counted.EventsDropped != 5 || counted.EventsBuffered != 0 {
		t.Errorf("got %v, wanted what was left dropped by close", counted)
	}
}

func purchases(client *sidecar.Client, count int) iter.Seq[sidecar.Draft] {
	return func(yield func(sidecar.Draft) bool) {
		for range count {
			if !yield(client.User("u", nil).Drafts().Track("purchase")) {
				return
			}
		}
	}
}

func TestAnImportReportsARefusedBatchAndGoesOn(t *testing.T) {
	server := newScripted(t).start()
	client := server.connect()
	server.fail(status.New(codes.OK, ""), status.New(codes.InvalidArgument, "events[0].user_id: no"))
	report, err := client.ImportEvents(t.Context(), purchases(client, 25), sidecar.WithBatchEvents(10))
	if err != nil || report.Accepted != 15 || len(report.Refused) != 1 {
		t.Fatalf("got %v, %v", report, err)
	}
	refused := report.Refused[0]
	if refused.FirstIndex != 10 || refused.Events != 10 || !errors.Is(refused.Err, sidecar.ErrRequestRefused) {
		t.Errorf("got %v", refused)
	}
	queued := sidecar.Outcome{Destination: "console", State: sidecar.OutcomeQueued}
	if report.Outcomes[queued] != 15 {
		t.Errorf("got %v", report.Outcomes)
	}
}

func TestAnImportGoesOnAfterARestart(t *testing.T) {
	server := newScripted(t).start()
	client := server.connect()
	drafts := func(yield func(sidecar.Draft) bool) {
		for place := range 20 {
			if place == 15 {
				server.server.Stop()
				time.AfterFunc(300*time.Millisecond, func() { server.start() })
			}
			if !yield(client.User("u", nil).Drafts().Identify(nil)) {
				return
			}
		}
	}
	report, err := client.ImportEvents(t.Context(), drafts, sidecar.WithBatchEvents(5))
	if err != nil || report.Accepted != 20 {
		t.Fatalf("got %v, %v, wanted all 20", report, err)
	}
}

func TestAnImportThatBreaksOffTellsHowFarItCame(t *testing.T) {
	server := newScripted(t).start()
	client := server.connect()
	server.fail(status.New(codes.OK, ""), status.New(codes.PermissionDenied, "no"))
	report, err := client.ImportEvents(t.Context(), purchases(client, 20), sidecar.WithBatchEvents(10))
	if !errors.Is(err, sidecar.ErrAccessDenied) || report.Accepted != 10 {
		t.Fatalf("got %v, %v", report, err)
	}
}
