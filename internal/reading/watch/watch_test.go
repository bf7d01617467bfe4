package watch_test

import (
	"testing"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/watch"
	"doorstep/internal/store"
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
