package app_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/clock"
	"doorstep/internal/fhir"
	"doorstep/internal/medication"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/rule"
	"doorstep/internal/store"
)

const weight = "29463-7"

// takes gives Ruth a medicine at a wall-clock time of every day.
func (h *house) takes(critical bool, at fhir.WallTime) {
	h.Helper()
	h.Write(func(tx *store.Tx) error {
		_, err := h.Medication.Save(tx, medication.Regimen{Org: org, Patient: h.Ruth.ID, Name: "Carvedilol", Critical: critical, Authored: clock.Day{Year: 2026, Month: 3, Date: 1},
			Dosage: []fhir.Dosage{{Timing: &fhir.Timing{Repeat: &fhir.Repeat{Frequency: 1, Period: "1", PeriodUnit: "d", TimeOfDay: []fhir.WallTime{at}}}}}})
		return err
	})
}

// watches gives Ruth a rule and a scale.
func (h *house) watches(r rule.Rule) reading.Device {
	h.Helper()
	id, _, err := h.Readings.Register(h.Context(), string(org), "scale")
	if err != nil {
		h.Fatal(err)
	}
	if err := h.Readings.Assign(h.Context(), string(org), id, string(h.Ruth.ID), start.AddDate(0, 0, -2), time.Time{}); err != nil {
		h.Fatal(err)
	}
	h.Write(func(tx *store.Tx) error {
		_, err := h.Readings.SetRule(tx, reading.Rule{Org: string(org), Patient: string(h.Ruth.ID), Rule: r})
		return err
	})
	return reading.Device{ID: id, Org: string(org), Kind: "scale"}
}

func (h *house) ingest(d reading.Device, list ...reading.Reading) reading.Receipt {
	h.Helper()
	r, err := h.Readings.Ingest(h.Context(), d, list)
	if err != nil {
		h.Fatal(err)
	}
	h.Settle()
	return r
}

func (h *house) round() {
	h.Helper()
	if err := h.Round(h.Context()); err != nil {
		h.Fatal(err)
	}
	h.Settle()
}

func (h *house) sound() {
	h.Helper()
	r, err := h.Promises.Check(h.Context())
	if err != nil || len(r.Faults) > 0 {
		h.Errorf("%v, %v", r.Faults, err)
	}
	if _, damaged, err := h.Messages.Check(h.Context()); err != nil || len(damaged) > 0 {
		h.Errorf("%v, %v", damaged, err)
	}
}

// Fault 6: everything is delivered and nobody answers. The ladder is climbed to its end, each rung once.
func TestFault6Silence(t *testing.T) {
	each(t, func(h *house) {
		h.takes(true, "08:00:00")
		for m := 0; m <= 180; m += 5 {
			h.At(time.Duration(m) * time.Minute)
			switch m {
			case 30, 60:
				h.Want(h.SMS, ruthPhone+": …8:00 am…Reply")
			case 90:
				h.Want(h.SMS, elenaPhone+": …08:00…Dana se ocupa")
			default:
				h.Want(h.SMS)
			}
			want := ""
			if m >= 120 {
				want = "desk task.dose"
			}
			if got := h.Tasks(); got != want {
				t.Errorf("after %d minutes: tasks %q, want %q", m, got, want)
			}
		}
		h.sound()
	})
}

// Fault 3: two nodes climb at once. Each rung has one effect.
func TestFault3TwoNodes(t *testing.T) {
	each(t, func(h *house) {
		other, err := app.New(t.Context(), app.Options{DB: h.DB, Clock: h.Clock, IDs: clock.SeededIDs(h.Clock, 2), PublicURL: "https://elm.example"})
		if err != nil {
			t.Fatal(err)
		}
		other.Messages.SetChannel(person.SMS, h.SMS)
		other.Messages.SetChannel(person.Mail, h.Mail)
		h.takes(true, "08:00:00")
		h.Clock.Set(start.Add(30 * time.Minute))
		var both sync.WaitGroup
		for _, s := range []*app.Server{h.Server, other} {
			if err := s.Promises.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				both.Go(func() {
					for range 3 {
						if _, err := s.Step(t.Context()); err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		both.Wait()
		h.Settle()
		h.Want(h.SMS, "8:00 am…Reply")
		h.sound()
	})
}

// Fault 4: after three hours without a scheduler a reminder that is no use is left out and the history says so; an alert fires.
func TestFault4SchedulerDown(t *testing.T) {
	each(t, func(h *house) {
		h.takes(false, "08:00:00")
		d := h.watches(rule.Rule{Series: weight, Above: rule.Limit{Kind: rule.Absolute, Value: 73}, Severity: "urgent"})
		h.Clock.Set(start.Add(31 * time.Minute)) // nobody climbs
		if _, err := h.Readings.Ingest(t.Context(), d, []reading.Reading{{At: h.Clock.Now(), Series: weight, Value: 74, Unit: "kg"}}); err != nil {
			t.Fatal(err)
		}
		h.At(210 * time.Minute)
		got := strings.Join(h.SMS.Took(), "\n")
		if strings.Contains(got, "medicines") || !strings.Contains(got, danaPhone) || !strings.Contains(got, "saw your numbers") || !strings.Contains(got, elenaPhone) {
			t.Errorf("%s", got)
		}
		h.Read(func(tx *store.Tx) error {
			list, err := h.Promises.Of(tx, org, h.Ruth.ID, start, start.Add(24*time.Hour))
			for _, v := range list {
				if v.Kind == medication.Kind && (len(v.Climbed) != 2 || !v.Climbed[0].Skipped || !v.Climbed[1].Skipped || v.State != promise.Broken) {
					t.Errorf("%+v", v)
				}
			}
			return err
		})
		h.sound()
	})
}

// Faults 20 and 21: no readings, even none ever. The rule needs no data: the nurse is paged, patient and family are told who
// calls and by when, once for the silence; it climbs to the desk; the nurse's word keeps it.
func TestFault20And21Silence(t *testing.T) {
	each(t, func(h *house) {
		h.watches(rule.Rule{Series: weight, Missing: 3 * time.Hour, Severity: "warning"})
		h.At(3*time.Hour - time.Second)
		h.round()
		h.Want(h.SMS)
		h.Clock.Set(start.Add(3 * time.Hour)) // 10:30
		h.round()
		got := h.SMS.Took()
		slices.Sort(got)
		want := []string{ruthPhone + ": Elm: We have not seen your readings since 7:30 am. Dana will call you by 11:30 am", elenaPhone + ": Elm: No vemos las medidas de Ruth desde las 07:30. Dana",
			danaPhone + ": Elm: Something needs you now"}
		if len(got) != 3 || !strings.HasPrefix(got[0], want[0]) || !strings.HasPrefix(got[1], want[1]) || !strings.HasPrefix(got[2], want[2]) {
			t.Errorf("%q", got)
		}
		for range 3 {
			h.round()
		}
		h.Want(h.SMS)
		if got := h.Tasks(); got != "nurse task.silence" {
			t.Errorf("tasks %s", got)
		}
		h.At(3*time.Hour + 40*time.Minute)
		h.Want(h.SMS, omarPhone)
		h.Write(func(tx *store.Tx) error {
			list, err := h.Promises.Tasks(tx, org)
			if err != nil {
				return err
			}
			_, err = h.Promises.Finish(tx, person.Viewer{Org: org, Person: h.Dana.ID, Role: person.Nurse}, list[len(list)-1].ID, "Called. The scale had no battery.")
			return err
		})
		if got := h.Tasks(); got != "" {
			t.Errorf("after the call: %s", got)
		}
		h.At(5 * time.Hour)
		h.Want(h.SMS)
		h.sound()
	})
}

// Fault 18: a hub that was offline sends 200 readings at once: one alert. Fault 19: what comes again is known.
func TestFault18And19Backlog(t *testing.T) {
	each(t, func(h *house) {
		d := h.watches(rule.Rule{Series: weight, Above: rule.Limit{Kind: rule.Absolute, Value: 73}, Severity: "urgent"})
		var list []reading.Reading
		for i := range 200 {
			list = append(list, reading.Reading{Seq: int64(i), HasSeq: true, At: start.Add(-12*time.Hour + time.Duration(i)*3*time.Minute), Series: weight, Value: 71 + float64(i%7), Unit: "kg"})
		}
		if r := h.ingest(d, list...); r.Stored != 200 {
			t.Errorf("%+v", r)
		}
		for range 4 {
			if r := h.ingest(d, list...); r.Stored != 0 || r.Known != 200 {
				t.Errorf("again: %+v", r)
			}
		}
		got := strings.Join(h.SMS.Took(), "\n")
		if strings.Count(got, danaPhone) != 1 || strings.Count(got, ruthPhone) != 1 || strings.Count(got, elenaPhone) != 1 || h.Tasks() != "nurse task.alert" {
			t.Errorf("%s; tasks %s", got, h.Tasks())
		}
		h.sound()
	})
}

// Fault 22: what no scale can show of a person is kept and marked, and raises nobody at night.
func TestFault22Impossible(t *testing.T) {
	each(t, func(h *house) {
		d := h.watches(rule.Rule{Series: weight, Above: rule.Limit{Kind: rule.Absolute, Value: 73}, Severity: "urgent"})
		h.ingest(d, reading.Reading{Seq: 1, HasSeq: true, At: start, Series: weight, Value: 700, Unit: "kg"}, reading.Reading{Seq: 2, HasSeq: true, At: start, Series: weight, Value: 0, Unit: "kg"})
		h.Want(h.SMS)
		list, err := h.Readings.Samples(t.Context(), string(org), string(h.Ruth.ID), weight, start.Add(-time.Hour), start.Add(time.Hour))
		if err != nil || len(list) != 2 || !list[0].Flags.Has(reading.Impossible) || !list[1].Flags.Has(reading.Impossible) {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

// Words from a patient get a promised answer; staff's answer keeps it and the patient is told. Silence pages the nurse.
func TestConversation(t *testing.T) {
	each(t, func(h *house) {
		ruth := person.Viewer{Org: org, Person: h.Ruth.ID, Role: person.Patient}
		dana := person.Viewer{Org: org, Person: h.Dana.ID, Role: person.Nurse}
		post := func(v person.Viewer, body string) {
			t.Helper()
			if err := h.Conversations.Post(t.Context(), v, h.Ruth.ID, body); err != nil {
				t.Fatal(err)
			}
			h.Settle()
		}
		post(ruth, "My ankle is swollen.")
		post(ruth, "The left one.")
		h.Read(func(tx *store.Tx) error {
			open, err := h.Promises.OpenOf(tx, org, h.Ruth.ID, "answer")
			if len(open) != 1 || !open[0].By.Equal(start.Add(4*time.Hour)) {
				t.Errorf("%+v", open)
			}
			return err
		})
		h.Want(h.SMS)
		h.At(3 * time.Hour)
		h.Want(h.SMS, danaPhone)
		post(dana, "Please put it up. I will call at noon.")
		h.Want(h.SMS, ruthPhone+": Elm: Dana has answered you")
		if got := h.Tasks(); got != "" {
			t.Errorf("tasks %s", got)
		}
		h.Receive(ruthPhone, "Thank you, dear")
		if got := h.Tasks(); got != "nurse task.answer" {
			t.Errorf("tasks %s", got)
		}
		if err := h.Conversations.Post(t.Context(), person.Viewer{Org: org, Person: h.Elena.ID, Role: person.Caregiver}, h.Ruth.ID, "May I?"); err == nil {
			t.Error("a caregiver without the right wrote")
		}
		h.sound()
	})
}
