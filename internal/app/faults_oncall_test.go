package app_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/rule"
	"doorstep/internal/reading/watch"
	"doorstep/internal/store"
)

const (
	mayaPhone = "+15550100005"
	oseiPhone = "+15550100006"
)

// onCall puts Dana on duty for eight hours; Maya is a nurse who is not, Dr. Osei answers for the nurses.
func (h *house) onCall() (maya, osei person.Person) {
	h.Helper()
	maya = h.Enrol(person.Person{Role: person.Nurse, Name: "Maya Lind"}, mayaPhone)
	osei = h.Enrol(person.Person{Role: person.Clinician, Name: "Dr. Kofi Osei"}, oseiPhone)
	h.Write(func(tx *store.Tx) error {
		return h.People.SaveShift(tx, org, person.Shift{Person: h.Dana.ID, Role: person.Nurse, Team: "t", From: start.Add(-time.Hour), Until: start.Add(7 * time.Hour)})
	})
	return maya, osei
}

// tooHeavy lets Ruth's weight alert.
func (h *house) tooHeavy() {
	h.Helper()
	d := h.watches(rule.Rule{Series: weight, Above: rule.Limit{Kind: rule.Absolute, Value: 73}, Severity: "urgent"})
	h.ingest(d, reading.Reading{At: start, Series: weight, Value: 75, Unit: "kg"})
}

func (h *house) texts(to string) (n int) {
	for _, m := range h.SMS.Took() {
		if strings.HasPrefix(m, to) {
			n++
		}
	}
	return n
}

func (h *house) climbs(kind string) (out []string) {
	h.Helper()
	h.Read(func(tx *store.Tx) error {
		list, err := h.Promises.Of(tx, org, h.Ruth.ID, start.Add(-time.Hour), start.Add(24*time.Hour))
		for _, v := range list {
			if v.Kind != kind {
				continue
			}
			for _, c := range v.Climbed {
				say := string(c.Do) + " " + c.To + " " + c.At.Sub(start).String()
				if c.Skipped {
					say += " skipped " + string(c.Why)
				}
				out = append(out, say)
			}
		}
		return err
	})
	return out
}

// Fault 25: the on-call nurse does not acknowledge. The ladder climbs to the next nurse, to whoever answers for the nurses, then the
// patient is sent to her own plan, then the desk calls; every rung is in the history with its time, and the desk has one row for each
// who was called, not one for each rung.
func TestFault25NobodyAcknowledges(t *testing.T) {
	each(t, func(h *house) {
		h.onCall()
		h.tooHeavy()
		if got := h.SMS.Took(); len(got) != 3 || !slices.ContainsFunc(got, func(m string) bool { return strings.HasPrefix(m, danaPhone) }) {
			t.Errorf("at once: %q", got)
		}
		for _, step := range []struct {
			after time.Duration
			want  string
		}{{10 * time.Minute, mayaPhone}, {20 * time.Minute, oseiPhone}, {30 * time.Minute, ruthPhone + ": …your own plan"}, {40 * time.Minute, omarPhone}} {
			h.At(step.after - time.Second)
			h.Want(h.SMS)
			h.At(step.after)
			h.Want(h.SMS, step.want)
		}
		want := []string{"page role:nurse 0s", "tell patient 0s", "tell caregivers 0s", "page next:nurse 10m0s", "page role:clinician 20m0s", "tell patient 30m0s", "page role:desk 40m0s"}
		if got := h.climbs(watch.CallKind); !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
		if got := h.Tasks(); got != "clinician task.alert, desk task.call, nurse task.alert" && got != "nurse task.alert, clinician task.alert, desk task.call" {
			t.Errorf("tasks %s", got)
		}
		h.At(time.Hour)
		h.Want(h.SMS)
		h.Read(func(tx *store.Tx) error {
			list, err := h.Promises.Of(tx, org, h.Ruth.ID, start, start.Add(time.Hour))
			if len(list) != 1 || list[0].State != promise.Broken {
				t.Errorf("nobody called and it is not broken: %+v", list)
			}
			return err
		})
		h.sound()
	})
}

// Fault 25: once somebody has taken the alert nobody else is woken for it, and the history says that the rungs were needless. The
// call itself is still owed: the desk hears of it when it has not been made.
func TestFault25Acknowledged(t *testing.T) {
	each(t, func(h *house) {
		h.onCall()
		h.tooHeavy()
		h.SMS.Took()
		h.At(5 * time.Minute)
		h.Write(func(tx *store.Tx) error {
			list, err := h.Promises.Tasks(tx, org)
			if err != nil {
				return err
			}
			_, err = h.Promises.Take(tx, person.Viewer{Org: org, Person: h.Dana.ID, Role: person.Nurse}, list[0].ID)
			return err
		})
		for _, m := range []int{10, 20, 30, 39} {
			h.At(time.Duration(m) * time.Minute)
			h.Want(h.SMS)
		}
		h.At(40 * time.Minute)
		h.Want(h.SMS, omarPhone)
		got := h.climbs(watch.CallKind)
		want := []string{"page next:nurse 10m0s skipped taken", "page role:clinician 20m0s skipped taken", "tell patient 30m0s skipped taken", "page role:desk 40m0s"}
		if len(got) != 7 || !slices.Equal(got[3:], want) {
			t.Errorf("%q", got)
		}
		h.sound()
	})
}

// Fault 26: a snooze that would outlast the shift ends with it; until then and after, the row is on the hand-over list, and with the
// end of the shift it is back on the desk. A severe one cannot be put aside.
func TestFault26SnoozeEndsWithTheShift(t *testing.T) {
	each(t, func(h *house) {
		maya, _ := h.onCall()
		h.Write(func(tx *store.Tx) error {
			return h.Promises.OpenTask(tx, promise.TaskRow{Org: org, Patient: h.Ruth.ID, ID: "row", Kind: "call", Role: person.Nurse, Severity: promise.Watch, Say: "task.call", Cause: "call"})
		})
		h.Write(func(tx *store.Tx) error {
			return h.Promises.OpenTask(tx, promise.TaskRow{Org: org, Patient: h.Ruth.ID, ID: "bad", Kind: "call", Role: person.Nurse, Severity: promise.Severe, Say: "task.call", Cause: "call"})
		})
		end := start.Add(7 * time.Hour)
		h.At(5 * time.Hour)
		dana := person.Viewer{Org: org, Person: h.Dana.ID, Role: person.Nurse}
		h.Write(func(tx *store.Tx) error {
			row, err := h.Promises.Snooze(tx, dana, "row", start.Add(9*time.Hour))
			if !row.Snoozed.Equal(end) {
				t.Errorf("put aside until %v, want the end of the shift %v", row.Snoozed, end)
			}
			return err
		})
		if err := h.DB.Write(t.Context(), func(tx *store.Tx) error { _, err := h.Promises.Snooze(tx, dana, "bad", end); return err }); err == nil {
			t.Error("a severe row was put aside")
		}
		handOver := func(when string, want time.Time) {
			h.Read(func(tx *store.Tx) error {
				list, err := h.Promises.HandOver(tx, org)
				if len(list) != 1 || list[0].ID != "row" || list[0].Owner != h.Dana.ID || !list[0].Snoozed.Equal(want) {
					t.Errorf("%s: the hand-over list has %+v", when, list)
				}
				return err
			})
		}
		handOver("during the shift", end)
		h.At(7*time.Hour + time.Minute) // Maya's now
		handOver("after the shift", end)
		h.Read(func(tx *store.Tx) error {
			list, err := h.Promises.Tasks(tx, org)
			for _, x := range list {
				if x.ID == "row" && x.Snoozed.After(h.Clock.Now()) {
					t.Error("the row still hides after the shift")
				}
			}
			return err
		})
		// Somebody who is on no shift borrows no longer than the clinic's longest.
		h.Write(func(tx *store.Tx) error {
			row, err := h.Promises.Snooze(tx, person.Viewer{Org: org, Person: maya.ID, Role: person.Nurse}, "row", h.Clock.Now().Add(30*24*time.Hour))
			if got := row.Snoozed.Sub(h.Clock.Now()); got != promise.LongestSnooze {
				t.Errorf("put aside for %v", got)
			}
			return err
		})
	})
}
