package medication

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/medication/trial"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Comparison is a randomised comparison of two ways to support people with doses.
type Comparison struct {
	Org   person.OrgID `json:"-"`
	ID    string       `json:"-"`
	Name  string       `json:"name"`
	Arms  [2]Arm       `json:"arms"`
	Who   Who          `json:"who"`
	From  clock.Day    `json:"-"` // first and last day, both included, by each patient's days
	Until clock.Day    `json:"-"`
	By    person.ID    `json:"-"`
	Made  time.Time    `json:"-"`
	Ended time.Time    `json:"-"` // zero: it goes on
	Ender person.ID    `json:"-"` // empty: it came to its last day
	Why   string       `json:"-"`
	Seed  string       `json:"-"` // empty while it goes on: nobody can work the next arm out
}

// Arm is one of the two ways.
type Arm struct {
	Name     string `json:"name"`
	Usual    []Step `json:"usual"`
	Critical []Step `json:"critical"`
}

// Who may take part, besides taking a medicine at set times and being in no other comparison.
type Who struct {
	Critical bool `json:"critical,omitempty"` // only who takes a critical medicine
	Helped   bool `json:"helped,omitempty"`   // only who has a helper that may see the chart
}

// Allotted is somebody in a comparison.
type Allotted struct {
	Patient person.ID
	Seq     int // from 0
	Arm     int
	At      time.Time
	By      person.ID
	Now     bool // still on the arm's plan
}

const comparisonLongest = 366

func (c Comparison) validate(today clock.Day) error {
	switch {
	case c.Name == "" || len([]rune(c.Name)) > 100:
		return fault.Invalidf("Please give the comparison a name.")
	case c.Until.Before(c.From) || c.Until.Sub(c.From) >= comparisonLongest:
		return fault.Invalidf("Please choose a first and a last day, at most a year apart.")
	case c.Until.Before(today):
		return fault.Invalidf("The last day is over.")
	}
	for _, a := range c.Arms {
		if len(a.Usual) == 0 || len(a.Critical) == 0 {
			return fault.Invalidf("Each arm needs steps for usual and for critical medicines.")
		}
		for _, list := range [][]Step{a.Usual, a.Critical} {
			if err := validSteps(list); err != nil {
				return err
			}
		}
	}
	if slices.EqualFunc(c.Arms[0].Usual, c.Arms[1].Usual, sameStep) && slices.EqualFunc(c.Arms[0].Critical, c.Arms[1].Critical, sameStep) {
		return fault.Invalidf("The two arms are the same.")
	}
	return nil
}

func sameStep(a, b Step) bool {
	return a.After == b.After && a.Do == b.Do && slices.Equal(a.Channels, b.Channels)
}

// seedLength is of the secret from which arms follow: 128 bits.
const seedLength = 26

// BeginComparison defines one. Nobody is in it yet; what it compares never changes after.
func (s *Service) BeginComparison(tx *store.Tx, v person.Viewer, c Comparison) (Comparison, error) {
	if !v.Role.Staff() {
		return c, fault.Deniedf("Only staff can begin a comparison.")
	}
	org, err := s.people.Org(tx, c.Org)
	if err != nil {
		return c, err
	}
	zone, err := clock.Zone(org.Zone)
	if err != nil {
		return c, err
	}
	if err := c.validate(clock.DayOf(s.clock.Now(), zone)); err != nil {
		return c, err
	}
	c.ID, c.By, c.Made = s.ids.New(), v.Person, s.clock.Now()
	doc, err := json.Marshal(c)
	if err != nil {
		return c, err
	}
	_, err = tx.Exec("INSERT INTO comparison (org, id, doc, seed, from_day, until_day, by_person, made_at, ended_at, ended_by, why) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, '', '')",
		string(c.Org), c.ID, string(doc), s.ids.Secret(seedLength), c.From.String(), c.Until.String(), string(c.By), store.Micros(c.Made))
	tx.Hint("desk", string(c.Org))
	return c, err
}

// Comparisons answers an organization's comparisons, the newest first.
func (s *Service) Comparisons(tx *store.Tx, org person.OrgID) ([]Comparison, error) {
	return s.comparisons(tx, "org = $1 ORDER BY made_at DESC, id", string(org))
}

// ComparisonByID answers one.
func (s *Service) ComparisonByID(tx *store.Tx, org person.OrgID, id string) (Comparison, error) {
	list, err := s.comparisons(tx, "org = $1 AND id = $2", string(org), id)
	if err == nil && len(list) == 0 {
		err = fault.NotFoundf("There is no such comparison.")
	}
	if err != nil {
		return Comparison{}, err
	}
	return list[0], nil
}

func (s *Service) comparisons(tx *store.Tx, where string, args ...any) ([]Comparison, error) {
	return store.All(tx, "SELECT org, id, doc, seed, from_day, until_day, by_person, made_at, ended_at, ended_by, why FROM comparison WHERE "+where, args,
		func(scan func(...any) error) (c Comparison, err error) {
			var doc, from, until string
			var made, ended int64
			if err := scan(&c.Org, &c.ID, &doc, &c.Seed, &from, &until, &c.By, &made, &ended, &c.Ender, &c.Why); err != nil {
				return c, err
			}
			if c.Made, c.Ended = store.Time(made), store.Time(ended); c.Ended.IsZero() {
				c.Seed = ""
			}
			if c.From, err = clock.ParseDay(from); err != nil {
				return c, err
			}
			if c.Until, err = clock.ParseDay(until); err != nil {
				return c, err
			}
			return c, json.Unmarshal([]byte(doc), &c)
		})
}

// PeopleOf answers who is in a comparison, in the order in which they were allotted.
func (s *Service) PeopleOf(tx *store.Tx, c Comparison) ([]Allotted, error) {
	list, err := store.All(tx, "SELECT seq, patient, arm, at, by_person FROM allotted WHERE org = $1 AND comparison = $2 ORDER BY seq", []any{string(c.Org), c.ID},
		func(scan func(...any) error) (a Allotted, err error) {
			var at int64
			err = scan(&a.Seq, &a.Patient, &a.Arm, &at, &a.By)
			a.At = store.Time(at)
			return a, err
		})
	for i := range list {
		if err != nil {
			break
		}
		var sup Support
		sup, err = s.SupportOf(tx, c.Org, list[i].Patient)
		list[i].Now = sup.Comparison == c.ID
	}
	return list, err
}

// MayJoin answers which of the viewer's patients could be allotted, by name.
func (s *Service) MayJoin(tx *store.Tx, v person.Viewer, c Comparison) ([]person.Person, error) {
	if !c.Ended.IsZero() {
		return nil, nil
	}
	list, err := s.people.PatientsOf(tx, v)
	if err != nil {
		return nil, err
	}
	var out []person.Person
	for _, p := range list {
		may, err := s.mayJoin(tx, c, p)
		if err != nil {
			return nil, err
		}
		if may {
			out = append(out, p)
		}
	}
	return out, nil
}

func (s *Service) mayJoin(tx *store.Tx, c Comparison, p person.Person) (bool, error) {
	if !p.Active || p.Role != person.Patient || c.Until.Before(s.dayOf(p)) {
		return false, nil
	}
	var n int
	if _, err := tx.Row(`SELECT COUNT(*) FROM allotted a JOIN comparison c ON c.org = a.org AND c.id = a.comparison
		WHERE a.org = $1 AND a.patient = $2 AND (c.ended_at = 0 OR c.id = $3)`, []any{string(p.Org), string(p.ID), c.ID}, &n); err != nil || n > 0 {
		return false, err
	}
	sup, err := s.SupportOf(tx, p.Org, p.ID)
	if err != nil || len(sup.Own) > 0 { // what was agreed for one medicine is not overruled by chance
		return false, err
	}
	regimens, err := s.Regimens(tx, p.Org, p.ID)
	if err != nil || !slices.ContainsFunc(regimens, func(r Regimen) bool { return r.Active && !r.AsNeeded && (r.Critical || !c.Who.Critical) }) {
		return false, err
	}
	if !c.Who.Helped {
		return true, nil
	}
	helpers, err := s.people.Caregivers(tx, p.Org, p.ID, person.See)
	return len(helpers) > 0, err
}

// Allot puts a patient into a comparison: the next arm in line becomes her plan.
func (s *Service) Allot(tx *store.Tx, v person.Viewer, id string, patient person.ID) (Allotted, error) {
	a := Allotted{Patient: patient, At: s.clock.Now(), By: v.Person, Now: true}
	if tx.Engine() == store.Postgres { // two at once would be given one place
		if _, err := tx.Exec("SELECT pg_advisory_xact_lock(hashtextextended($1, 11))", "comparison/"+id); err != nil {
			return a, err
		}
	}
	c, err := s.ComparisonByID(tx, v.Org, id)
	if err != nil {
		return a, err
	}
	if !c.Ended.IsZero() {
		return a, fault.Conflictf("That comparison has ended.")
	}
	p, err := s.people.Get(tx, v.Org, patient)
	if err != nil {
		return a, err
	}
	may, err := s.mayJoin(tx, c, p)
	if err != nil {
		return a, err
	}
	if !may {
		return a, fault.Conflictf("%s cannot take part in it.", p.Called)
	}
	var seed string
	if _, err := tx.Row("SELECT seed, (SELECT COUNT(*) FROM allotted WHERE org = $1 AND comparison = $2) FROM comparison WHERE org = $1 AND id = $2", []any{string(v.Org), id}, &seed, &a.Seq); err != nil {
		return a, err
	}
	a.Arm = trial.Arm(seed, a.Seq)
	had, err := s.SupportOf(tx, v.Org, patient)
	if err != nil {
		return a, err
	}
	if _, err := tx.Exec("INSERT INTO allotted (org, comparison, seq, patient, arm, at, by_person, before) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
		string(v.Org), id, a.Seq, string(patient), a.Arm, store.Micros(a.At), string(v.Person), had.Version); err != nil {
		return a, err
	}
	tx.Hint("desk", string(v.Org))
	_, err = s.SetSupport(tx, v, Support{Org: v.Org, Patient: patient, Usual: c.Arms[a.Arm].Usual, Critical: c.Arms[a.Arm].Critical, Instructions: had.Instructions, Comparison: id})
	return a, err
}

// EndComparison stops one, with the reason. Everybody still on its plans goes back to the plan of before; who was in it, and what came of
// it, stays.
func (s *Service) EndComparison(tx *store.Tx, v person.Viewer, id, why string) error {
	n, err := tx.Exec("UPDATE comparison SET ended_at = $3, ended_by = $4, why = $5 WHERE org = $1 AND id = $2 AND ended_at = 0",
		string(v.Org), id, store.Micros(s.clock.Now()), string(v.Person), why)
	if err != nil {
		return err
	}
	if n == 0 {
		if _, err := s.ComparisonByID(tx, v.Org, id); err != nil {
			return err
		}
		return fault.Conflictf("That comparison has ended.")
	}
	type back struct {
		patient person.ID
		version int
	}
	list, err := store.All(tx, "SELECT patient, before FROM allotted WHERE org = $1 AND comparison = $2 ORDER BY seq", []any{string(v.Org), id},
		func(scan func(...any) error) (b back, err error) { return b, scan(&b.patient, &b.version) })
	for _, b := range list {
		if err != nil {
			break
		}
		err = s.goBack(tx, v, id, b.patient, b.version)
	}
	tx.Hint("desk", string(v.Org))
	return err
}

// goBack gives a patient the steps of an earlier version again, unless staff have changed the plan meanwhile.
func (s *Service) goBack(tx *store.Tx, v person.Viewer, id string, patient person.ID, version int) error {
	history, err := s.supports(tx, v.Org, patient, 1_000_000)
	if err != nil || len(history) == 0 || history[0].Comparison != id {
		return err
	}
	before := Support{Org: v.Org, Patient: patient}
	for _, x := range history {
		if x.Version == version {
			before = x
		}
	}
	before.Instructions, before.Comparison = history[0].Instructions, ""
	_, err = s.SetSupport(tx, v, before)
	return err
}

// EndDue ends the comparisons whose last day is over where their organization is, and answers how many.
func (s *Service) EndDue(ctx context.Context) (n int, err error) {
	var over []Comparison
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		list, err := s.comparisons(tx, "ended_at = 0 ORDER BY org, id")
		for _, c := range list {
			if err != nil {
				return err
			}
			var org person.Org
			if org, err = s.people.Org(tx, c.Org); err != nil {
				return err
			}
			var zone *time.Location
			if zone, err = clock.Zone(org.Zone); err == nil && c.Until.Before(clock.DayOf(s.clock.Now(), zone)) {
				over = append(over, c)
			}
		}
		return err
	})
	for _, c := range over {
		if err != nil {
			return n, err
		}
		err = s.db.Write(store.Essential(ctx), func(tx *store.Tx) error {
			return s.EndComparison(tx, person.SystemViewer(c.Org), c.ID, "comparison.over")
		})
		if fault.Is(err, fault.Conflict) { // another node, or somebody of the staff, was sooner
			err = nil
			continue
		}
		n++
	}
	return n, err
}

// OutcomeOf works out what has come of a comparison so far: for each person the share of doses due, from the day after she was allotted,
// of which we know within an hour.
func (s *Service) OutcomeOf(tx *store.Tx, c Comparison) (trial.Outcome, error) {
	list, err := s.PeopleOf(tx, c)
	if err != nil {
		return trial.Outcome{}, err
	}
	people := make([]trial.Person, 0, len(list))
	for _, a := range list {
		p, err := s.people.Get(tx, c.Org, a.Patient)
		if err != nil {
			return trial.Outcome{}, err
		}
		from, to := p.DayOf(a.At).Add(1), c.Until
		if from.Before(c.From) {
			from = c.From
		}
		if last := p.DayOf(c.Ended).Add(-1); !c.Ended.IsZero() && last.Before(to) {
			to = last
		}
		m, err := s.Adherence(tx, p, from, to)
		if err != nil {
			return trial.Outcome{}, err
		}
		people = append(people, trial.Person{Arm: a.Arm, Doses: m.Doses, OnTime: m.OnTime})
	}
	return trial.Compare(people), nil
}
