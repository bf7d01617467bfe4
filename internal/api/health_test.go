package api_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

// numbered is a gateway that takes everything, names it GW1, GW2, …, and will report.
type numbered struct{ n int }

func (g *numbered) Send(_ context.Context, batch []message.Outgoing) []message.Result {
	out := make([]message.Result, len(batch))
	for i := range batch {
		g.n++
		out[i] = message.Result{Ref: fmt.Sprintf("GW%d", g.n), Reports: true}
	}
	return out
}

func (g *numbered) Took(string) (string, bool, error) { return "GW1", true, nil }

func TestReadyOnlyWhileTheLedgerKeepsUp(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		nobody := person.Person{}
		h.get(nobody, "/healthz").want(200)
		h.get(nobody, "/readyz").want(200)
		h.prescribe()
		h.clock.Set(start.Add(time.Hour + 59*time.Second))
		h.get(nobody, "/readyz").want(200)
		h.clock.Set(start.Add(time.Hour + time.Minute))
		a := h.get(nobody, "/readyz")
		state := into[struct {
			Ready   bool
			Lag     float64 `json:"lag_seconds"`
			Reasons []string
		}](a)
		if a.status != 503 || state.Ready || state.Lag != 60 || len(state.Reasons) != 1 || !strings.Contains(state.Reasons[0], "1 minute") {
			t.Errorf("%d %s", a.status, a.body)
		}
		h.to(h.clock.Now())
		h.get(nobody, "/readyz").want(200)
		h.DB.Close()
		if a := h.get(nobody, "/readyz"); a.status != 503 || !strings.Contains(a.body, "does not answer") {
			t.Errorf("%d %s", a.status, a.body)
		}
		h.get(nobody, "/healthz").want(200)
	})
}

func TestMetricsNameNobody(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		id := h.prescribe()
		h.to(start.Add(time.Hour + 2*time.Second))
		_, err := h.Message.SendDue(t.Context())
		h.must(err)
		device, key := h.register("scale")
		h.register("Ruth's own gadget")
		h.post(h.dana, "/api/v1/devices/"+device+"/assignments", object{"patient": h.ruth.ID}).want(201)
		sent := `{"seq":1,"at":"2026-03-09T12:00:02Z","clock":"2026-03-09T12:00:02Z","series":"29463-7","value":81.2,"unit":"kg"}`
		h.call(person.Person{}, "POST", "/api/v1/devices/"+device+"/readings", sent, "Authorization", "Bearer "+key).want(200)
		h.get(h.dana, "/nowhere/"+string(h.ruth.ID))
		text := h.get(person.Person{}, "/metrics").want(200).body
		for _, line := range []string{
			`doorstep_ledger_lag_seconds 0`,
			`doorstep_ledger_climb_lag_seconds_count 1`,
			`doorstep_messages_handed_total{channel="sms",state="sent"} 1`,
			`doorstep_readings_stored_total 1`,
			`doorstep_device_messages_total 1`,
			`doorstep_devices{kind="scale"} 1`,
			`doorstep_devices{kind="other"} 1`,
			`doorstep_database_full 0`,
			`doorstep_http_requests_total{route="GET /api/v1/patients/{id}/doses",status="200"} 1`,
			`doorstep_http_requests_total{route="none",status="404"} 1`,
			`version="test"`,
		} {
			if !strings.Contains(text, line) {
				t.Errorf("no %s", line)
			}
		}
		for _, secret := range []string{string(h.ruth.ID), id, device, "Ruth", "5550100"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s stands in the metrics", secret)
			}
		}
	})
}

func TestCountedAnswersCanStreamAndCountedChannelsCanReconcile(t *testing.T) {
	each(t, func(t *testing.T, h *clinic) {
		flushed := make(chan bool, 1) // the answer may be read before the handler has ended
		s := httptest.NewServer(h.Metrics.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			flushed <- http.NewResponseController(w).Flush() == nil
		})))
		defer s.Close()
		resp, err := s.Client().Get(s.URL)
		h.must(err)
		resp.Body.Close()
		if !<-flushed {
			t.Error("no flush through the count")
		}
		if _, can := h.Metrics.Channel(person.SMS, &numbered{}).(message.Reconciler); !can {
			t.Error("a gateway that can tell what it took no longer can")
		}
		if _, can := h.Metrics.Channel(person.SMS, &message.Counter{}).(message.Reconciler); can {
			t.Error("a gateway that cannot tell what it took now seems to")
		}
	})
}

func TestFault29AFullDiskIsSaidLoudly(t *testing.T) {
	t.Parallel()
	db, err := store.Open(t.Context(), storetest.URL(t, store.SQLite), store.Options{Unsafe: true, Pages: 220})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	for _, room := range rooms {
		if err := db.Migrate(t.Context(), room.Name, room.FS); err != nil {
			t.Fatal(err)
		}
	}
	h := newClinic(t, db)
	dana := h.token(h.dana)
	as := []string{"Authorization", "Bearer " + dana}
	for range 5000 {
		a := h.call(person.Person{}, "POST", "/api/v1/devices", object{"kind": "scale"}, as...)
		if a.status == 201 {
			continue
		}
		a.want(503)
		if a := h.get(person.Person{}, "/readyz"); a.status != 503 || !strings.Contains(a.body, "disk is full") {
			t.Errorf("%d %s", a.status, a.body)
		}
		if text := h.get(person.Person{}, "/metrics").body; !strings.Contains(text, "doorstep_database_full 1") {
			t.Error("the metrics do not say so")
		}
		return
	}
	t.Fatal("the disk never filled")
}
