package journey

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/journey/plan"
	"doorstep/internal/journey/weeks"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Sweep is what planning everybody together came to: who shares clinicians, nurses and machines, and how what that costs is spread.
type Sweep struct {
	At       time.Time     `json:"at"`
	People   int           `json:"people"`
	Cells    int           `json:"cells"` // pieces of shared time that somebody could take
	Burden   float64       `json:"burden"`
	Bound    float64       `json:"bound"`
	Unmet    int           `json:"unmet"`
	Fairness plan.Fairness `json:"fairness"`
}

const (
	// sweepHour is when everybody is planned together, by the organization's clock.
	sweepHour = 3
	// sweepMost people are planned together; more are planned in parts, in the order of their ids.
	sweepMost = 200
	// sweepSteps of the prices.
	sweepSteps = 6
)

// SweepDue plans everybody of an organization together, once a day: what is not promised yet is given out by prices on the shared openings, so that nobody is planned
// a time that somebody else is. What was promised stays. It answers whether it did.
func (s *Service) SweepDue(ctx context.Context, org person.Org) (bool, error) {
	zone, err := clock.Zone(org.Zone)
	if err != nil {
		return false, err
	}
	now := s.clock.Now()
	day := clock.DayOf(now, zone)
	if now.Before(clock.At(day, clock.WallAt(sweepHour, 0), zone)) {
		return false, nil
	}
	var who []person.ID
	if err := s.db.Read(ctx, func(tx *store.Tx) error {
		var n int
		if _, err := tx.Row("SELECT COUNT(*) FROM journey_sweep WHERE org = $1 AND day = $2", []any{string(org.ID), day.String()}, &n); err != nil || n > 0 {
			return err
		}
		who, err = store.All(tx, "SELECT DISTINCT patient FROM journey_item WHERE org = $1 AND state = 'planned' AND start_at > $2 ORDER BY patient", []any{string(org.ID), store.Micros(now)},
			func(scan func(...any) error) (id person.ID, err error) { return id, scan(&id) })
		return err
	}); err != nil || len(who) == 0 {
		return false, err
	}
	total := Sweep{At: now}
	var shares []plan.Share
	for part := range slices.Chunk(who, sweepMost) {
		x, err := s.sweep(ctx, org.ID, part)
		if err != nil {
			return false, err
		}
		total.Cells += len(x.Prices)
		total.Burden += x.Burden
		total.Bound += x.Bound
		total.Unmet += x.Unmet
		shares = append(shares, x.Shares...)
	}
	total.People, total.Fairness = len(who), plan.Fair(shares)
	body, err := json.Marshal(total)
	if err != nil {
		return false, err
	}
	return true, s.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec("INSERT INTO journey_sweep (org, day, made_at, body) VALUES ($1, $2, $3, $4) ON CONFLICT (org, day) DO UPDATE SET made_at = excluded.made_at, body = excluded.body",
			string(org.ID), day.String(), store.Micros(now), string(body))
		return err
	})
}

// sweep plans some people together and writes each one's plan down.
func (s *Service) sweep(ctx context.Context, org person.OrgID, who []person.ID) (plan.Shared, error) {
	cells := map[string]int{}
	cell := func(resource string, at time.Time) int {
		key := fmt.Sprint(resource, " ", at.Unix())
		i, known := cells[key]
		if !known {
			i = len(cells)
			cells[key] = i
		}
		return i
	}
	var drafts []*draft
	var problems []*weeks.Problem
	many := plan.Many{Steps: sweepSteps}
	for _, id := range who {
		d, err := s.draft(ctx, org, id, cell)
		if err != nil {
			return plan.Shared{}, err
		}
		d.stay()
		p, err := d.weeks.Problem()
		if err != nil {
			return plan.Shared{}, err
		}
		drafts, problems, many.People = append(drafts, d), append(problems, p), append(many.People, p.Plan())
	}
	many.Capacity = make([]int, len(cells)) // what is free now is free once
	for i := range many.Capacity {
		many.Capacity[i] = 1
	}
	if err := many.Validate(); err != nil {
		return plan.Shared{}, err
	}
	got := many.Solve()
	for i, d := range drafts {
		if _, err := s.store(ctx, d, problems[i].Answer(got.Plans[i]), nil); err != nil { // where her list has changed meanwhile she is planned alone, soon
			return got, err
		}
	}
	return got, nil
}

// stay keeps everything that was promised where it is.
func (d *draft) stay() {
	for i, n := range d.weeks.Needs {
		if n.Promised != nil {
			p := *n.Promised
			p.Never = true
			d.weeks.Needs[i].Promised = &p
		}
	}
}

// Sweeps answers the latest sweeps of an organization, the last first.
func (s *Service) Sweeps(tx *store.Tx, org person.OrgID, n int) ([]Sweep, error) {
	return store.All(tx, "SELECT body FROM journey_sweep WHERE org = $1 ORDER BY day DESC LIMIT $2", []any{string(org), n}, func(scan func(...any) error) (x Sweep, err error) {
		var body string
		if err = scan(&body); err == nil {
			err = json.Unmarshal([]byte(body), &x)
		}
		return x, err
	})
}
