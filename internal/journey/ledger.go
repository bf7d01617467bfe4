package journey

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/journey/burden"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// What a row of the burden ledger is.
const (
	RowTrip    = "trip"    // the way of a trip that was made, with its idling
	RowStop    = "stop"    // what was done on it: the wait and being seen
	RowHome    = "home"    // what was done at home
	RowCame    = "came"    // what somebody came to her home for
	RowInstead = "instead" // what a thing would have burdened by the counterfactual: the nearest place, one trip for each need
)

// CO2PerMile in kg: 21,466 t for 53.66 million miles (Sharma et al. 2023).
const CO2PerMile = 0.400

// Row is one row of the burden ledger.
type Row struct {
	Day     clock.Day    `json:"-"`
	ID      string       `json:"id"`
	What    string       `json:"what"`
	About   string       `json:"about"` // kind of need; of a trip its id
	Trips   int          `json:"trips"`
	Contact int          `json:"contact"` // 1: care outside home
	Minutes int          `json:"minutes"` // away from home
	Miles   float64      `json:"miles"`
	Dollars float64      `json:"dollars"`
	Escort  int          `json:"escort"` // minutes of who came along
	Parts   burden.Parts `json:"parts"`
}

// Sums are what rows come to.
type Sums struct {
	Trips   int     `json:"trips"`
	Contact int     `json:"contact_days"` // ambulatory: days with care outside home
	Minutes int     `json:"minutes_away"`
	Miles   float64 `json:"miles"`
	Dollars float64 `json:"dollars"`
	Escort  int     `json:"escort_minutes"`
	CO2     float64 `json:"co2_kg"`
}

// Minus answers what one burdens more than another.
func (a Sums) Minus(b Sums) Sums {
	return Sums{a.Trips - b.Trips, a.Contact - b.Contact, a.Minutes - b.Minutes, a.Miles - b.Miles, a.Dollars - b.Dollars, a.Escort - b.Escort, a.CO2 - b.CO2}
}

// Account is what a span of days burdened a person, beside the counterfactual.
type Account struct {
	From, To clock.Day // To not included
	Caused   Sums      // as it was
	Instead  Sums      // by the counterfactual
	Avoided  Sums      // the difference
	Done     int       // things done
	AtHome   int       // of them at home
	Rows     []Row

	// By the published definitions; see docs/journeys.md.
	ContactAmbulatory int // days with an ambulatory contact (Ganguli et al. 2024)
	ContactTotal      int // and days in hospital, emergency, skilled nursing, hospice
	FacilityDays      int
	Emergencies       int
	HomeCare          int // visits at home
	HomeDays          int // Burke et al. 2020: days less facility days, emergency visits and visits at home
	HomeDaysPlain     int // the same without subtracting visits at home
}

// Stays answer where else a person was cared for: encounters of the record. internal/app adapts it.
type Stays interface {
	Stays(ctx context.Context, org person.OrgID, patient person.ID, from, to time.Time) ([]Stay, error)
}

// Stay is an encounter.
type Stay struct {
	Class    StayClass
	From, To time.Time
}

// StayClass is what an encounter counts as.
type StayClass string

const (
	Ambulatory StayClass = "ambulatory"
	Emergency  StayClass = "emergency"
	Facility   StayClass = "facility" // inpatient, observation, skilled nursing, rehabilitation, hospice
	AtHome     StayClass = "home"     // home health
)

// SetStays says who knows of encounters elsewhere; call it before the first account.
func (s *Service) SetStays(x Stays) { s.stays = x }

func (s *Service) putRow(tx *store.Tx, it Item, zone *time.Location, r Row) error {
	body, err := json.Marshal(r.Parts)
	if err != nil {
		return err
	}
	return tx.Put("journey_ledger", []string{"org", "shard", "patient", "day", "id", "what", "about", "trips", "contact", "minutes", "miles", "dollars", "escort", "body"}, 5, 1, func(int) []any {
		return []any{string(it.Org), int64(person.Shard(it.Patient)), string(it.Patient), clock.DayOf(it.Start, zone).String(), r.ID, r.What, r.About, int64(r.Trips), int64(r.Contact), int64(r.Minutes),
			r.Miles, r.Dollars, int64(r.Escort), string(body)}
	})
}

func rowOf(what, id, about string, p burden.Parts, trips, contact int, miles float64) Row {
	r := Row{ID: id, What: what, About: about, Trips: trips, Contact: contact, Minutes: p.Away(), Miles: miles, Dollars: p.Dollars, Escort: p.Escort, Parts: p}
	if what == RowHome || what == RowCame { // a wait at home is no time away
		r.Minutes = 0
	}
	return r
}

// itemDone writes down that an item was done, with what it burdened and what it would have.
func (s *Service) itemDone(tx *store.Tx, it Item) error {
	p, err := s.people.Get(tx, it.Org, it.Patient)
	if err != nil {
		return err
	}
	it.State = ItemDone
	if err := s.putItem(tx, it); err != nil {
		return err
	}
	kinds, err := s.Kinds(tx, it.Org)
	if err != nil {
		return err
	}
	care := 0
	if it.Mode.Out() && caresFor(kinds, it) {
		care = 1
	}
	what := RowHome
	switch it.Mode {
	case HomeVisit, HomeDraw:
		what = RowCame
	case PickUp, Clinic:
		what = RowStop
	}
	if err := s.putRow(tx, it, p.Location(), rowOf(what, what+"/"+it.ID, it.Why.Kind, it.Why.Burden, 0, care, 0)); err != nil {
		return err
	}
	if x := it.Why.Instead; x != nil {
		contact := 0
		if x.Care {
			contact = 1
		}
		if err := s.putRow(tx, it, p.Location(), rowOf(RowInstead, RowInstead+"/"+it.ID, it.Why.Kind, x.Parts, 1, contact, x.Miles)); err != nil {
			return err
		}
	}
	if it.Trip != "" {
		t, err := s.trip(tx, it.Org, it.Patient, it.Trip)
		if err != nil {
			return err
		}
		if err := s.putRow(tx, it, p.Location(), rowOf(RowTrip, RowTrip+"/"+t.ID, t.ID, t.Parts, 1, 0, t.Miles)); err != nil {
			return err
		}
	}
	n, found, err := s.need(tx, it.Org, it.Patient, it.Need)
	if err != nil || !found {
		return err
	}
	if n.Every == 0 && n.State == Open {
		n.State = Done
		if err := s.putNeed(tx, n); err != nil {
			return err
		}
	}
	return s.arranged(tx, n, Arrangement{Way: it.Way, Mode: it.Mode, Start: it.Start, End: it.End, Done: true})
}

// close brings what lies behind to its end: what nothing shows to be done counts as missed and its need is open again; trips that are over are done.
func (s *Service) close(tx *store.Tx, org person.OrgID, patient person.ID) error {
	now := s.clock.Now()
	items, err := s.items(tx, org, patient)
	if err != nil {
		return err
	}
	for _, it := range items {
		until := it.End
		if !it.Why.Window.IsZero() {
			until = it.Why.Window
		}
		if it.State != Promised || now.Before(until.Add(closes)) {
			continue
		}
		it.State = Missed
		if err := s.putItem(tx, it); err != nil {
			return err
		}
	}
	trips, err := s.trips(tx, org, patient)
	if err != nil {
		return err
	}
	for _, t := range trips {
		if t.State == Promised && now.After(t.Home.Add(closes)) {
			t.State = ItemDone
			if !slices.ContainsFunc(items, func(it Item) bool { return it.Trip == t.ID && it.State == ItemDone }) {
				t.State = Missed
			}
			if t.OutState == LegBooked {
				t.OutState, t.BackState = LegDone, LegDone
			}
			if err := s.putTrip(tx, t); err != nil {
				return err
			}
		}
	}
	return nil
}

// Rows answers the rows of the burden ledger of a person between two days, in order.
func (s *Service) Rows(tx *store.Tx, org person.OrgID, patient person.ID, from, to clock.Day) ([]Row, error) {
	return store.All(tx, "SELECT day, id, what, about, trips, contact, minutes, miles, dollars, escort, body FROM journey_ledger WHERE org = $1 AND shard = $2 AND patient = $3 AND day >= $4 AND day < $5 ORDER BY day, id",
		[]any{string(org), person.Shard(patient), string(patient), from.String(), to.String()}, scanRow)
}

func scanRow(scan func(...any) error) (Row, error) {
	var r Row
	var day, body string
	err := scan(&day, &r.ID, &r.What, &r.About, &r.Trips, &r.Contact, &r.Minutes, &r.Miles, &r.Dollars, &r.Escort, &body)
	if err == nil {
		r.Day, err = clock.ParseDay(day)
	}
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal([]byte(body), &r.Parts)
}

// Burden answers what days from and up to burdened a person, beside the counterfactual, opened to its rows.
func (s *Service) Burden(ctx context.Context, org person.OrgID, patient person.ID, from, to clock.Day) (Account, error) {
	a := Account{From: from, To: to}
	var zone *time.Location
	if err := s.db.Read(ctx, func(tx *store.Tx) error {
		p, err := s.people.Get(tx, org, patient)
		if err != nil {
			return err
		}
		zone = p.Location()
		a.Rows, err = s.Rows(tx, org, patient, from, to)
		return err
	}); err != nil {
		return a, err
	}
	var stays []Stay
	if s.stays != nil {
		var err error
		if stays, err = s.stays.Stays(ctx, org, patient, clock.At(from, 0, zone), clock.At(to, 0, zone)); err != nil {
			return a, err
		}
	}
	a.count(stays, zone)
	return a, nil
}

// count sums rows and stays up. An ambulatory contact day is one with care outside home; a day in a facility is none (it counts in the total).
func (a *Account) count(stays []Stay, zone *time.Location) {
	ambulatory, facility, total := map[clock.Day]bool{}, map[clock.Day]bool{}, map[clock.Day]bool{}
	within := func(d clock.Day) bool { return !d.Before(a.From) && d.Before(a.To) }
	for _, r := range a.Rows {
		switch {
		case r.What == RowInstead:
			a.Instead.add(r)
			a.Instead.Contact += r.Contact // one trip for each need, each on a day of its own
			continue
		case r.What == RowCame:
			a.HomeCare++
			fallthrough
		case r.What == RowHome:
			a.AtHome++
			a.Done++
		case r.What == RowStop:
			a.Done++
		}
		a.Caused.add(r)
		if r.Contact > 0 {
			ambulatory[r.Day] = true
		}
	}
	a.Caused.Contact = len(ambulatory)
	a.Avoided = a.Instead.Minus(a.Caused)
	for _, x := range stays {
		first := clock.DayOf(x.From, zone)
		last := clock.DayOf(x.To, zone)
		switch x.Class {
		case Emergency:
			if within(first) {
				a.Emergencies++
			}
		case AtHome:
			if within(first) {
				a.HomeCare++
			}
			continue
		}
		for d := first; !last.Before(d); d = d.Add(1) {
			if !within(d) {
				continue
			}
			total[d] = true
			switch x.Class {
			case Ambulatory:
				ambulatory[d] = true
			case Facility:
				facility[d] = true
			}
		}
	}
	for d := range facility {
		delete(ambulatory, d)
	}
	for d := range ambulatory {
		total[d] = true
	}
	a.ContactAmbulatory, a.ContactTotal, a.FacilityDays = len(ambulatory), len(total), len(facility)
	a.HomeDaysPlain = a.To.Sub(a.From) - a.FacilityDays - a.Emergencies
	a.HomeDays = a.HomeDaysPlain - a.HomeCare
}

func (s *Sums) add(r Row) {
	s.Trips += r.Trips
	s.Minutes += r.Minutes
	s.Miles += r.Miles
	s.Dollars += r.Dollars
	s.Escort += r.Escort
	s.CO2 = s.Miles * CO2PerMile
}

// Coming answers what the plan ahead burdens and what the counterfactual would: of trips and of things that are planned or promised.
func Coming(items []Item, trips []Trip) (caused, instead Sums) {
	for _, it := range items {
		what := RowHome
		if it.Mode.Out() {
			what = RowStop
		}
		caused.add(rowOf(what, "", "", it.Why.Burden, 0, 0, 0))
		if x := it.Why.Instead; x != nil {
			instead.add(rowOf(RowInstead, "", "", x.Parts, 1, 0, x.Miles))
			if x.Care {
				instead.Contact++
			}
		}
	}
	for _, t := range trips {
		if t.Next != nil {
			t.Parts, t.Miles, t.Care = t.Next.Parts, t.Next.Miles, t.Next.Care
		}
		caused.add(rowOf(RowTrip, "", "", t.Parts, 1, 0, t.Miles))
		if t.Care {
			caused.Contact++
		}
	}
	return caused, instead
}

// All is what a span of days burdened all of an organization's people.
type All struct {
	People  int  `json:"people"`
	Caused  Sums `json:"caused"`
	Instead Sums `json:"instead"`
	Avoided Sums `json:"avoided"`
	Done    int  `json:"done"`
	AtHome  int  `json:"at_home"`
}

// BurdenOfAll answers what days from and up to burdened everybody.
func (s *Service) BurdenOfAll(tx *store.Tx, org person.OrgID, from, to clock.Day) (All, error) {
	var out All
	err := tx.Rows(`SELECT what, COUNT(*), CAST(SUM(trips) AS BIGINT), CAST(SUM(contact) AS BIGINT), CAST(SUM(minutes) AS BIGINT), SUM(miles), SUM(dollars), CAST(SUM(escort) AS BIGINT) FROM journey_ledger WHERE org = $1 AND day >= $2 AND day < $3 GROUP BY what ORDER BY what`,
		[]any{string(org), from.String(), to.String()}, func(scan func(...any) error) error {
			var r Row
			var n int
			if err := scan(&r.What, &n, &r.Trips, &r.Contact, &r.Minutes, &r.Miles, &r.Dollars, &r.Escort); err != nil {
				return err
			}
			switch r.What {
			case RowInstead:
				out.Instead.add(r)
				out.Instead.Contact += r.Contact
				return nil
			case RowHome, RowCame:
				out.AtHome += n
				out.Done += n
			case RowStop:
				out.Done += n
			}
			out.Caused.add(r)
			return nil
		})
	if err != nil {
		return out, err
	}
	if _, err := tx.Row("SELECT COUNT(DISTINCT patient) FROM journey_ledger WHERE org = $1 AND day >= $2 AND day < $3", []any{string(org), from.String(), to.String()}, &out.People); err != nil {
		return out, err
	}
	_, err = tx.Row("SELECT COUNT(*) FROM (SELECT DISTINCT patient, day FROM journey_ledger WHERE org = $1 AND day >= $2 AND day < $3 AND what = 'stop' AND contact > 0) days", []any{string(org), from.String(), to.String()}, &out.Caused.Contact)
	out.Avoided = out.Instead.Minus(out.Caused)
	return out, err
}
