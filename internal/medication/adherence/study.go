package adherence

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"doorstep/internal/table"
)

// Study collects the tables of a monitoring study, as CleanADHdata lays them out. Each Read method takes one CSV file, in any
// order; what cannot be read is a *table.Error with its line.
type Study struct {
	monitors map[key]*Monitor
	known    map[key]bool // has a row in EMInfo
}

type key struct{ patient, monitor string }

// Table is a kind of file of a study.
type Table string

const (
	EventList           Table = "EventList"           // PatientCode, Monitor, Date: one row per opening; a date without time lies in that dosing day
	EMInfo              Table = "EMInfo"              // PatientCode, Monitor, StartDate, EndDate: which days are looked at
	Regimens            Table = "Regimen"             // PatientCode, Monitor, ExpectedOpenings, StartDate, EndDate, On, Off
	AddedOpenings       Table = "AddedOpenings"       // PatientCode, Monitor, Date, AddedOpenings
	NonMonitoredPeriods Table = "NonMonitoredPeriods" // PatientCode, Monitor, StartDate, EndDate
)

// TableOf answers what a file of a study's folder holds, by its name; "" for files of other use.
func TableOf(name string) Table {
	name, isCSV := strings.CutSuffix(strings.ToLower(name), ".csv")
	if !isCSV {
		return ""
	}
	if strings.Contains(name, "eventlist") || strings.Contains(name, "eventslist") {
		return EventList
	}
	for _, t := range []Table{EMInfo, Regimens, AddedOpenings, NonMonitoredPeriods} {
		if low := strings.ToLower(string(t)); name == low || strings.HasSuffix(name, "_"+low) {
			return t
		}
	}
	return ""
}

// columns of the tables, behind PatientCode and Monitor.
var columns = map[Table][]string{
	EventList:           {"Date"},
	EMInfo:              {"StartDate", "EndDate"},
	Regimens:            {"StartDate", "EndDate", "ExpectedOpenings", "On?", "Off?"},
	AddedOpenings:       {"Date", "AddedOpenings"},
	NonMonitoredPeriods: {"StartDate", "EndDate"},
}

// longest is how many days a period may have: a wrong year must not fill the memory.
const longest = 120 * 366

// noon lies in the dosing day of its date, whenever that begins.
const noon = 12 * time.Hour

// Read takes a file of the given kind.
func (s *Study) Read(kind Table, r io.Reader) error {
	t, err := table.New(r, append([]string{"PatientCode", "Monitor"}, columns[kind]...)...)
	if err != nil {
		return err
	}
	if s.monitors == nil {
		s.monitors, s.known = map[key]*Monitor{}, map[key]bool{}
	}
	for {
		if err := t.Next(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if t.Empty(0) || t.Empty(1) {
			return t.Errorf("PatientCode or Monitor is empty")
		}
		if err := s.row(kind, t, s.monitor(t.Text(0), t.Text(1))); err != nil {
			return err
		}
	}
}

// monitor answers the one of that name, a new one the first time.
func (s *Study) monitor(patient, monitor string) *Monitor {
	k := key{patient, monitor}
	m := s.monitors[k]
	if m == nil {
		k = key{strings.Clone(patient), strings.Clone(monitor)}
		m = &Monitor{Patient: k.patient, Monitor: k.monitor}
		s.monitors[k] = m
	}
	return m
}

func (s *Study) row(kind Table, t *table.Reader, m *Monitor) error {
	switch kind {
	case EventList:
		at, dated, err := t.Moment(2)
		if err != nil {
			return err
		}
		if dated {
			at = at.Add(noon)
		}
		m.Openings = append(m.Openings, at)
	case AddedOpenings:
		on, err := t.Day(2)
		if err != nil {
			return err
		}
		n, err := whole(t, 3, "AddedOpenings")
		if err != nil {
			return err
		}
		m.Corrections = append(m.Corrections, Correction{on, n})
	default:
		return s.period(kind, t, m)
	}
	return nil
}

// period takes a row that has a first and a last day.
func (s *Study) period(kind Table, t *table.Reader, m *Monitor) error {
	from, err := t.Day(2)
	if err != nil {
		return err
	}
	to, err := t.Day(3)
	if err != nil {
		return err
	}
	p := Period{from, to}
	if to.Before(from) {
		return t.Errorf("EndDate %s comes before StartDate %s", to, from)
	}
	if to.Sub(from) > longest {
		return t.Errorf("from %s to %s is longer than a life", from, to)
	}
	switch kind {
	case EMInfo:
		k := key{m.Patient, m.Monitor}
		if s.known[k] {
			return t.Errorf("patient %s, monitor %s: a second period", m.Patient, m.Monitor)
		}
		s.known[k], m.Period = true, p
	case NonMonitoredPeriods:
		m.Away = append(m.Away, p)
	case Regimens:
		r := Regimen{Period: p}
		if r.Expected, err = whole(t, 4, "ExpectedOpenings"); err != nil {
			return err
		}
		if t.Empty(5) != t.Empty(6) {
			return t.Errorf("On and Off go together")
		}
		if !t.Empty(5) {
			if r.On, err = whole(t, 5, "On"); err != nil {
				return err
			}
			if r.Off, err = whole(t, 6, "Off"); err != nil {
				return err
			}
		}
		if r.Expected < 0 || r.On < 0 || r.Off < 0 {
			return t.Errorf("ExpectedOpenings, On and Off cannot be below 0")
		}
		for _, other := range m.Regimens {
			if !other.To.Before(p.From) && !p.To.Before(other.From) {
				return t.Errorf("patient %s, monitor %s: overlaps the regimen from %s to %s", m.Patient, m.Monitor, other.From, other.To)
			}
		}
		m.Regimens = append(m.Regimens, r)
	}
	return nil
}

// whole answers the field as a whole number of openings or days.
func whole(t *table.Reader, i int, name string) (int, error) {
	v, err := t.Number(i)
	if err != nil {
		return 0, err
	}
	if n := int(v); float64(n) == v && n > -1e6 && n < 1e6 {
		return n, nil
	}
	return 0, t.Errorf("%s %q is not a whole number", name, t.Text(i))
}

// Monitors answers those with a row in EMInfo, by patient and monitor.
func (s *Study) Monitors() []Monitor {
	var out []Monitor
	for k, m := range s.monitors {
		if s.known[k] {
			out = append(out, *m)
		}
	}
	slices.SortFunc(out, func(a, b Monitor) int {
		return cmp.Or(cmp.Compare(a.Patient, b.Patient), cmp.Compare(a.Monitor, b.Monitor))
	})
	return out
}

// Strays answers, in order, which monitors have openings or other rows but none in EMInfo: nothing is known of when to look.
func (s *Study) Strays() []string {
	var out []string
	for k := range s.monitors {
		if !s.known[k] {
			out = append(out, fmt.Sprintf("patient %s, monitor %s", k.patient, k.monitor))
		}
	}
	slices.Sort(out)
	return out
}
