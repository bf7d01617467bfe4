package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/rule"
	"doorstep/internal/store"
)

// weighed enrols somebody with a device of a kind and a rule on a series.
func (h *house) weighed(n int, kind, series, severity string) (person.Person, reading.Device) {
	h.Helper()
	p := h.Enrol(person.Person{Role: person.Patient, Name: fmt.Sprintf("Patient %d", n), BirthYear: 1950}, fmt.Sprintf("+1555020%04d", n))
	id, _, err := h.Readings.Register(h.Context(), string(org), kind)
	if err != nil {
		h.Fatal(err)
	}
	if err := h.Readings.Assign(h.Context(), string(org), id, string(p.ID), start.AddDate(0, 0, -2), time.Time{}); err != nil {
		h.Fatal(err)
	}
	h.Write(func(tx *store.Tx) error {
		_, err := h.Readings.SetRule(tx, reading.Rule{Org: string(org), Patient: string(p.ID), Rule: rule.Rule{Series: series, Above: rule.Limit{Kind: rule.Absolute, Value: 100}, Severity: severity}})
		return err
	})
	return p, reading.Device{ID: id, Org: string(org), Kind: kind}
}

// Fault 24: the network comes back and 500 people's mornings alert at once. The nurse on duty gets one call for the cause; two severe
// ones among them call for themselves; somebody whose trouble is of another cause is not starved: that calls too. Every patient is told
// who acts, every alert has its row and its promise, and those that nobody takes climb on: the next nurse is called, once. After the
// window a new one of the cause is a call again.
func TestFault24ACrowdOfAlerts(t *testing.T) {
	each(t, func(h *house) {
		const crowd, severe = 500, 2
		h.onCall()
		devices := make([]reading.Device, 0, crowd+severe)
		for i := range crowd + severe {
			severity := "urgent"
			if i >= crowd {
				severity = "severe"
			}
			_, d := h.weighed(i, "scale", weight, severity)
			devices = append(devices, d)
		}
		other, cuff := h.weighed(9000, "oximeter", "8867-4", "urgent")
		_, spare := h.weighed(9001, "scale", weight, "urgent")
		send := func(d reading.Device, series, unit string, ago time.Duration) {
			if _, err := h.Readings.Ingest(t.Context(), d, []reading.Reading{{At: h.Clock.Now().Add(-ago), Series: series, Value: 150, Unit: unit}}); err != nil {
				t.Fatal(err)
			}
		}
		for _, d := range devices {
			send(d, weight, "kg", 5*time.Hour)
		}
		send(cuff, "8867-4", "/min", 0)
		h.Settle()
		count := func() map[string]int {
			out := map[string]int{}
			for _, m := range h.SMS.Took() {
				to, _, _ := strings.Cut(m, ":")
				out[to]++
			}
			return out
		}
		got := count()
		if got[danaPhone] != 1+severe+1 {
			t.Errorf("Dana was called %d times, want once for the cause, %d times for severe ones, once for another cause", got[danaPhone], severe)
		}
		for _, n := range []int{0, 250, 499, 501, 9000} {
			if phone := fmt.Sprintf("+1555020%04d", n); got[phone] != 1 {
				t.Errorf("patient %d was told %d times", n, got[phone])
			}
		}
		h.Read(func(tx *store.Tx) error {
			list, err := h.Promises.Tasks(tx, org)
			causes, people := map[string]int{}, map[person.ID]bool{}
			for _, x := range list {
				causes[x.Cause]++
				people[x.Patient] = true
			}
			if causes["alert back scale"] != crowd+severe || causes["alert rule 8867-4 oximeter -"] != 1 || len(people) != crowd+severe+1 || list[0].Severity != promise.Severe {
				t.Errorf("rows by cause: %v", causes)
			}
			weeks, err2 := h.Watch.Weeks(tx, org, "t", h.Clock.Now().Add(time.Second), 1)
			if err2 == nil && (weeks[0].Alerts != crowd+severe+1 || len(weeks[0].Spends) != 2 || weeks[0].Spends[0].Patients != crowd+severe) {
				t.Errorf("the week: %+v", weeks)
			}
			// What was held back stands in the outbox, as held back.
			held, err3 := store.All(tx, "SELECT COUNT(*) FROM message WHERE org = $1 AND person = $2 AND state = $3", []any{string(org), string(h.Dana.ID), int(message.Dropped)},
				func(scan func(...any) error) (n int, err error) { return n, scan(&n) })
			if err3 == nil && held[0] != crowd-1 {
				t.Errorf("%d calls were held back, want %d", held[0], crowd-1)
			}
			if err == nil {
				err = err2
			}
			if err == nil {
				err = err3
			}
			return err
		})
		// Dana takes the one of another cause. Nobody takes the crowd: it goes on to Maya, as one call and two severe ones.
		h.Write(func(tx *store.Tx) error {
			list, err := h.Promises.TasksOf(tx, org, other.ID, 1)
			if err != nil {
				return err
			}
			_, err = h.Promises.Take(tx, person.Viewer{Org: org, Person: h.Dana.ID, Role: person.Nurse}, list[0].ID)
			return err
		})
		h.At(message.CauseWindow)
		if got := count(); got[mayaPhone] != 1+severe || got[danaPhone] != 0 {
			t.Errorf("after ten minutes Maya was called %d times, Dana %d times", got[mayaPhone], got[danaPhone])
		}
		h.At(message.CauseWindow + time.Minute)
		send(spare, weight, "kg", 5*time.Hour)
		h.Settle()
		if got := count(); got[danaPhone] != 1 {
			t.Errorf("a new one after the window called Dana %d times", got[danaPhone])
		}
		h.sound()
	})
}

// Fault 24: a bad batch of one kind of device puts one signal beyond its limit for everybody who has one: one cause, one call; people with
// another kind of device are another cause. A group that is closed as one leaves nothing of it open.
func TestFault24ABadBatchOfDevices(t *testing.T) {
	each(t, func(h *house) {
		h.onCall()
		const crowd = 60
		for i := range crowd {
			kind := "scale mark 2"
			if i%20 == 0 {
				kind = "scale mark 1"
			}
			_, d := h.weighed(i, kind, weight, "urgent")
			if _, err := h.Readings.Ingest(t.Context(), d, []reading.Reading{{At: h.Clock.Now(), Series: weight, Value: 150, Unit: "kg"}}); err != nil {
				t.Fatal(err)
			}
		}
		h.Settle()
		if n := h.texts(danaPhone); n != 2 {
			t.Errorf("Dana was called %d times for two causes", n)
		}
		h.Read(func(tx *store.Tx) error {
			list, err := h.Promises.Tasks(tx, org)
			causes := map[string]int{}
			for _, x := range list {
				causes[x.Cause]++
			}
			if len(causes) != 2 || causes["alert rule 29463-7 scale_mark_2 -"] != crowd-crowd/20 || causes["alert rule 29463-7 scale_mark_1 -"] != crowd/20 {
				t.Errorf("rows by cause: %v", causes)
			}
			return err
		})
		h.sound()
	})
}
