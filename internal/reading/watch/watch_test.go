package watch_test

import (
	"strings"
	"testing"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/rule"
	"doorstep/internal/reading/watch"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

const weight = "29463-7"

func (h *house) open(kind string) (list []promise.Promise) {
	h.Helper()
	h.Read(func(tx *store.Tx) (err error) { list, err = h.Promises.OpenOf(tx, org, h.Ruth.ID, kind); return err })
	return list
}

// A reading that is expected is promised 36 hours ahead and kept by the one that comes; silence climbs to family and nurse.
func TestReadingKeepsThePromise(t *testing.T) {
	each(t, func(h *house) {
		h.Write(func(tx *store.Tx) error {
			return h.Watch.Expect(tx, watch.Rhythm{Org: org, Patient: h.Ruth.ID, Signal: "weight", Wall: clock.WallAt(9, 0)})
		})
		err := h.DB.Write(t.Context(), func(tx *store.Tx) error {
			return h.Watch.Expect(tx, watch.Rhythm{Org: org, Patient: h.Ruth.ID, Signal: "mood", Wall: clock.WallAt(9, 0)})
		})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("an unknown signal: %v", err)
		}
		if n := len(h.open(watch.Kind)); n != 2 {
			t.Fatalf("%d readings are promised, want 2", n)
		}
		stored := func(x reading.Sample) {
			h.Write(func(tx *store.Tx) error {
				return h.Watch.Stored(tx, string(org), string(h.Ruth.ID), []reading.Sample{x})
			})
		}
		stored(reading.Sample{Series: weight, At: start, Flags: reading.Impossible})
		stored(reading.Sample{Series: "8867-4", At: start})
		stored(reading.Sample{Series: weight, At: start.Add(-6 * time.Hour)})
		if n := len(h.open(watch.Kind)); n != 2 {
			t.Errorf("kept by what is no evidence: %d left", n)
		}
		stored(reading.Sample{Series: weight, At: start, Device: "scale"})
		h.At(5 * time.Hour)
		h.Want(h.SMS)
		if n, err := h.Watch.PlanDue(t.Context()); n != 0 || err != nil {
			t.Errorf("planned %d, %v", n, err)
		}
		h.At(25*time.Hour + 30*time.Minute) // the next morning nothing comes
		h.Want(h.SMS, ruthPhone+": …weigh-in")
		h.At(27*time.Hour + 30*time.Minute)
		h.Want(h.SMS, elenaPhone)
		h.At(28*time.Hour + 30*time.Minute)
		if got := h.Tasks(); got != "nurse task.reading" {
			t.Errorf("tasks %s", got)
		}
	})
}

// An alert promises a call within the hour; the same signal again joins it; the nurse who closes the task keeps it.
func TestAlertPromisesACall(t *testing.T) {
	each(t, func(h *house) {
		alert := func(id string) {
			h.Write(func(tx *store.Tx) error {
				return h.Watch.Alert(tx, reading.Alert{ID: id, Org: string(org), Patient: string(h.Ruth.ID), Kind: "limit", Series: weight, Severity: "urgent", Began: start, Value: 74, Limit: 73, Above: true})
			})
			h.Settle()
		}
		alert("1")
		alert("2")
		h.Want(h.SMS, elenaPhone+": …Ruth…Dana", danaPhone, ruthPhone+": …Dana saw your numbers and will call you by 8:30 am")
		calls := h.open(watch.CallKind)
		if len(calls) != 1 || calls[0].Severity != promise.Urgent || !calls[0].By.Equal(start.Add(time.Hour)) || calls[0].Args["rule"] != "> 73" {
			t.Fatalf("%+v", calls)
		}
		h.Write(func(tx *store.Tx) error {
			list, err := h.Promises.Tasks(tx, org)
			if err != nil {
				return err
			}
			_, err = h.Promises.Finish(tx, person.Viewer{Org: org, Person: h.Dana.ID, Role: person.Nurse}, list[0].ID, "Called: salty soup.")
			return err
		})
		if n := len(h.open(watch.CallKind)); n != 0 || h.Tasks() != "" {
			t.Errorf("%d calls are open, tasks %s", n, h.Tasks())
		}
		h.At(time.Hour)
		h.Want(h.SMS)
		alert("3") // after the call it is news again
		if got := h.SMS.Took(); len(got) != 3 {
			t.Errorf("%q", got)
		}
	})
}

// A rule on NEWS2 alerts by what is known and tells the desk what is not; a severe alert does not wait behind a lesser call about the
// same signal.
func TestNEWS2AtTheDesk(t *testing.T) {
	each(t, func(h *house) {
		id, _, err := h.Readings.Register(t.Context(), string(org), "monitor")
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Readings.Assign(t.Context(), string(org), id, string(h.Ruth.ID), start.AddDate(0, 0, -2), time.Time{}); err != nil {
			t.Fatal(err)
		}
		preset, _ := rule.Named("news2")
		h.Write(func(tx *store.Tx) error {
			_, err := h.Readings.Adopt(tx, string(org), string(h.Ruth.ID), preset.Name, preset.Rules)
			return err
		})
		send := func(series, unit string, v float64) {
			t.Helper()
			if _, err := h.Readings.Ingest(t.Context(), reading.Device{ID: id, Org: string(org), Kind: "monitor"}, []reading.Reading{{At: h.Clock.Now(), Series: series, Value: v, Unit: unit}}); err != nil {
				t.Fatal(err)
			}
			h.Settle()
		}
		rows := func() (out []string) {
			h.Read(func(tx *store.Tx) error {
				list, err := h.Promises.Tasks(tx, org)
				for _, x := range list {
					out = append(out, x.Severity.String()+": "+words.Tell("en", x.Say, x.Args, start.Location())+" ["+x.Cause+"]")
				}
				return err
			})
			return out
		}
		send("9279-1", "/min", 22)
		send("59408-5", "%", 93)
		if got := rows(); len(got) != 0 {
			t.Errorf("at least 4: %q", got)
		}
		send("8867-4", "/min", 100)
		want := "urgent: early warning score: at least 5. The rule: > 4. Not known: if they breathe extra oxygen, blood pressure, how awake they are, body heat [alert rule news2 monitor news2]"
		if got := rows(); len(got) != 1 || got[0] != want {
			t.Errorf("%q", got)
		}
		send("8480-6", "mm[Hg]", 85)
		if got := rows(); len(got) != 2 || !strings.HasPrefix(got[0], "severe: early warning score: at least 8. The rule: > 6") {
			t.Errorf("%q", got)
		}
	})
}
