package journey

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/journey/burden"
	"doorstep/internal/journey/weeks"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Made is what a plan came to.
type Made struct {
	At      time.Time    `json:"at"`
	From    clock.Day    `json:"-"`
	Days    int          `json:"days"`
	Burden  float64      `json:"burden"`  // patient-minutes
	Bound   float64      `json:"bound"`   // no plan burdens less
	Optimal bool         `json:"optimal"` // proved
	Parts   burden.Parts `json:"parts"`
	Unmet   []Unmet      `json:"unmet,omitempty"`
	Home    bool         `json:"home"` // where she lives is known
}

// Unmet is a need for which no way has a time.
type Unmet struct {
	Item string            `json:"item"`
	Need ID                `json:"need"`
	Kind string            `json:"kind"`
	By   time.Time         `json:"by"`
	Why  map[string]string `json:"why"` // by way of the catalog
}

// again is how long a plan stands until it is looked at again, without anything having changed.
const again = 24 * time.Hour

// PlanDue plans everybody whose weeks are due, and answers how many.
func (s *Service) PlanDue(ctx context.Context) (int, error) {
	type due struct {
		org     person.OrgID
		patient person.ID
	}
	var list []due
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		list, err = store.All(tx, "SELECT org, patient FROM journey_plan WHERE due_at <= $1 ORDER BY due_at, org, patient LIMIT 200", []any{store.Micros(s.clock.Now())}, func(scan func(...any) error) (d due, err error) {
			return d, scan(&d.org, &d.patient)
		})
		return err
	}); err != nil {
		return 0, err
	}
	for _, d := range list {
		if err := s.Plan(ctx, d.org, d.patient); err != nil {
			return 0, err
		}
	}
	return len(list), nil
}

// Ensure plans a person's weeks if they never were, or if something has changed since.
func (s *Service) Ensure(ctx context.Context, org person.OrgID, patient person.ID) error {
	due := true
	if err := s.db.Read(ctx, func(tx *store.Tx) error {
		var at int64
		found, err := tx.Row("SELECT due_at FROM journey_plan WHERE org = $1 AND shard = $2 AND patient = $3", []any{string(org), person.Shard(patient), string(patient)}, &at)
		due = !found || at <= store.Micros(s.clock.Now())
		return err
	}); err != nil || !due {
		return err
	}
	if err := s.db.Write(ctx, func(tx *store.Tx) error { return s.touch(tx, org, patient) }); err != nil {
		return err
	}
	return s.Plan(ctx, org, patient)
}

// Plan plans a person's weeks now. What was promised stays as it is; where moving it would save more than a move burdens, or where it is no longer possible,
// she is asked.
func (s *Service) Plan(ctx context.Context, org person.OrgID, patient person.ID) error {
	if err := s.db.Write(ctx, func(tx *store.Tx) error {
		if err := s.gather(tx, org, patient); err != nil {
			return err
		}
		return s.close(tx, org, patient)
	}); err != nil {
		return err
	}
	for range 3 { // somebody may change her list while it is planned
		d, err := s.draft(ctx, org, patient, nil)
		if err != nil {
			return err
		}
		plan, move, err := d.solve()
		if err != nil {
			return err
		}
		if done, err := s.store(ctx, d, plan, move); err != nil || done {
			return err
		}
	}
	return nil // it is still due, and planned at the next opportunity
}

// draft reads and builds a person's weeks.
func (s *Service) draft(ctx context.Context, org person.OrgID, patient person.ID, cell func(resource string, at time.Time) int) (*draft, error) {
	var d *draft
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) { d, err = s.read(tx, org, patient); return err }); err != nil {
		return nil, err
	}
	d.cell = cell
	return d, d.make(ctx)
}

// proposal is a plan with what it would move, beside the plan that moves nothing.
type proposal struct {
	items  []weeks.Item // moved
	answer weeks.Answer
	saves  float64 // patient-minutes, without the burden of the move
	forced bool    // what was promised is no longer possible
}

// solve plans with what was promised as it is, and, if it would save more than it burdens to be moved, with the move.
func (d *draft) solve() (weeks.Answer, *proposal, error) {
	free, err := d.weeks.Plan()
	if err != nil {
		return free, nil, err
	}
	moved := movedOf(free)
	if len(moved) == 0 {
		return free, nil, nil
	}
	fixed := d.weeks
	fixed.Needs = slices.Clone(d.weeks.Needs)
	for i, n := range fixed.Needs {
		if n.Promised != nil {
			p := *n.Promised
			p.Never = true
			fixed.Needs[i].Promised = &p
		}
	}
	still, err := fixed.Plan()
	if err != nil {
		return still, nil, err
	}
	p := &proposal{items: moved, answer: free}
	if impossible := movedOf(still); len(impossible) > 0 || len(still.Unmet) > len(free.Unmet) {
		p.forced = true
		if len(impossible) > 0 {
			p.items = impossible
		}
	}
	p.saves = still.Burden - free.Burden + d.weeks.Weights.Move*float64(len(moved))
	return still, p, nil
}

func movedOf(a weeks.Answer) []weeks.Item {
	var out []weeks.Item
	for _, it := range a.Items {
		if it.Moved {
			out = append(out, it)
		}
	}
	return out
}

// itemOf makes an item of the answer into one of ours.
func (d *draft) itemOf(it weeks.Item) Item {
	o := d.times[it.Need]
	c := o.ways[it.Way]
	out := Item{Org: d.person.Org, Patient: d.person.ID, ID: it.Need, Need: o.need.ID, Way: c.way.ID, Mode: c.way.Mode, Place: c.place, Start: micro(it.Start), End: micro(it.End), State: Planned}
	out.Why = Why{Kind: o.kind.ID, From: o.window.From, By: o.window.By, Burden: it.Parts, Instead: o.instead, Others: maps.Clone(o.why)}
	if out.Why.Others == nil {
		out.Why.Others = map[string]string{}
	}
	for _, w := range o.kind.Ways {
		if _, said := out.Why.Others[w.ID]; !said && w.ID != c.way.ID {
			out.Why.Others[w.ID] = WhyMore
		}
	}
	if c.way.Visit != "" {
		if x, ok := d.option(o, c.way, c.place, it.Start); ok {
			out.Why.Resources, out.Why.With = x.Resources, x.With
		}
	}
	for _, x := range c.spans { // a delivery comes at some time of its hours
		if c.way.Mode == Delivery && !it.Start.Before(x.From) && it.Start.Before(x.To) {
			out.Why.Window = x.To
		}
	}
	return out
}

// planned makes an answer into items and trips. What was promised keeps its row.
func (d *draft) planned(a weeks.Answer) (items []Item, trips []Trip) {
	list := make([]Item, len(a.Items))
	for i, it := range a.Items {
		list[i] = d.itemOf(it)
		if old := d.times[it.Need].item; old != nil {
			why := list[i].Why
			list[i] = *old
			if old.Why.Instead == nil { // promised before it was ever planned: booked elsewhere
				list[i].Why.Instead, list[i].Why.Others = why.Instead, why.Others
			}
		}
	}
	for _, t := range a.Trips {
		var of []Item
		for _, i := range t.Items {
			of = append(of, list[i])
		}
		slices.SortStableFunc(of, func(x, y Item) int { return x.Start.Compare(y.Start) })
		trip := d.tripOf(of)
		trip.ID = tripID(d.person, trip.Leave)
		for _, i := range t.Items {
			list[i].Trip = trip.ID
		}
		trips = append(trips, trip)
	}
	return list, trips
}

// tripID names the trip of a day: she goes out once a day.
func tripID(p person.Person, at time.Time) string {
	return "trip-" + clock.DayOf(at, p.Location()).String()
}

func (d *draft) tripOf(items []Item) Trip {
	return d.legs.tripOf(d.person.Org, d.person.ID, d.self.Means, d.self.Means == Family, items, func(it Item) bool { return d.cares(it) })
}

// cares reports whether an item is care outside home.
func (d *draft) cares(it Item) bool {
	if w, ok := d.kinds[it.Why.Kind].Way(it.Way); ok {
		return w.Care
	}
	return it.Mode == Clinic
}

// store writes a plan down, unless her list has changed meanwhile.
func (s *Service) store(ctx context.Context, d *draft, a weeks.Answer, move *proposal) (bool, error) {
	done := false
	org, patient := d.person.Org, d.person.ID
	items, trips := d.planned(a)
	made := Made{At: d.now, Days: Ahead, Burden: a.Burden, Bound: a.Bound, Optimal: a.Optimal, Parts: a.Parts, Home: d.legs.known}
	for _, u := range a.Unmet {
		made.Unmet = append(made.Unmet, d.unmetOf(u))
	}
	made.Unmet = append(made.Unmet, d.overdue()...)
	body, err := json.Marshal(made)
	if err != nil {
		return false, err
	}
	return done, s.db.Write(ctx, func(tx *store.Tx) error {
		n, err := tx.Exec(`UPDATE journey_plan SET due_at = $5, made_at = $6, body = $7 WHERE org = $1 AND shard = $2 AND patient = $3 AND version = $4`,
			string(org), person.Shard(patient), string(patient), d.version, store.Micros(d.now.Add(again)), store.Micros(d.now), string(body))
		if err != nil || n == 0 {
			return err
		}
		done = true
		if err := s.replace(tx, d, items, trips); err != nil {
			return err
		}
		if err := s.worry(tx, d, made.Unmet); err != nil {
			return err
		}
		tx.Hint("patient", string(org)+"/"+string(patient))
		if move != nil {
			return s.ask(tx, d, move)
		}
		return nil
	})
}

// replace puts the new plan in the place of what was planned and not promised.
func (s *Service) replace(tx *store.Tx, d *draft, items []Item, trips []Trip) error {
	for _, it := range d.items {
		if it.State == Planned {
			if err := s.removeItem(tx, it); err != nil {
				return err
			}
		}
	}
	standing := map[string]Trip{}
	for _, t := range d.trips {
		if t.State == Planned {
			if err := s.removeTrip(tx, t); err != nil {
				return err
			}
		} else {
			standing[t.ID] = t
		}
	}
	for _, t := range trips {
		if old, ok := standing[t.ID]; ok && old.State == Promised { // it was promised with its times: what joins it is added when she says yes
			old.Next = nil
			if !slices.Equal(old.Stops, t.Stops) {
				next := t
				old.Next = &next
			}
			t = old
		}
		if err := s.putTrip(tx, t); err != nil {
			return err
		}
	}
	for _, it := range items {
		if err := s.putItem(tx, it); err != nil {
			return err
		}
	}
	return nil
}

// unmetOf says for each way of the catalog why it found no time.
func (d *draft) unmetOf(u weeks.Unmet) Unmet {
	o := d.times[u.Need]
	out := Unmet{Item: u.Need, Need: o.need.ID, Kind: o.kind.ID, By: o.window.By, Why: maps.Clone(o.why)}
	for id, reason := range u.Reasons {
		way, _, _ := strings.Cut(id, ":")
		out.Why[way] = wordFor(reason)
	}
	return out
}

// overdue answers the needs whose time has passed without their being done.
func (d *draft) overdue() []Unmet {
	var out []Unmet
	for _, n := range d.needs {
		if n.Every > 0 || n.By.After(d.now) || slices.ContainsFunc(d.items, func(it Item) bool { return it.Need == n.ID && it.State == Promised }) {
			continue
		}
		u := Unmet{Item: string(n.ID), Need: n.ID, Kind: n.Kind, By: n.By, Why: map[string]string{}}
		for _, w := range d.kinds[n.Kind].Ways {
			u.Why[w.ID] = WhyOverdue
		}
		out = append(out, u)
	}
	return out
}

// worry opens a task for the desk for each need that is due for her health and has no time.
func (s *Service) worry(tx *store.Tx, d *draft, list []Unmet) error {
	for _, u := range list {
		i := slices.IndexFunc(d.needs, func(n Need) bool { return n.ID == u.Need })
		if i < 0 || !d.needs[i].Clinical {
			continue
		}
		if err := s.task(tx, d.person.Org, d.person.ID, "task.journey.unmet", "unmet/"+u.Item, nil); err != nil {
			return err
		}
	}
	return nil
}

// cells answers which shared capacity a visit at a time takes: the grid's cells of each of who and what it takes.
func (d *draft) cells(typ string, w Way, place string) func(time.Time) []int {
	return func(start time.Time) []int {
		for _, x := range d.options[typ] {
			if x.Way != visitWay(w.Mode) || x.Place != place || !x.Start.Equal(start) {
				continue
			}
			var out []int
			for _, r := range x.Resources {
				for t := x.Start.Truncate(cellLong); t.Before(x.End); t = t.Add(cellLong) {
					out = append(out, d.cell(r, t))
				}
			}
			return out
		}
		return nil
	}
}

// cellLong is how fine shared time is cut.
const cellLong = 10 * time.Minute

// Weeks is a person's weeks as they stand: for pages and programs.
type Weeks struct {
	Made  Made
	Items []Item // in order of time, those that lie ahead or are under way
	Trips []Trip
	Needs []Need
	Kinds map[string]Kind
	Self  Self
	Asks  []Ask
	Spots map[string]Spot
}

// Spot is a place by name.
type Spot struct{ Name, Address string }

// Of answers a person's weeks.
func (s *Service) Of(tx *store.Tx, org person.OrgID, patient person.ID) (Weeks, error) {
	w := Weeks{Kinds: map[string]Kind{}, Spots: map[string]Spot{}}
	var body string
	found, err := tx.Row("SELECT body FROM journey_plan WHERE org = $1 AND shard = $2 AND patient = $3", []any{string(org), person.Shard(patient), string(patient)}, &body)
	if err != nil {
		return w, err
	}
	if found {
		if err := json.Unmarshal([]byte(body), &w.Made); err != nil {
			return w, err
		}
	}
	now := s.clock.Now()
	items, err := s.items(tx, org, patient)
	if err != nil {
		return w, err
	}
	for _, it := range items {
		if it.State == Planned && it.Start.After(now) || it.State == Promised {
			w.Items = append(w.Items, it)
		}
	}
	trips, err := s.trips(tx, org, patient)
	if err != nil {
		return w, err
	}
	for _, t := range trips {
		if t.Home.After(now) && t.State != ItemDone && slices.ContainsFunc(w.Items, func(it Item) bool { return it.Trip == t.ID }) {
			w.Trips = append(w.Trips, t)
		}
	}
	if w.Needs, err = s.Needs(tx, org, patient); err != nil {
		return w, err
	}
	kinds, err := s.Kinds(tx, org)
	if err != nil {
		return w, err
	}
	for _, k := range kinds {
		w.Kinds[k.ID] = k
	}
	if w.Self, err = s.SelfOf(tx, org, patient); err != nil {
		return w, err
	}
	if w.Asks, err = s.Asks(tx, org, patient); err != nil {
		return w, err
	}
	places, err := s.people.Places(tx, org)
	if err != nil {
		return w, err
	}
	for _, p := range places {
		w.Spots[p.ID] = Spot{p.Name, p.Address}
	}
	outlets, err := s.Outlets(tx, org)
	for _, o := range outlets {
		w.Spots[o.ID] = Spot{o.Name, o.Address}
	}
	return w, err
}

var errGone = fault.Conflictf("That is not in the plan any more. Please look again.")
