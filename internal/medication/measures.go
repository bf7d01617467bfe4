package medication

import (
	"math"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/medication/adherence"
	"doorstep/internal/medication/timing"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// Measures are how a patient's own doses went over some days: the EMERGE measures from doses and their evidence, the proportion of
// days covered from what was handed out. A share that has no meaning is NaN.
type Measures struct {
	From, To   clock.Day // full days, both included
	Doses      int       // that were due on scored days
	Days       int       // scored: not away, and something was due
	Away       int       // days that are not scored
	Taking     float64   // doses done / due, a day's doses capped at what was due
	Correct    float64   // share of days with exactly what was due
	OnTime     float64   // share of due doses done at most onTime before or after
	Kept       adherence.Persistence
	Began      bool // Kept says something
	Holidays   []adherence.Period
	Said       int     // of what was done: by a person's word
	Likely     int     // given out, or the box got lighter
	Seen       int     // opened, nothing more
	Covered    []Cover // by medicine
	DosingDays []adherence.DosingDay
	ByPart     []Part // how the parts of the week went, for whoever looks for a pattern
}

// Cover is how many days a medicine was at hand.
type Cover struct {
	Regimen string
	Name    string
	PDC     float64 // from the first fill to the last day; NaN without a day
	Fills   int
}

// onTime is how far from its time a dose counts as on time.
const onTime = time.Hour

// longestLook bounds how many days are measured at once.
const longestLook = 3 * 366

// Adherence measures a patient's doses of full days in [from, to]. Days that are not over yet are left out.
func (s *Service) Adherence(tx *store.Tx, p person.Person, from, to clock.Day) (Measures, error) {
	if last := s.dayOf(p).Add(-1); last.Before(to) {
		to = last
	}
	m := Measures{From: from, To: to, Taking: math.NaN(), Correct: math.NaN(), OnTime: math.NaN()}
	n := to.Sub(from) + 1
	if n > longestLook {
		return m, fault.Invalidf("That is more than three years.")
	}
	if n <= 0 {
		return m, nil
	}
	doses, err := s.Between(tx, p, clock.At(from, p.DayStart, p.Location()), clock.At(to.Add(1), p.DayStart, p.Location()))
	if err != nil {
		return m, err
	}
	away, err := s.Aways(tx, p.Org, p.ID)
	if err != nil {
		return m, err
	}
	m.DosingDays = make([]adherence.DosingDay, n)
	for i := range m.DosingDays {
		d := from.Add(i)
		m.DosingDays[i] = adherence.DosingDay{On: d, Known: true, Monitored: !isAway(away, d)}
		if isAway(away, d) {
			m.Away++
		}
	}
	var due, done []time.Time
	parts := parts{}
	for _, d := range doses {
		if d.Status == Skipped && len(d.Evidence) == 0 {
			continue // the plan changed
		}
		day := &m.DosingDays[p.DayOf(d.Due).Sub(from)]
		if !day.Monitored {
			continue
		}
		day.Expected++
		m.Doses++
		due = append(due, d.Due)
		ok := d.Status == Taken || d.Status == Late || d.Status == Opened
		parts.add(p, d.Due, ok)
		if ok {
			day.Recorded++
			done = append(done, d.At)
			switch d.Confidence {
			case Said:
				m.Said++
			case Likely:
				m.Likely++
			default:
				m.Seen++
			}
		}
		if slices.ContainsFunc(d.Evidence, func(e promise.Evidence) bool { return e.Note == "second.more" }) {
			day.Added++ // the patient says that it was taken twice
		}
	}
	for _, d := range m.DosingDays {
		if d.Monitored && d.Expected > 0 {
			m.Days++
		}
	}
	m.Taking, m.Correct = adherence.Taking(m.DosingDays, true), adherence.CorrectDosing(m.DosingDays)
	m.OnTime = adherence.OnTime(done, due, onTime)
	m.Kept, m.Began = adherence.Persisted(m.DosingDays)
	m.Holidays = adherence.Holidays(m.DosingDays, adherence.HolidayDays)
	m.ByPart = parts.list()
	m.Covered, err = s.covered(tx, p, to, away)
	return m, err
}

// covered answers the proportion of days covered for each medicine of which fills with their days are known.
func (s *Service) covered(tx *store.Tx, p person.Person, to clock.Day, away []Away) ([]Cover, error) {
	fills, err := s.Fills(tx, p.Org, p.ID)
	if err != nil || len(fills) == 0 {
		return nil, err
	}
	regimens, err := s.Regimens(tx, p.Org, p.ID)
	if err != nil {
		return nil, err
	}
	var gone []adherence.Period
	for _, a := range away {
		gone = append(gone, adherence.Period{From: a.First, To: a.Last})
	}
	var out []Cover
	for _, r := range regimens {
		if !r.Active || r.AsNeeded {
			continue
		}
		parsed, err := timing.Parse(r.Dosage, r.Authored)
		if err != nil {
			return nil, err
		}
		var list []adherence.Fill
		for _, f := range fills {
			if f.Regimen != r.ID || to.Before(f.Day) {
				continue
			}
			days := f.Days
			if days == 0 { // by the prescription
				day, end := clock.At(f.Day, 0, p.Location()), clock.At(f.Day.Add(ownDays), 0, p.Location())
				each := 0.0
				for _, d := range parsed.Follow(timing.Clock{Policy: r.Policy, Home: p.Location()}, timing.Routine(p.Routine), day, end) {
					if sameUnit(d.Unit, f.Unit) {
						each += amountOf(d.Amount) / ownDays
					}
				}
				if each > 0 {
					days = f.Quantity / each
				}
			}
			if days > 0 {
				list = append(list, adherence.Fill{On: f.Day, Days: days})
			}
		}
		if len(list) > 0 {
			out = append(out, Cover{Regimen: r.ID, Name: r.Name, PDC: adherence.PDC(list, to.Add(1), gone), Fills: len(list)})
		}
	}
	return out, nil
}
