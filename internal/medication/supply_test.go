package medication_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/medication"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

func dayOf(s string) clock.Day {
	d, err := clock.ParseDay(s)
	if err != nil {
		panic(err)
	}
	return d
}

func TestPharmacyOrders(t *testing.T) {
	t.Parallel()
	sundays := medication.Closed{Weekdays: []time.Weekday{time.Sunday}}
	for _, c := range []struct {
		name                 string
		shop                 medication.Pharmacy
		runOut, order, ready string
	}{
		{"midweek", medication.Pharmacy{Lead: 2, Closed: sundays}, "2026-03-12", "2026-03-09", "2026-03-11"},
		{"over a Sunday", medication.Pharmacy{Lead: 2, Closed: sundays}, "2026-03-11", "2026-03-07", "2026-03-10"},
		{"ready on Saturday for a Monday", medication.Pharmacy{Lead: 0, Closed: sundays}, "2026-03-09", "2026-03-07", "2026-03-07"},
		{"no lead, always open", medication.Pharmacy{}, "2026-03-09", "2026-03-08", "2026-03-08"},
		{"a holiday", medication.Pharmacy{Lead: 1, Closed: medication.Closed{Days: []clock.Day{dayOf("2026-12-25")}}}, "2026-12-26", "2026-12-23", "2026-12-24"},
	} {
		order, ready := c.shop.Order(dayOf(c.runOut))
		if order.String() != c.order || ready.String() != c.ready {
			t.Errorf("%s: order %s, ready %s, want %s and %s", c.name, order, ready, c.order, c.ready)
		}
	}
}

// takesTablets lets Ruth take two tablets at eight each morning.
func (h *house) takesTablets() {
	h.Helper()
	d := daily("08:00:00")
	d[0].DoseAndRate = []fhir.DoseAndRate{{DoseQuantity: &fhir.Quantity{Value: "2", Unit: "tablet"}}}
	h.Write(func(tx *store.Tx) error {
		_, err := h.Medication.Save(tx, medication.Regimen{Org: org, Patient: h.Ruth.ID, ID: "a", Record: "rx", Name: "Carvedilol", Authored: authored, Dosage: d})
		return err
	})
}

func (h *house) stock() medication.Stock {
	h.Helper()
	var list []medication.Stock
	h.Read(func(tx *store.Tx) (err error) { list, err = h.Medication.Stocks(tx, org, h.Ruth.ID); return err })
	if len(list) != 1 {
		h.Fatalf("%d stocks", len(list))
	}
	return list[0]
}

func (h *house) needs() (list []medication.Need) {
	h.Helper()
	h.Read(func(tx *store.Tx) (err error) { list, err = h.Medication.Needs(tx, org, h.Ruth.ID); return err })
	return list
}

// mornings lets days pass; Ruth opens her box on those for which opens says so.
func (h *house) mornings(from, to int, opens func(day int) bool) {
	h.Helper()
	for i := from; i < to; i++ {
		h.At(time.Duration(i)*24*time.Hour + 30*time.Minute)
		if err := h.Round(h.Context()); err != nil {
			h.Fatal(err)
		}
		if opens(i) {
			h.Write(func(tx *store.Tx) error { return h.Medication.Opened(tx, org, h.Ruth.ID, h.Clock.Now(), "pill box") })
		}
		h.Settle()
	}
}

// The supply is counted down by Ruth's own use; in time for the pharmacy a need and a promise are made, once; what comes in keeps it.
func TestRefill(t *testing.T) {
	each(t, func(h *house) {
		h.takesTablets()
		h.Write(func(tx *store.Tx) error {
			if err := h.Medication.SetPharmacy(tx, org, h.Ruth.ID, medication.Pharmacy{Name: "Main Street", Lead: 2, Closed: medication.Closed{Weekdays: []time.Weekday{time.Sunday}}}); err != nil {
				return err
			}
			return h.Medication.AddFill(tx, org, h.Ruth.ID, medication.Fill{Regimen: "a", Day: dayOf("2026-03-02"), Quantity: 60, Unit: "Tablets"})
		})
		if x := h.stock(); x.OnHand != 60 || x.Own || x.PerDay != 2 || x.RunOut.String() != "2026-04-01" || x.Unit != "tablet" {
			t.Errorf("%+v", x)
		}
		if n := len(h.needs()); n != 0 {
			t.Errorf("%d needs at the beginning", n)
		}
		// Nine mornings of ten: 1.8 tablets a day, not 2.
		h.mornings(0, 20, func(day int) bool { return day%10 != 9 })
		x := h.stock()
		if !x.Own || x.OnHand != 60-18*2 || math.Abs(x.PerDay-36.0/19) > 1e-9 || !x.Earliest.Before(x.Latest) || x.RunOut.Before(x.Earliest) {
			t.Errorf("%+v", x)
		}
		h.SMS.Took()
		h.mornings(20, 30, func(day int) bool { return day%10 != 9 })
		needs := h.needs()
		if len(needs) != 1 || needs[0].About != "a" || needs[0].Way != "" {
			t.Fatalf("%+v", needs)
		}
		told := 0
		for _, text := range h.SMS.Took() {
			if strings.Contains(text, "runs out soon") {
				told++
			}
		}
		if told != 1 || !strings.Contains(h.Tasks(), "desk task.refill") {
			t.Errorf("told %d times, tasks %q", told, h.Tasks())
		}
		h.Write(func(tx *store.Tx) error { return h.Medication.Arrange(tx, org, h.Ruth.ID, needs[0].ID, "delivery") })
		if err := h.DB.Write(t.Context(), func(tx *store.Tx) error { return h.Medication.Arrange(tx, org, h.Ruth.ID, needs[0].ID, "by balloon") }); !fault.Is(err, fault.Invalid) {
			t.Error(err)
		}
		var open []promise.Promise
		h.Read(func(tx *store.Tx) (err error) {
			open, err = h.Promises.OpenOf(tx, org, h.Ruth.ID, medication.Refill)
			return err
		})
		if len(open) != 1 || open[0].Keeper.Who != "desk" {
			t.Fatalf("%+v", open)
		}
		// The hand-out comes by the record, and again.
		b, err := json.Marshal(map[string]any{"resourceType": "MedicationDispense", "id": "d1", "status": "completed", "subject": map[string]string{"reference": "Patient/ruth"},
			"authorizingPrescription": []map[string]string{{"reference": "MedicationRequest/rx"}}, "quantity": map[string]any{"value": 60, "unit": "tablet"},
			"daysSupply": map[string]any{"value": 30, "unit": "d"}, "whenHandedOver": h.Clock.Now().Format(time.DateOnly)})
		if err != nil {
			t.Fatal(err)
		}
		h.Write(func(tx *store.Tx) error {
			h.Ruth.Record = "ruth"
			_, err := h.People.Save(tx, h.Ruth)
			return err
		})
		rx, _ := json.Marshal(map[string]any{"resourceType": "MedicationRequest", "id": "rx", "status": "active", "authoredOn": "2026-03-01", "subject": map[string]string{"reference": "Patient/ruth"},
			"medicationCodeableConcept": map[string]string{"text": "Carvedilol"}, "dosageInstruction": []map[string]any{{"timing": map[string]any{"code": map[string]string{"text": "QD"}},
				"doseAndRate": []map[string]any{{"doseQuantity": map[string]any{"value": 2, "unit": "tablet"}}}}}})
		h.Write(func(tx *store.Tx) error {
			if _, err := h.Record.Put(tx, string(org), rx); err != nil {
				return err
			}
			_, err := h.Record.Put(tx, string(org), b)
			return err
		})
		odd := `{"resourceType":"MedicationRequest","id":"odd","status":"active","authoredOn":"2026-03-01","subject":{"reference":"Patient/ruth"},
			"medicationCodeableConcept":{"text":"Odd"},"dosageInstruction":[{"timing":{"repeat":{"frequency":1,"period":1,"periodUnit":"fortnight"}}}]}`
		h.Write(func(tx *store.Tx) error { _, err := h.Record.Put(tx, string(org), []byte(odd)); return err })
		before := h.stock().OnHand
		for range 2 {
			if _, err := h.Medication.Follow(t.Context(), h.Record, org); err != nil {
				t.Fatal(err)
			}
		}
		h.Read(func(tx *store.Tx) error {
			left, err := h.Medication.Unfollowed(tx, org, h.Ruth.ID)
			if err != nil || len(left) != 1 || left[0].Name != "Odd" || !strings.HasPrefix(left[0].Reason, "dosageInstruction[0].timing.repeat.periodUnit: ") {
				t.Errorf("%+v %v", left, err)
			}
			return nil
		})
		var fills []medication.Fill
		h.Read(func(tx *store.Tx) (err error) { fills, err = h.Medication.Fills(tx, org, h.Ruth.ID); return err })
		if len(fills) != 2 || fills[1].Record != "d1" || fills[1].Days != 30 || fills[1].Regimen != "a" {
			t.Fatalf("%+v", fills)
		}
		if x := h.stock(); x.OnHand != before+60 {
			t.Errorf("on hand %v, was %v", x.OnHand, before)
		}
		h.Read(func(tx *store.Tx) (err error) {
			open, err = h.Promises.OpenOf(tx, org, h.Ruth.ID, medication.Refill)
			return err
		})
		if len(open) != 0 || len(h.needs()) != 0 {
			t.Errorf("still open: %+v %+v", open, h.needs())
		}
		// Somebody counts, and finds few.
		h.Write(func(tx *store.Tx) error { return h.Medication.Count(tx, org, h.Ruth.ID, "a", 4, h.Dana.ID) })
		if x := h.stock(); x.OnHand != 4 || len(h.needs()) != 1 {
			t.Errorf("%+v, %d needs", x, len(h.needs()))
		}
		defer func() { // a medicine that is stopped needs no refill
			h.Write(func(tx *store.Tx) error { return h.Medication.Stop(tx, org, h.Ruth.ID, "a") })
			h.Read(func(tx *store.Tx) (err error) {
				open, err = h.Promises.OpenOf(tx, org, h.Ruth.ID, medication.Refill)
				return err
			})
			if len(h.needs()) != 0 || len(open) != 0 {
				t.Errorf("stopped: %+v %+v", h.needs(), open)
			}
		}()
		for _, bad := range []func(tx *store.Tx) error{
			func(tx *store.Tx) error { return h.Medication.Count(tx, org, h.Ruth.ID, "none", 4, h.Dana.ID) },
			func(tx *store.Tx) error { return h.Medication.Count(tx, org, h.Ruth.ID, "a", -1, h.Dana.ID) },
			func(tx *store.Tx) error {
				return h.Medication.AddFill(tx, org, h.Ruth.ID, medication.Fill{Regimen: "a", Day: dayOf("2026-03-02")})
			},
			func(tx *store.Tx) error {
				return h.Medication.SetPharmacy(tx, org, h.Ruth.ID, medication.Pharmacy{Lead: 99})
			},
		} {
			if err := h.DB.Write(t.Context(), bad); err == nil {
				t.Error("was taken")
			}
		}
	})
}

// Adherence of Ruth's own doses: what was done, how surely, on time, holidays, days away, days covered; the pattern is named.
func TestMeasures(t *testing.T) {
	each(t, func(h *house) {
		h.takes("a", "Carvedilol", "08:00:00", "18:00:00")
		first := h.Ruth.DayOf(start)
		h.Write(func(tx *store.Tx) error {
			return h.Medication.AddFill(tx, org, h.Ruth.ID, medication.Fill{Regimen: "a", Day: first, Quantity: 20, Unit: "", Days: 10})
		})
		for i := range 28 {
			day := first.Add(i)
			weekend := day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
			for k, wall := range []clock.Wall{clock.WallAt(8, 5), clock.WallAt(18, 5)} {
				h.Clock.Set(clock.At(day, wall, h.Ruth.Location()))
				if err := h.Round(h.Context()); err != nil {
					t.Fatal(err)
				}
				if k == 1 && weekend || i >= 10 && i < 13 {
					continue
				}
				h.Write(func(tx *store.Tx) error { return h.Medication.Opened(tx, org, h.Ruth.ID, h.Clock.Now(), "pill box") })
				h.Settle()
			}
		}
		h.Clock.Set(clock.At(first.Add(28), clock.WallAt(12, 0), h.Ruth.Location()))
		h.Settle()
		measure := func() (m medication.Measures) {
			t.Helper()
			h.Read(func(tx *store.Tx) (err error) {
				m, err = h.Medication.Adherence(tx, h.Ruth, first, first.Add(100))
				return err
			})
			return m
		}
		m := measure()
		missed := 8 + 6 // evenings of four weekends, three days (Thursday to Saturday: one evening of them a weekend's)
		for i := 10; i < 13; i++ {
			if d := first.Add(i).Weekday(); d == time.Saturday || d == time.Sunday {
				missed--
			}
		}
		if m.Doses != 56 || m.Days != 28 || m.Seen != 56-missed || m.Said != 0 || math.Abs(m.Taking-float64(56-missed)/56) > 1e-9 || math.Abs(m.OnTime-m.Taking) > 1e-9 {
			t.Errorf("%+v", m)
		}
		if len(m.Holidays) != 1 || m.Holidays[0].From != first.Add(10) || m.Holidays[0].To != first.Add(12) || !m.Began || m.Kept.Days != 28 {
			t.Errorf("%+v %+v", m.Holidays, m.Kept)
		}
		if len(m.Covered) != 1 || math.Abs(m.Covered[0].PDC-10.0/28) > 1e-9 {
			t.Errorf("%+v", m.Covered)
		}
		part, when, n, due, ok := m.Pattern()
		if !ok || part != "evening" || when != "weekend" || n != 8 || due != 8 {
			t.Errorf("%s %s %d of %d, %v", part, when, n, due, ok)
		}
		h.Write(func(tx *store.Tx) error {
			return h.Medication.SetAway(tx, org, h.Ruth.ID, medication.Away{First: first.Add(10), Last: first.Add(12), Why: "away.hospital"})
		})
		if m := measure(); m.Days != 25 || m.Doses != 50 || m.Away != 3 || len(m.Holidays) != 0 {
			t.Errorf("with days away: %+v", m)
		}
		h.Read(func(tx *store.Tx) error {
			if m, err := h.Medication.Adherence(tx, h.Ruth, first.Add(200), first.Add(300)); err != nil || !math.IsNaN(m.Taking) || m.Doses != 0 {
				t.Errorf("the future: %+v %v", m, err)
			}
			if _, err := h.Medication.Adherence(tx, h.Ruth, first.Add(-5000), first); !fault.Is(err, fault.Invalid) {
				t.Errorf("too long: %v", err)
			}
			return nil
		})
	})
}
