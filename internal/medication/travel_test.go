package medication_test

import (
	"strings"
	"testing"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/medication"
	"doorstep/internal/medication/timing"
	"doorstep/internal/store"
)

// due answers when Ruth's open doses are due, in UTC.
func (h *house) due() string {
	h.Helper()
	var out []string
	for _, p := range h.promises() {
		out = append(out, p.From.UTC().Format("02 15:04"))
	}
	return strings.Join(out, ", ")
}

func (h *house) zone(name string) {
	h.Helper()
	h.Write(func(tx *store.Tx) error { return h.Medication.SetZone(tx, org, h.Ruth.ID, name) })
	h.Write(func(tx *store.Tx) (err error) { h.Ruth, err = h.People.Get(tx, org, h.Ruth.ID); return err })
	h.Settle()
}

func (h *house) moving() (m medication.Moving, ok bool) {
	h.Helper()
	h.Read(func(tx *store.Tx) (err error) { m, ok, err = h.Medication.Moving(tx, h.Ruth); return err })
	return m, ok
}

// Fault 16: Ruth comes to Berlin. Nothing moves; she is asked; by her word the doses move, or stay; at home nothing is left over.
func TestFault16Travel(t *testing.T) {
	t.Run("moves", func(t *testing.T) {
		each(t, func(h *house) {
			h.takes("a", "Carvedilol", "08:00:00", "18:00:00")
			h.At(time.Hour) // 08:30 in New York, 14:30 in Berlin
			h.SMS.Took()
			before := h.due()
			h.zone("Europe/Berlin")
			if got := h.due(); got != before {
				t.Errorf("moved silently: %s, was %s", got, before)
			}
			h.Want(h.SMS, "new time zone…Reply C1")
			m, ok := h.moving()
			if !ok || m.From != "America/New_York" || m.To != "Europe/Berlin" || m.Next.UTC().Format("15:04") != "23:00" || m.Moved.IsZero() {
				t.Errorf("%+v %v", m, ok)
			}
			h.zone("Europe/Berlin") // saying it again asks nothing new
			h.Want(h.SMS)
			h.Receive(ruthPhone, "C1")
			h.Want(h.SMS, "follow the clock where you are")
			// 18:00 in Berlin is 17:00 UTC, four hours after the last: too soon. By the old clock 23:00, by the new one 07:00.
			if got := h.due(); !strings.HasSuffix(got, "02 23:00, 03 07:00, 03 17:00, 04 07:00") && !strings.HasSuffix(got, "02 23:00, 03 07:00, 03 17:00") {
				t.Errorf("after the word: %s", got)
			}
			if _, ok := h.moving(); ok {
				t.Error("still asked")
			}
			h.At(24 * time.Hour)
			h.SMS.Took()
			h.zone("America/New_York")
			h.Want(h.SMS, "new time zone")
			h.Receive(ruthPhone, "1")
		})
	})
	t.Run("stays", func(t *testing.T) {
		each(t, func(h *house) {
			h.takes("a", "Carvedilol", "08:00:00", "18:00:00")
			h.At(0)
			before := h.due()
			h.zone("Europe/Berlin")
			m, _ := h.moving()
			h.Write(func(tx *store.Tx) error {
				return h.Medication.Zoned(tx, medication.Word{Org: org, Patient: h.Ruth.ID, Promise: m.Promise, By: h.Ruth.ID, Kind: "tap", Source: "page", At: h.Clock.Now()}, false)
			})
			if got := h.due(); got != before {
				t.Errorf("%s, was %s", got, before)
			}
			err := h.DB.Write(t.Context(), func(tx *store.Tx) error {
				return h.Medication.Zoned(tx, medication.Word{Org: org, Patient: h.Ruth.ID, Promise: m.Promise, By: h.Ruth.ID, Kind: "tap", Source: "page", At: h.Clock.Now()}, true)
			})
			if !fault.Is(err, fault.Conflict) {
				t.Errorf("answered twice: %v", err)
			}
			h.zone("America/New_York")
			if _, ok := h.moving(); ok {
				t.Error("asked at home")
			}
		})
	})
	t.Run("no word", func(t *testing.T) {
		each(t, func(h *house) {
			h.takes("a", "Carvedilol", "08:00:00")
			before := h.due()
			h.zone("Europe/Berlin")
			h.At(7 * time.Hour)
			if got := h.Tasks(); !strings.Contains(got, "nurse task.travel") && !strings.Contains(got, "nurse travel") {
				t.Errorf("tasks %q", got)
			}
			if got := h.due(); !strings.HasSuffix(before, got) {
				t.Errorf("%s, was %s", got, before)
			}
		})
	})
	t.Run("locked", func(t *testing.T) {
		each(t, func(h *house) {
			for i, policy := range []timing.Policy{timing.Home, timing.Interval} {
				h.Write(func(tx *store.Tx) error {
					_, err := h.Medication.Save(tx, medication.Regimen{Org: org, Patient: h.Ruth.ID, Name: string(policy), Authored: authored, Policy: policy, Dosage: daily([]fhir.WallTime{"09:00:00", "10:00:00"}[i])})
					return err
				})
			}
			before := h.due()
			h.zone("Europe/Berlin")
			if _, ok := h.moving(); ok || h.due() != before {
				t.Errorf("asked about what follows home: %s, was %s", h.due(), before)
			}
			h.Want(h.SMS)
		})
	})
	t.Run("a zone that is none", func(t *testing.T) {
		each(t, func(h *house) {
			if err := h.DB.Write(t.Context(), func(tx *store.Tx) error { return h.Medication.SetZone(tx, org, h.Ruth.ID, "Mars/Olympus") }); !fault.Is(err, fault.Invalid) {
				t.Error(err)
			}
		})
	})
}

// A medicine for when it is needed: no reminder, the prescriber's limits counted, and what was taken is noted even when too soon.
func TestAsNeeded(t *testing.T) {
	each(t, func(h *house) {
		yes := true
		h.Write(func(tx *store.Tx) error {
			_, err := h.Medication.Save(tx, medication.Regimen{Org: org, Patient: h.Ruth.ID, ID: "p", Name: "Paracetamol", Authored: authored, Dosage: []fhir.Dosage{{AsNeededBoolean: &yes,
				Timing:           &fhir.Timing{Repeat: &fhir.Repeat{Frequency: 1, Period: "4", PeriodUnit: "h"}},
				DoseAndRate:      []fhir.DoseAndRate{{DoseQuantity: &fhir.Quantity{Value: "2", Unit: "tablet"}}},
				MaxDosePerPeriod: &fhir.Ratio{Numerator: &fhir.Quantity{Value: "6", Unit: "tablet"}, Denominator: &fhir.Quantity{Value: "24", Code: "h"}}}}})
			return err
		})
		take := func(at time.Duration, early bool) {
			t.Helper()
			h.At(at)
			h.Write(func(tx *store.Tx) error {
				in, err := h.Medication.Take(tx, medication.Intake{Org: org, Patient: h.Ruth.ID, Regimen: "p", By: h.Ruth.ID, Source: "page"})
				if in.Early != early {
					t.Errorf("at %s: early is %v", at, in.Early)
				}
				return err
			})
		}
		earliest := func() time.Duration {
			t.Helper()
			var list []medication.Needed
			h.Read(func(tx *store.Tx) (err error) { list, err = h.Medication.Needed(tx, org, h.Ruth.ID); return err })
			if len(list) != 1 || list[0].Each != 2 || list[0].Unit != "tablet" {
				t.Fatalf("%+v", list)
			}
			return list[0].Earliest.Sub(start)
		}
		take(0, false)
		take(5*time.Hour, false)
		if got := earliest(); got != 9*time.Hour {
			t.Errorf("earliest %s", got)
		}
		take(10*time.Hour, false)
		if got := earliest(); got != 24*time.Hour { // six tablets: the first two must be a day old
			t.Errorf("earliest %s", got)
		}
		if got := h.Tasks(); got != "" {
			t.Errorf("tasks %q", got)
		}
		take(11*time.Hour, true)
		if got := h.Tasks(); got != "nurse task.dose.early" {
			t.Errorf("tasks %q", got)
		}
		h.Want(h.SMS)
		for _, in := range []medication.Intake{{Regimen: "none"}, {Regimen: "p", At: h.Clock.Now().Add(time.Hour)}} {
			in.Org, in.Patient = org, h.Ruth.ID
			if err := h.DB.Write(t.Context(), func(tx *store.Tx) error { _, err := h.Medication.Take(tx, in); return err }); err == nil {
				t.Errorf("%+v was taken", in)
			}
		}
	})
}
