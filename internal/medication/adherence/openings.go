package adherence

import (
	"fmt"
	"time"

	"doorstep/internal/clock"
)

// DayStart is when a dosing day begins unless a person lives by another clock: a dose at 02:30 belongs to the evening before.
const DayStart = clock.Wall(3 * 60)

// Regimen is how many openings a day are expected in a period. With a cycle, On days of them are followed by Off days of none,
// again and again from the period's first day.
type Regimen struct {
	Period
	Expected int
	On, Off  int // both 0: every day
}

// expected answers what is expected on a day of the period.
func (r Regimen) expected(d clock.Day) int {
	if n := r.On + r.Off; n > 0 && d.Sub(r.From)%n >= r.On {
		return 0
	}
	return r.Expected
}

// Correction is openings that the sensor did not see (above 0: a dose from the pocket) or that were no dose (below 0: opened by
// the pharmacy, opened and not taken).
type Correction struct {
	On       clock.Day
	Openings int
}

// Monitor is one sensor that a patient has for a medication.
type Monitor struct {
	Patient, Monitor string
	Period                        // in which it is looked at
	Openings         []time.Time  // what the wall clock showed, as if in UTC
	Corrections      []Correction //
	Away             []Period     // hospital, sensor not used: not scored
	Regimens         []Regimen    // must not overlap
}

// DosingDay is one day of a monitor.
type DosingDay struct {
	On        clock.Day
	Recorded  int  // openings that the sensor counted
	Added     int  // corrections
	Expected  int  // only if Known
	Known     bool // a regimen says what is expected
	Monitored bool // not away
}

// Corrected answers the openings after correction; below 0 if more was taken back than was recorded.
func (d DosingDay) Corrected() int { return d.Recorded + d.Added }

// Scored reports whether the day can be judged at all.
func (d DosingDay) Scored() bool { return d.Known && d.Monitored }

// Implemented reports, of a scored day, whether at least the expected openings happened (Bandiera 2024). A day on which none is
// expected is implemented.
func (d DosingDay) Implemented() bool { return d.Corrected() >= d.Expected }

// Days answers every day of the monitor's period in order. A dosing day begins at start. Openings, corrections and periods
// outside it are not looked at. Regimens that overlap are an error.
func (m Monitor) Days(start clock.Wall) ([]DosingDay, error) {
	n := m.To.Sub(m.From) + 1
	if n <= 0 {
		return nil, nil
	}
	days := make([]DosingDay, n)
	for i := range days {
		days[i].On, days[i].Monitored = m.From.Add(i), true
	}
	each := func(p Period, do func(*DosingDay) error) error {
		for i := max(0, p.From.Sub(m.From)); i < n && i <= p.To.Sub(m.From); i++ {
			if err := do(&days[i]); err != nil {
				return err
			}
		}
		return nil
	}
	for _, at := range m.Openings {
		d := clock.DayOf(at.Add(-time.Duration(start)*time.Minute), time.UTC)
		if i := d.Sub(m.From); i >= 0 && i < n {
			days[i].Recorded++
		}
	}
	for _, c := range m.Corrections {
		if i := c.On.Sub(m.From); i >= 0 && i < n {
			days[i].Added += c.Openings
		}
	}
	for _, p := range m.Away {
		_ = each(p, func(d *DosingDay) error { d.Monitored = false; return nil })
	}
	for _, r := range m.Regimens {
		err := each(r.Period, func(d *DosingDay) error {
			if d.Known {
				return fmt.Errorf("patient %s, monitor %s: two regimens on %s", m.Patient, m.Monitor, d.On)
			}
			d.Known, d.Expected = true, r.expected(d.On)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return days, nil
}

// Implementation answers the share of scored days that are implemented; NaN without any.
func Implementation(days []DosingDay) float64 {
	scored, done := 0, 0
	for _, d := range days {
		if d.Scored() {
			scored++
			if d.Implemented() {
				done++
			}
		}
	}
	return over(float64(done), float64(scored))
}

// PatientDay is a day of a patient over all monitors of it.
type PatientDay struct {
	On          clock.Day
	Monitors    int
	Scored      bool // each monitor's day is scored
	Implemented bool // and implemented
}

// Together answers a patient's days, in order, from the days of every monitor, each in order.
func Together(monitors ...[]DosingDay) []PatientDay {
	var from, to clock.Day
	for _, days := range monitors {
		if len(days) == 0 {
			continue
		}
		if first := days[0].On; from.IsZero() || first.Before(from) {
			from = first
		}
		if last := days[len(days)-1].On; to.IsZero() || to.Before(last) {
			to = last
		}
	}
	if from.IsZero() {
		return nil
	}
	all := make([]PatientDay, to.Sub(from)+1)
	for i := range all {
		all[i] = PatientDay{On: from.Add(i), Scored: true, Implemented: true}
	}
	for _, days := range monitors {
		for _, d := range days {
			p := &all[d.On.Sub(from)]
			p.Monitors++
			p.Scored = p.Scored && d.Scored()
			p.Implemented = p.Implemented && d.Implemented()
		}
	}
	out := all[:0]
	for _, p := range all {
		if p.Monitors > 0 {
			out = append(out, p)
		}
	}
	return out
}
