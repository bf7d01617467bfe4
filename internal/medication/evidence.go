package medication

import (
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// Kinds of evidence that a box, a blister or a tag gives. None of them is a word that something was taken.
const (
	KindOpened    = "opened"    // a lid or a compartment
	KindDispensed = "dispensed" // a dispenser gave a dose out
	KindLighter   = "lighter"   // what lies on the scale of a box or a blister weighs less
	KindTouched   = "touched"   // a tag (NFC) at the package was touched
)

// Evidence that people give besides a tap or a text.
const (
	KindPocket = "pocket" // taken, but not from the box: set aside before
	KindNoDose = "nodose" // the opening at this time was no dose: the box was filled, or the pharmacy opened it
)

var signs = []string{KindOpened, KindDispensed, KindLighter, KindTouched}

// Confidence says how surely a dose was taken. It is shown as it is, and never rounded up.
type Confidence string

const (
	Nothing Confidence = ""       // no sign of it
	Seen    Confidence = "seen"   // opened or touched: nothing more is known
	Likely  Confidence = "likely" // given out, or the box got lighter
	Said    Confidence = "said"   // somebody says so
)

// confidence answers how surely a dose was taken by its evidence.
func confidence(list []promise.Evidence) Confidence {
	out := Nothing
	for _, e := range list {
		switch {
		case isWord(e):
			return Said
		case denied(list, e):
		case e.Kind == KindDispensed || e.Kind == KindLighter:
			out = Likely
		case out == Nothing && slices.Contains(signs, e.Kind):
			out = Seen
		}
	}
	return out
}

// isWord tells that somebody says that it was taken.
func isWord(e promise.Evidence) bool {
	return e.Kind == KindPocket || (e.Kind == "tap" || e.Kind == "text" || e.Kind == "word") && e.Note == ""
}

// denied tells that somebody says of an opening that it was no dose.
func denied(list []promise.Evidence, e promise.Evidence) bool {
	return slices.ContainsFunc(list, func(n promise.Evidence) bool { return n.Kind == KindNoDose && n.At.Sub(e.At).Abs() < again })
}

// Sign is what a device shows of a dose.
type Sign struct {
	Kind   string // KindOpened, KindDispensed, KindLighter, KindTouched
	At     time.Time
	Source string
}

// Opened takes a pill box's opening: Sign of KindOpened.
func (s *Service) Opened(tx *store.Tx, org person.OrgID, patient person.ID, at time.Time, source string) error {
	return s.Shown(tx, org, patient, Sign{KindOpened, at, source})
}

// Shown takes what a device shows: it keeps the dose around it, and nobody is reminded of that one any more. Another kind of sign of a
// dose that is done stands beside the first; a second opening is asked about. A sign near no dose says nothing.
func (s *Service) Shown(tx *store.Tx, org person.OrgID, patient person.ID, sign Sign) error {
	p, err := s.people.Get(tx, org, patient)
	if err != nil {
		return err
	}
	list, err := s.Between(tx, p, sign.At.Add(-window), sign.At.Add(early))
	if err != nil {
		return err
	}
	var near *Dose
	for i := range list {
		d := &list[i]
		if near == nil || (open(d) && (!open(near) || sign.At.Sub(d.Due).Abs() < sign.At.Sub(near.Due).Abs())) {
			near = d
		}
	}
	if near == nil {
		return nil
	}
	if open(near) {
		// A box that is opened and gets lighter a minute later shows one dose, not two.
		if done := s.justDone(list, sign); done != nil {
			near = done
		}
	}
	e := promise.Evidence{Kind: sign.Kind, At: sign.At, Source: sign.Source}
	switch {
	case open(near):
		_, err := s.promises.Give(tx, org, patient, near.Promise.ID, e)
		return err
	case near.Status == Skipped:
		return nil
	case sign.At.Sub(near.At).Abs() < again:
		if slices.ContainsFunc(near.Evidence, func(had promise.Evidence) bool { return had.Kind == sign.Kind }) {
			return nil
		}
		_, err := s.promises.Note(tx, org, patient, near.Promise.ID, e)
		return err
	case sign.Kind == KindLighter || sign.Kind == KindTouched:
		return nil
	}
	return s.second(tx, p, near, sign.At, sign.Source)
}

// justDone answers the dose that another kind of sign kept within the last minutes.
func (s *Service) justDone(list []Dose, sign Sign) *Dose {
	for i := range list {
		d := &list[i]
		if d.Status == Opened && sign.At.Sub(d.At).Abs() < again && !slices.ContainsFunc(d.Evidence, func(had promise.Evidence) bool { return had.Kind == sign.Kind }) {
			return d
		}
	}
	return nil
}

// NoDose takes the word that the opening of a dose was none: somebody filled the box. The dose is then as if it had not been opened.
func (s *Service) NoDose(tx *store.Tx, w Word) error {
	p, err := s.people.Get(tx, w.Org, w.Patient)
	if err != nil {
		return err
	}
	x, err := s.promises.Get(tx, w.Org, w.Patient, w.Promise)
	if err != nil {
		return err
	}
	list, err := s.Between(tx, p, x.From, x.From.Add(time.Microsecond))
	if err != nil {
		return err
	}
	for _, d := range list {
		if d.Promise.ID != w.Promise {
			continue
		}
		if d.Status != Opened {
			return fault.Conflictf("That dose was not opened.")
		}
		_, err := s.promises.Note(tx, w.Org, w.Patient, w.Promise, promise.Evidence{Kind: KindNoDose, At: d.At, Source: w.Source, By: string(w.By), For: string(w.For)})
		return err
	}
	return fault.NotFoundf("There is no such dose.")
}

// Away is a time in which others see to the medicines: a hospital stay. Nobody is reminded on its days, and none of them is scored.
type Away struct {
	First, Last clock.Day // both included
	Why         string    // catalog key: away.hospital, away.other
	By          person.ID
}

// longestAway bounds a stay in days: more is a mistake in a date.
const longestAway = 366

// SetAway notes days away; what is promised on them is taken back.
func (s *Service) SetAway(tx *store.Tx, org person.OrgID, patient person.ID, a Away) error {
	n := a.Last.Sub(a.First)
	if a.First.IsZero() || a.Last.IsZero() || n < 0 || n > longestAway {
		return fault.Invalidf("Please give a first day and a last day that is not before it.")
	}
	p, err := s.people.Get(tx, org, patient)
	if err != nil {
		return err
	}
	had, err := s.Aways(tx, org, patient)
	if err != nil {
		return err
	}
	for _, h := range had {
		if h.First != a.First && !a.Last.Before(h.First) && !h.Last.Before(a.First) {
			return fault.Conflictf("There are days away already in that time.")
		}
	}
	if _, err := tx.Exec(`INSERT INTO away (org, shard, patient, first_day, last_day, why, by_person, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (org, shard, patient, first_day) DO UPDATE SET last_day = excluded.last_day, why = excluded.why, by_person = excluded.by_person, made_at = excluded.made_at`,
		string(org), person.Shard(patient), string(patient), a.First.String(), a.Last.String(), a.Why, string(a.By), store.Micros(s.clock.Now())); err != nil {
		return err
	}
	open, err := s.promises.OpenOf(tx, org, patient, Kind)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	for _, o := range open { // those that are due now; planning takes the later ones back
		if d := p.DayOf(o.From); !o.From.After(now) && !d.Before(a.First) && !a.Last.Before(d) {
			if _, err := s.promises.Release(tx, person.SystemViewer(org), org, patient, o.ID, "reason.hospital", false); err != nil {
				return err
			}
		}
	}
	return s.replan(tx, org, patient)
}

// EndAway takes days away back that begin on a day; what they left out is not promised afterwards.
func (s *Service) EndAway(tx *store.Tx, org person.OrgID, patient person.ID, first clock.Day) error {
	n, err := tx.Exec("DELETE FROM away WHERE org = $1 AND shard = $2 AND patient = $3 AND first_day = $4", string(org), person.Shard(patient), string(patient), first.String())
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.NotFoundf("There are no such days away.")
	}
	return s.replan(tx, org, patient)
}

// Aways answers a patient's days away, in order.
func (s *Service) Aways(tx *store.Tx, org person.OrgID, patient person.ID) ([]Away, error) {
	return store.All(tx, "SELECT first_day, last_day, why, by_person FROM away WHERE org = $1 AND shard = $2 AND patient = $3 ORDER BY first_day",
		[]any{string(org), person.Shard(patient), string(patient)}, func(scan func(...any) error) (a Away, err error) {
			var first, last string
			if err := scan(&first, &last, &a.Why, &a.By); err != nil {
				return a, err
			}
			if a.First, err = clock.ParseDay(first); err != nil {
				return a, err
			}
			a.Last, err = clock.ParseDay(last)
			return a, err
		})
}

// isAway reports whether a day is one of days away.
func isAway(list []Away, d clock.Day) bool {
	return slices.ContainsFunc(list, func(a Away) bool { return !d.Before(a.First) && !a.Last.Before(d) })
}
