package medication_test

import (
	"strings"
	"testing"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/medication"
	"doorstep/internal/store"
)

func (h *house) shown(kind string, at time.Duration) {
	h.Helper()
	h.Clock.Set(start.Add(at))
	h.Write(func(tx *store.Tx) error {
		return h.Medication.Shown(tx, org, h.Ruth.ID, medication.Sign{Kind: kind, At: h.Clock.Now(), Source: "pill box"})
	})
	h.Settle()
}

func (h *house) dose(i int) medication.Dose {
	h.Helper()
	var list []medication.Dose
	h.Read(func(tx *store.Tx) (err error) {
		list, err = h.Medication.Between(tx, h.Ruth, start.Add(-12*time.Hour), start.AddDate(0, 0, 5))
		return err
	})
	if i >= len(list) {
		h.Fatalf("there are %d doses", len(list))
	}
	return list[i]
}

// A sign raises confidence, and never makes a dose taken: only a word does.
func TestConfidenceIsNeverRoundedUp(t *testing.T) {
	for _, c := range []struct {
		name  string
		signs []string
		want  medication.Confidence
	}{
		{"nothing", nil, medication.Nothing},
		{"opened", []string{medication.KindOpened}, medication.Seen},
		{"a tag was touched", []string{medication.KindTouched}, medication.Seen},
		{"opened and lighter", []string{medication.KindOpened, medication.KindLighter}, medication.Likely},
		{"given out", []string{medication.KindDispensed}, medication.Likely},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(h *house) {
				h.takes("a", "Carvedilol", "08:00:00", "08:40:00") // a second dose soon: a sign of the first must not count for it
				for i, kind := range c.signs {
					h.shown(kind, 28*time.Minute+time.Duration(i)*time.Minute)
				}
				d := h.dose(0)
				if d.Confidence != c.want || d.Status == medication.Taken {
					t.Errorf("%q %s", d.Confidence, d.Status)
				}
				if other := h.dose(1); other.Confidence != medication.Nothing {
					t.Errorf("the other dose: %q", other.Confidence)
				}
				h.At(31 * time.Minute)
				if n := len(h.SMS.Took()); (n == 0) != (c.want != medication.Nothing) {
					t.Errorf("%d reminders", n)
				}
				h.Write(func(tx *store.Tx) error {
					return h.Medication.Say(tx, medication.Word{Org: org, Patient: h.Ruth.ID, Promise: d.Promise.ID, Taken: true, By: h.Ruth.ID, Kind: medication.KindPocket, Source: "page", At: h.Clock.Now()})
				})
				if d := h.dose(0); d.Confidence != medication.Said || d.Status != medication.Taken {
					t.Errorf("after a word: %q %s", d.Confidence, d.Status)
				}
			})
		})
	}
}

// The pharmacy opened the box: the dose is as if nobody had.
func TestNoDose(t *testing.T) {
	each(t, func(h *house) {
		h.takes("a", "Carvedilol", "08:00:00")
		h.shown(medication.KindOpened, 20*time.Minute)
		w := medication.Word{Org: org, Patient: h.Ruth.ID, Promise: h.dose(0).Promise.ID, By: h.Dana.ID, For: h.Ruth.ID, Source: "desk"}
		h.Write(func(tx *store.Tx) error { return h.Medication.NoDose(tx, w) })
		h.At(time.Hour)
		if d := h.dose(0); d.Status != medication.Due || d.Confidence != medication.Nothing {
			t.Errorf("%s %q", d.Status, d.Confidence)
		}
		h.At(5 * time.Hour)
		if d := h.dose(0); d.Status != medication.Missed {
			t.Errorf("%s", d.Status)
		}
		if err := h.DB.Write(t.Context(), func(tx *store.Tx) error { return h.Medication.NoDose(tx, w) }); !fault.Is(err, fault.Conflict) {
			t.Error(err)
		}
	})
}

// In hospital nobody reminds; whoever comes home early is reminded again.
func TestAway(t *testing.T) {
	each(t, func(h *house) {
		h.takes("a", "Carvedilol", "08:00:00", "18:00:00")
		day := h.Ruth.DayOf(start)
		away := medication.Away{First: day, Last: day.Add(6), Why: "away.hospital", By: h.Dana.ID}
		h.Write(func(tx *store.Tx) error { return h.Medication.SetAway(tx, org, h.Ruth.ID, away) })
		if n := len(h.promises()); n != 0 {
			t.Errorf("%d doses are promised", n)
		}
		h.At(20 * time.Hour)
		if _, err := h.Medication.PlanDue(t.Context()); err != nil || len(h.promises()) != 0 {
			t.Errorf("%d doses are promised, %v", len(h.promises()), err)
		}
		h.Want(h.SMS)
		for name, bad := range map[string]medication.Away{"backwards": {First: day, Last: day.Add(-1)}, "overlap": {First: day.Add(3), Last: day.Add(9)}, "endless": {First: day, Last: day.Add(4000)}} {
			if err := h.DB.Write(t.Context(), func(tx *store.Tx) error { return h.Medication.SetAway(tx, org, h.Ruth.ID, bad) }); err == nil {
				t.Errorf("%s was taken", name)
			}
		}
		h.Write(func(tx *store.Tx) error { return h.Medication.EndAway(tx, org, h.Ruth.ID, day) })
		if n := len(h.promises()); n < 2 {
			t.Errorf("home again: %d doses", n)
		}
		h.At(25 * time.Hour)
		if got := strings.Join(h.SMS.Took(), ""); !strings.Contains(got, "8:00 am medicines") {
			t.Errorf("home again: %q", got)
		}
		var list []medication.Away
		h.Read(func(tx *store.Tx) (err error) { list, err = h.Medication.Aways(tx, org, h.Ruth.ID); return err })
		if len(list) != 0 {
			t.Errorf("%+v", list)
		}
	})
}

// A stay that ends and begins again within the plan promises each dose once.
func TestAwayAndBack(t *testing.T) {
	each(t, func(h *house) {
		h.takes("a", "Carvedilol", "18:00:00")
		day := h.Ruth.DayOf(start)
		for range 3 {
			h.Write(func(tx *store.Tx) error {
				return h.Medication.SetAway(tx, org, h.Ruth.ID, medication.Away{First: day, Last: day.Add(1)})
			})
			h.Write(func(tx *store.Tx) error { return h.Medication.EndAway(tx, org, h.Ruth.ID, day) })
			h.Clock.Set(h.Clock.Now().Add(time.Minute))
		}
		if got := h.all(2); got != "02 18:00 later Carvedilol" && got != "02 18:00 later Carvedilol, 03 18:00 later Carvedilol" {
			t.Error(got)
		}
	})
}
