package watch

import (
	"cmp"
	"slices"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/store"
)

// count writes an alert down as it reaches people.
func (s *Service) count(tx *store.Tx, a reading.Alert, cause string, call promise.ID) error {
	_, err := tx.Exec("INSERT INTO alarm (org, raised_at, id, patient, rule, version, name, series, kind, severity, cause, promise) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
		a.Org, store.Micros(s.clock.Now()), a.ID, a.Patient, a.Rule, a.Version, a.Name, a.Series, a.Kind, a.Severity, cause, string(call))
	return err
}

// Spend is what one rule spent of a budget: a set of rules by its name and signal, or a single rule's signal.
type Spend struct {
	Name     string // of the set; empty: a rule of the person's own
	Series   string
	Kind     string // limit or silence
	Alerts   int
	Patients int
	Judged   int // calls of which somebody said whether they needed action
	Needed   int // of them, those that did
}

// Week is what alerts asked of a team's nurses in seven days.
type Week struct {
	From, Until time.Time
	Nurses      int
	Alerts      int
	PerNurse    float64 // 0 without nurses
	Spends      []Spend // the most first
	Judged      int
	Needed      int
}

// Budget is how many alerts in a week a team sets out to ask of each nurse.
type Budget struct {
	PerNurse int
	Set      time.Time // zero: nobody has set one
	By       person.ID
}

// BudgetMost bounds a budget: more than one alert in ten minutes of a working week is none.
const BudgetMost = 240

// SetBudget sets a team's budget. Those before stay on record.
func (s *Service) SetBudget(tx *store.Tx, v person.Viewer, team person.TeamID, perNurse int) error {
	if perNurse < 1 || perNurse > BudgetMost {
		return fault.Invalidf("Please choose between 1 and %d alerts in a week.", BudgetMost)
	}
	_, err := tx.Exec("INSERT INTO alarm_budget (org, team, set_at, per_nurse, by_person) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (org, team, set_at) DO UPDATE SET per_nurse = excluded.per_nurse",
		string(v.Org), string(team), store.Micros(s.clock.Now()), perNurse, string(v.Person))
	return err
}

// BudgetOf answers a team's budget.
func (s *Service) BudgetOf(tx *store.Tx, org person.OrgID, team person.TeamID) (b Budget, err error) {
	var at int64
	_, err = tx.Row("SELECT per_nurse, set_at, by_person FROM alarm_budget WHERE org = $1 AND team = $2 ORDER BY set_at DESC LIMIT 1", []any{string(org), string(team)}, &b.PerNurse, &at, &b.By)
	b.Set = store.Time(at)
	return b, err
}

// Weeks answers what alerts about a team's patients asked of its nurses in each of the n weeks until and with an instant, the latest first. The
// team and its nurses are those of now.
func (s *Service) Weeks(tx *store.Tx, org person.OrgID, team person.TeamID, until time.Time, n int) ([]Week, error) {
	nurses, err := s.people.WithRole(tx, org, person.Nurse)
	if err != nil {
		return nil, err
	}
	nurses = slices.DeleteFunc(nurses, func(p person.Person) bool { return !slices.Contains(p.Teams, team) })
	out := make([]Week, n)
	for i := range out {
		w := &out[i]
		w.Until = until.AddDate(0, 0, -7*i)
		w.From, w.Nurses = w.Until.AddDate(0, 0, -7), len(nurses)
		if err := s.week(tx, org, team, w); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Service) week(tx *store.Tx, org person.OrgID, team person.TeamID, w *Week) error {
	judged, err := s.promises.Judged(tx, org, w.From)
	if err != nil {
		return err
	}
	type key struct{ name, series, kind string }
	type tally struct {
		Spend
		who   map[string]bool
		calls map[promise.ID]bool
	}
	at := map[key]*tally{}
	calls := map[promise.ID]bool{} // one call may be several rules' alert
	err = tx.Rows(`SELECT a.patient, a.name, a.series, a.kind, a.promise FROM alarm a JOIN membership m ON m.org = a.org AND m.person = a.patient AND m.team = $2
		WHERE a.org = $1 AND a.raised_at > $3 AND a.raised_at <= $4`, []any{string(org), string(team), store.Micros(w.From), store.Micros(w.Until)}, func(scan func(...any) error) error {
		var patient string
		var k key
		var call promise.ID
		if err := scan(&patient, &k.name, &k.series, &k.kind, &call); err != nil {
			return err
		}
		x := at[k]
		if x == nil {
			x = &tally{Spend{Name: k.name, Series: k.series, Kind: k.kind}, map[string]bool{}, map[promise.ID]bool{}}
			at[k] = x
		}
		x.Alerts++
		x.who[patient] = true
		needed, ok := judged[call]
		if ok && !x.calls[call] {
			x.Judged++
			x.Needed += one(needed)
		}
		if ok && !calls[call] {
			w.Judged++
			w.Needed += one(needed)
		}
		x.calls[call], calls[call] = true, true
		w.Alerts++
		return nil
	})
	if err != nil {
		return err
	}
	for _, x := range at {
		x.Patients = len(x.who)
		w.Spends = append(w.Spends, x.Spend)
	}
	slices.SortFunc(w.Spends, func(a, b Spend) int {
		return cmp.Or(b.Alerts-a.Alerts, cmp.Compare(a.Name, b.Name), cmp.Compare(a.Series, b.Series), cmp.Compare(a.Kind, b.Kind))
	})
	if w.Nurses > 0 {
		w.PerNurse = float64(w.Alerts) / float64(w.Nurses)
	}
	return nil
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}
