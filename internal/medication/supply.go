package medication

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/medication/timing"
	"doorstep/internal/person"
	"doorstep/internal/record"
	"doorstep/internal/store"
)

// Fill is one hand-out of a medicine.
type Fill struct {
	ID       string
	Regimen  string
	Day      clock.Day
	Quantity float64 // in Unit
	Unit     string
	Days     float64   // of supply; 0: not said
	Record   string    // id of the MedicationDispense; empty: entered by hand
	By       person.ID // who entered it
	Made     time.Time
}

// Stock is what a patient has of a medicine, and how long it lasts.
type Stock struct {
	Regimen          Regimen
	OnHand           float64 // in Unit, never below 0
	Unit             string
	PerDay           float64   // what it lasts by, in Unit: the patient's own use, or the prescription while that is not known
	Own              bool      // PerDay is the patient's own use over N days
	N                int       // days
	RunOut           clock.Day // the first day without; zero when nothing is used
	Earliest, Latest clock.Day // RunOut by the ends of the use's 95 % interval; Latest zero: open
	Since            time.Time // when it was last known: the last count, or the first fill

	fill string // the last fill in it
}

const (
	ownDays   = 28 // the patient's own use is looked at over so many days
	leastDays = 7  // and taken for it from so many on
	longRun   = 3 * 365
)

// sameUnit compares what people call a unit: "Tablets" and "tablet" are one.
func sameUnit(a, b string) bool {
	plain := func(s string) string { return strings.TrimSuffix(strings.ToLower(strings.TrimSpace(s)), "s") }
	return plain(a) == plain(b)
}

// AddFill notes a hand-out. One that supplies a medicine whose refill was promised keeps that promise.
func (s *Service) AddFill(tx *store.Tx, org person.OrgID, patient person.ID, f Fill) error {
	if f.Quantity <= 0 || math.IsInf(f.Quantity, 0) || f.Quantity > 1e6 || f.Days < 0 || f.Days > longRun {
		return fault.Invalidf("Please give how much there was, above zero.")
	}
	if f.Day.IsZero() {
		return fault.Invalidf("Please give the day.")
	}
	if f.ID == "" {
		f.ID = s.ids.New()
	}
	fresh, err := tx.InsertNew("fill", []string{"org", "shard", "patient", "id", "regimen", "day", "quantity", "unit", "days", "record", "by_person", "made_at"}, 1, func(int) []any {
		return []any{string(org), int64(person.Shard(patient)), string(patient), f.ID, f.Regimen, f.Day.String(), f.Quantity, f.Unit, f.Days, f.Record, string(f.By), store.Micros(s.clock.Now())}
	})
	if err != nil || fresh == 0 {
		return err
	}
	return s.filled(tx, org, patient, f.Regimen, "fill", f.By)
}

// Count notes how much of a medicine a patient has, as somebody counted it.
func (s *Service) Count(tx *store.Tx, org person.OrgID, patient person.ID, regimen string, quantity float64, by person.ID) error {
	if quantity < 0 || quantity > 1e6 || math.IsNaN(quantity) {
		return fault.Invalidf("Please give how much there is, 0 or more.")
	}
	list, err := s.Regimens(tx, org, patient)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(r Regimen) bool { return r.ID == regimen && r.Active }) {
		return fault.NotFoundf("There is no such medicine in use.")
	}
	if _, err := tx.Exec(`INSERT INTO stock_count (org, shard, patient, regimen, at, quantity, by_person) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (org, shard, patient, regimen, at) DO UPDATE SET quantity = excluded.quantity, by_person = excluded.by_person`,
		string(org), person.Shard(patient), string(patient), regimen, store.Micros(s.clock.Now()), quantity, string(by)); err != nil {
		return err
	}
	return s.filled(tx, org, patient, regimen, "count", by)
}

// Fills answers what was handed out to a patient, in order of the days.
func (s *Service) Fills(tx *store.Tx, org person.OrgID, patient person.ID) ([]Fill, error) {
	return store.All(tx, "SELECT id, regimen, day, quantity, unit, days, record, by_person, made_at FROM fill WHERE org = $1 AND shard = $2 AND patient = $3 ORDER BY day, id",
		[]any{string(org), person.Shard(patient), string(patient)}, func(scan func(...any) error) (f Fill, err error) {
			var day string
			var made int64
			if err := scan(&f.ID, &f.Regimen, &day, &f.Quantity, &f.Unit, &f.Days, &f.Record, &f.By, &made); err != nil {
				return f, err
			}
			f.Made = store.Time(made)
			f.Day, err = clock.ParseDay(day)
			return f, err
		})
}

// dispensed takes hand-outs from the record: each once, to the regimen of its prescription, or of its name.
func (s *Service) dispensed(tx *store.Tx, org person.OrgID, patient person.ID, list []record.Resource) error {
	regimens, err := s.Regimens(tx, org, patient)
	if err != nil {
		return err
	}
	for _, res := range list {
		var m fhir.MedicationDispense
		if json.Unmarshal(res.Body, &m) != nil || m.Status != "completed" || m.Quantity == nil {
			continue
		}
		when := m.WhenHandedOver
		if when == "" {
			when = m.WhenPrepared
		}
		day, err := clock.ParseDay(firstTen(string(when)))
		if err != nil {
			continue
		}
		name := medicine(fhir.MedicationRequest{MedicationCodeableConcept: m.MedicationCodeableConcept, MedicationReference: m.MedicationReference})
		i := slices.IndexFunc(regimens, func(r Regimen) bool {
			return slices.ContainsFunc(m.AuthorizingPrescription, func(ref fhir.Reference) bool { return r.Record != "" && ref.Reference == "MedicationRequest/"+r.Record })
		})
		if i < 0 {
			i = slices.IndexFunc(regimens, func(r Regimen) bool { return r.Active && strings.EqualFold(r.Name, name) })
		}
		q := m.Quantity.Value.Float()
		if i < 0 || q <= 0 {
			continue
		}
		f := Fill{ID: clock.DerivedID("fill", string(org), string(patient), res.ID), Regimen: regimens[i].ID, Day: day, Quantity: q, Unit: m.Quantity.Unit, Record: res.ID}
		if f.Unit == "" {
			f.Unit = m.Quantity.Code
		}
		if m.DaysSupply != nil {
			f.Days = m.DaysSupply.Value.Float()
		}
		if err := s.AddFill(tx, org, patient, f); err != nil && !fault.Is(err, fault.Invalid) {
			return err
		}
	}
	return nil
}

// count is how much there was at an instant.
type count struct {
	at       time.Time
	quantity float64
}

func (s *Service) lastCounts(tx *store.Tx, org person.OrgID, patient person.ID) (map[string]count, error) {
	out := map[string]count{}
	err := tx.Rows("SELECT regimen, at, quantity FROM stock_count WHERE org = $1 AND shard = $2 AND patient = $3 ORDER BY at", []any{string(org), person.Shard(patient), string(patient)},
		func(scan func(...any) error) error {
			var regimen string
			var at int64
			var c count
			if err := scan(&regimen, &at, &c.quantity); err != nil {
				return err
			}
			c.at = store.Time(at)
			out[regimen] = c
			return nil
		})
	return out, err
}

// Stocks answers what a patient has of each active medicine of which it is known, by name.
func (s *Service) Stocks(tx *store.Tx, org person.OrgID, patient person.ID) ([]Stock, error) {
	fills, err := s.Fills(tx, org, patient)
	if err != nil {
		return nil, err
	}
	counts, err := s.lastCounts(tx, org, patient)
	if err != nil || len(fills)+len(counts) == 0 {
		return nil, err
	}
	p, err := s.people.Get(tx, org, patient)
	if err != nil {
		return nil, err
	}
	regimens, err := s.Regimens(tx, org, patient)
	if err != nil {
		return nil, err
	}
	moves, err := s.moves(tx, org, patient)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	today := p.DayOf(now)
	since := now
	var out []Stock
	for _, r := range regimens {
		if !r.Active {
			continue
		}
		x := Stock{Regimen: r}
		known := false
		if c, ok := counts[r.ID]; ok {
			x.OnHand, x.Since, known = c.quantity, c.at, true
		}
		parsed, err := timing.Parse(r.Dosage, r.Authored)
		if err != nil {
			return nil, err
		}
		doses := parsed.Follow(clockOf(r, p, moves), timing.Routine(p.Routine), clock.At(today, 0, p.Location()), clock.At(today.Add(ownDays), 0, p.Location()))
		each := 0.0
		for _, d := range doses {
			each += amountOf(d.Amount)
			x.Unit = d.Unit
		}
		if r.AsNeeded {
			x.Unit = parsed.EachUnit
		}
		x.PerDay = each / ownDays
		for _, f := range fills {
			if c, counted := counts[r.ID]; f.Regimen != r.ID || counted && (f.Day.Before(p.DayOf(c.at)) || !f.Made.After(c.at)) {
				continue // what came before the count was counted
			}
			if x.Unit == "" {
				x.Unit = f.Unit
			}
			if !sameUnit(f.Unit, x.Unit) {
				continue // 30 mL of a medicine that is taken by the spoon: not guessed
			}
			if !known {
				x.Since, known = clock.At(f.Day, p.DayStart, p.Location()), true
			}
			x.OnHand += f.Quantity
			x.fill = f.ID
		}
		if known {
			out = append(out, x)
			since = earliest(since, x.Since)
		}
	}
	if len(out) == 0 {
		return nil, nil
	}
	return out, s.use(tx, p, out, since, today)
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// amountOf is how much a dose is whose amount is not said: one.
func amountOf(v float64) float64 {
	if v == 0 {
		return 1
	}
	return v
}

// use takes what was used off the stocks, and works out how long each lasts.
func (s *Service) use(tx *store.Tx, p person.Person, stocks []Stock, since time.Time, today clock.Day) error {
	now := s.clock.Now()
	since = earliest(since, clock.At(today.Add(-ownDays), p.DayStart, p.Location()))
	doses, err := s.Between(tx, p, since, now)
	if err != nil {
		return err
	}
	intakes, err := s.Intakes(tx, p.Org, p.ID, since, now)
	if err != nil {
		return err
	}
	for i := range stocks {
		x := &stocks[i]
		var used [ownDays]float64 // of the full days before today, today.Add(-1) last
		first := -1
		take := func(at time.Time, amount float64, done bool) {
			if done && !at.Before(x.Since) {
				x.OnHand -= amount
			}
			if k := p.DayOf(at).Sub(today.Add(-ownDays)); k >= 0 && k < ownDays {
				if first < 0 || k < first {
					first = k
				}
				if done {
					used[k] += amount
				}
			}
		}
		for _, d := range doses {
			for _, item := range d.Items {
				if item.Regimen == x.Regimen.ID {
					take(d.Due, amountOf(item.Amount), d.Status == Taken || d.Status == Late || d.Status == Opened)
				}
			}
		}
		for _, in := range intakes {
			if in.Regimen == x.Regimen.ID {
				take(in.At, amountOf(in.Amount), true)
			}
		}
		x.OnHand = max(0, x.OnHand)
		low, high := x.PerDay, x.PerDay
		if x.Regimen.AsNeeded && !x.Since.After(clock.At(today.Add(-leastDays), 0, p.Location())) {
			first = max(0, p.DayOf(x.Since).Sub(today.Add(-ownDays))) // days without any are days of use too
		}
		if n := ownDays - first; first >= 0 && n >= leastDays {
			mean, spread := meanOf(used[first:])
			if mean > 0 {
				x.PerDay, x.Own, x.N = mean, true, n
				half := 1.96 * spread / math.Sqrt(float64(n))
				low, high = mean-half, mean+half
			}
		}
		day := func(rate float64) clock.Day {
			if rate <= 0 || x.OnHand/rate > longRun {
				return clock.Day{}
			}
			return today.Add(int(x.OnHand / rate))
		}
		x.RunOut, x.Earliest, x.Latest = day(x.PerDay), day(high), day(low)
	}
	return nil
}

func meanOf(v []float64) (mean, spread float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		spread += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(spread / float64(max(1, len(v)-1)))
}
