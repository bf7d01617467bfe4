package medication_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/medication"
	"doorstep/internal/promise"
	"doorstep/internal/record"
	"doorstep/internal/store"
)

var authored = clock.Day{Year: 2026, Month: 3, Date: 1}

func daily(times ...fhir.WallTime) []fhir.Dosage {
	return []fhir.Dosage{{Timing: &fhir.Timing{Repeat: &fhir.Repeat{Frequency: len(times), Period: "1", PeriodUnit: "d", TimeOfDay: times}}}}
}

// takes saves a medicine of Ruth's; the same id changes it.
func (h *house) takes(id, name string, times ...fhir.WallTime) {
	h.Helper()
	h.Write(func(tx *store.Tx) error {
		_, err := h.Medication.Save(tx, medication.Regimen{Org: org, Patient: h.Ruth.ID, ID: id, Name: name, Authored: authored, Dosage: daily(times...)})
		return err
	})
}

// all answers Ruth's doses of some days as "02 15:04 status names", in New York.
func (h *house) all(days int) string {
	h.Helper()
	var out []string
	h.Read(func(tx *store.Tx) error {
		list, err := h.Medication.Between(tx, h.Ruth, start.Add(-12*time.Hour), start.AddDate(0, 0, days))
		for _, d := range list {
			line := d.Due.In(h.Ruth.Location()).Format("02 15:04 ") + string(d.Status)
			for _, i := range d.Items {
				line += " " + i.Name
			}
			out = append(out, line)
		}
		return err
	})
	return strings.Join(out, ", ")
}

func (h *house) promises() (out []promise.Promise) {
	h.Helper()
	h.Read(func(tx *store.Tx) (err error) {
		out, err = h.Promises.OpenOf(tx, org, h.Ruth.ID, medication.Kind)
		return err
	})
	return out
}

func (h *house) opened(at time.Duration) {
	h.Helper()
	h.Clock.Set(start.Add(at))
	h.Write(func(tx *store.Tx) error { return h.Medication.Opened(tx, org, h.Ruth.ID, h.Clock.Now(), "pill box") })
	h.Settle()
}

// Doses are promised 36 hours ahead, what is due together as one; planning again changes nothing; a change and a stop replan.
func TestPlanning(t *testing.T) {
	each(t, func(h *house) {
		h.takes("a", "Carvedilol", "08:00:00", "18:00:00")
		h.takes("b", "Furosemide", "08:00:00")
		want := "02 08:00 later Carvedilol Furosemide, 02 18:00 later Carvedilol, 03 08:00 later Carvedilol Furosemide, 03 18:00 later Carvedilol"
		if got := h.all(5); got != want {
			t.Errorf("%s, want %s", got, want)
		}
		for range 2 {
			h.Write(func(tx *store.Tx) error { return h.Medication.Plan(tx, org, h.Ruth.ID) })
			if n, err := h.Medication.PlanDue(t.Context()); n != 0 || err != nil {
				t.Errorf("planned %d, %v", n, err)
			}
		}
		if n := len(h.promises()); n != 4 {
			t.Errorf("%d promises, want 4", n)
		}
		h.takes("a", "Carvedilol", "08:00:00")
		if got := h.all(5); got != "02 08:00 later Carvedilol Furosemide, 03 08:00 later Carvedilol Furosemide" {
			t.Errorf("changed: %s", got)
		}
		h.Write(func(tx *store.Tx) error { return h.Medication.Stop(tx, org, h.Ruth.ID, "a") })
		h.Write(func(tx *store.Tx) error { return h.Medication.Stop(tx, org, h.Ruth.ID, "b") })
		if got := h.all(5); got != "" || len(h.promises()) != 0 {
			t.Errorf("stopped: %s", got)
		}
		if err := h.DB.Write(t.Context(), func(tx *store.Tx) error { return h.Medication.Stop(tx, org, h.Ruth.ID, "b") }); !fault.Is(err, fault.NotFound) {
			t.Errorf("stopped twice: %v", err)
		}
		h.Clock.Set(start.Add(25 * time.Hour))
		if n, err := h.Medication.PlanDue(t.Context()); n != 1 || err != nil {
			t.Errorf("a day later %d were planned, %v", n, err)
		}
	})
}

// An opened box is opened, never taken, and ends the reminders; a second opening is asked about once, and both answers work.
func TestOpenings(t *testing.T) {
	for number, task := range map[int]string{1: "", 2: "nurse task.dose.second"} {
		t.Run(fmt.Sprint(number), func(t *testing.T) {
			each(t, func(h *house) {
				h.takes("a", "Carvedilol", "08:00:00")
				h.opened(0) // half an hour before
				h.opened(5 * time.Minute)
				h.At(time.Hour)
				h.Want(h.SMS)
				if got := h.all(1); got != "02 08:00 opened Carvedilol" {
					t.Error(got)
				}
				h.opened(65 * time.Minute)
				h.opened(85 * time.Minute)
				h.Want(h.SMS, "opened again at 8:35 am…Reply A1 if you took none, A2")
				h.Receive(ruthPhone, fmt.Sprintf("A%d", number))
				if got := h.Tasks(); got != task {
					t.Errorf("tasks %q, want %q", got, task)
				}
				if got := h.all(1); got != "02 08:00 opened Carvedilol" {
					t.Error(got)
				}
				h.opened(8 * time.Hour) // near no dose
			})
		})
	}
}

// What is said about a dose, when, and what it is then called; a word by somebody else is kept as theirs.
func TestStatuses(t *testing.T) {
	each(t, func(h *house) {
		h.takes("a", "Carvedilol", "08:00:00", "09:00:00", "10:00:00", "11:00:00")
		say := func(i int, at time.Duration, w medication.Word) {
			t.Helper()
			h.At(at)
			w.Org, w.Patient, w.At, w.Promise = org, h.Ruth.ID, h.Clock.Now(), promise.ID(clock.DerivedID("dose", string(org), string(h.Ruth.ID),
				start.Add(time.Duration(30+60*i)*time.Minute).Format(time.RFC3339)))
			h.Write(func(tx *store.Tx) error { return h.Medication.Say(tx, w) })
		}
		say(0, 40*time.Minute, medication.Word{Taken: true, By: h.Dana.ID, For: h.Ruth.ID, Kind: "word", Source: "telephone"})
		say(1, 125*time.Minute, medication.Word{Taken: true, By: h.Ruth.ID, Kind: "tap", Source: "page"})
		say(2, 155*time.Minute, medication.Word{Reason: "reason.sick", By: h.Ruth.ID, Kind: "tap", Source: "page"})
		h.At(6 * time.Hour)
		if got := h.all(1); !strings.HasPrefix(got, "02 08:00 taken Carvedilol, 02 09:00 late Carvedilol, 02 10:00 skipped Carvedilol, 02 11:00 missed Carvedilol") {
			t.Error(got)
		}
		h.Read(func(tx *store.Tx) error {
			list, err := h.Promises.Of(tx, org, h.Ruth.ID, start, start.Add(time.Hour))
			if err != nil || len(list) != 1 || len(list[0].Evidence) != 1 || list[0].Evidence[0].By != string(h.Dana.ID) || list[0].Evidence[0].For != string(h.Ruth.ID) {
				t.Errorf("%+v, %v", list, err)
			}
			return nil
		})
	})
}

// Fault 15: on the night on which 02:30 does not exist the dose happens once, an hour later by the clock.
func TestFault15Spring(t *testing.T) {
	each(t, func(h *house) {
		h.Clock.Set(time.Date(2026, 3, 7, 17, 0, 0, 0, time.UTC)) // noon of the day before
		h.takes("a", "Carvedilol", "02:30:00")
		if got := h.all(20); got != "08 03:30 later Carvedilol" {
			t.Error(got)
		}
	})
}

// The record's active prescriptions become regimens, once; what it no longer asks for stops; what cannot be understood is told.
func TestAdopt(t *testing.T) {
	each(t, func(h *house) {
		prescription := func(id, status, name string, d []fhir.Dosage) record.Resource {
			b, err := json.Marshal(map[string]any{"resourceType": "MedicationRequest", "id": id, "status": status, "authoredOn": "2026-03-01",
				"medicationCodeableConcept": map[string]string{"text": name}, "dosageInstruction": d})
			if err != nil {
				t.Fatal(err)
			}
			return record.Resource{Type: "MedicationRequest", ID: id, Body: b}
		}
		odd := []fhir.Dosage{{Timing: &fhir.Timing{Repeat: &fhir.Repeat{Frequency: 1, Period: "1", PeriodUnit: "fortnight"}}}}
		adopt := func(list ...record.Resource) (left []medication.Unfollowed) {
			t.Helper()
			h.Write(func(tx *store.Tx) (err error) { left, err = h.Medication.Adopt(tx, org, h.Ruth.ID, list); return err })
			return left
		}
		for range 2 {
			left := adopt(prescription("1", "active", "Carvedilol", daily("08:00:00")), prescription("2", "stopped", "Aspirin", daily("08:00:00")),
				prescription("3", "active", "Odd", odd), record.Resource{ID: "4", Body: []byte("{")})
			if len(left) != 2 || left[0].Name != "Odd" || left[0].Reason == "" || left[1].Record != "4" {
				t.Errorf("%+v", left)
			}
			if got := h.all(5); got != "02 08:00 later Carvedilol, 03 08:00 later Carvedilol" {
				t.Error(got)
			}
		}
		adopt(prescription("1", "completed", "Carvedilol", daily("08:00:00")))
		if got := h.all(5); got != "" {
			t.Errorf("after the end: %s", got)
		}
	})
}
