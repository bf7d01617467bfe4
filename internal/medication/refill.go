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

// Refill is the kind of promise that a medicine is there before it runs out.
const Refill = "refill"

// refillAhead is how many days before the order's last day a refill becomes a need and a promise.
const refillAhead = 3

// Need is something that life or care asks for, before it is decided where and how it is done. Here it is a refill; the planner of
// journeys reads Needs, and says with Arrange which way it chose.
type Need struct {
	ID    string
	Kind  string // refill
	About string // the regimen
	From  time.Time
	By    time.Time
	Way   string // delivery, pickup; empty: not decided
	Made  time.Time
}

// Ways in which a refill can come.
var Ways = []string{"delivery", "pickup"}

// Needs answers a patient's open needs, the most pressing first.
func (s *Service) Needs(tx *store.Tx, org person.OrgID, patient person.ID) ([]Need, error) {
	return store.All(tx, `SELECT id, kind, about, from_at, by_at, way, made_at FROM need WHERE org = $1 AND shard = $2 AND patient = $3 AND closed_at = 0 ORDER BY by_at, id`,
		[]any{string(org), person.Shard(patient), string(patient)}, func(scan func(...any) error) (n Need, err error) {
			var from, by, made int64
			err = scan(&n.ID, &n.Kind, &n.About, &from, &by, &n.Way, &made)
			n.From, n.By, n.Made = store.Time(from), store.Time(by), store.Time(made)
			return n, err
		})
}

// Arrange says in which way an open need is met.
func (s *Service) Arrange(tx *store.Tx, org person.OrgID, patient person.ID, id, way string) error {
	if !slices.Contains(Ways, way) {
		return fault.Invalidf("Please choose one of the answers.")
	}
	n, err := tx.Exec("UPDATE need SET way = $5 WHERE org = $1 AND shard = $2 AND patient = $3 AND id = $4 AND closed_at = 0", string(org), person.Shard(patient), string(patient), id, way)
	if err == nil && n == 0 {
		return fault.NotFoundf("That refill is closed already.")
	}
	tx.Hint("patient", string(org)+"/"+string(patient))
	return err
}

// refills makes a need and a promise for each medicine that runs out soon by the patient's own use, at the earliest that use allows. It
// is made once for each supply; planning again changes nothing.
func (s *Service) refills(tx *store.Tx, org person.OrgID, patient person.ID) error {
	stocks, err := s.Stocks(tx, org, patient)
	if err != nil || len(stocks) == 0 {
		return err
	}
	p, err := s.people.Get(tx, org, patient)
	if err != nil {
		return err
	}
	shop, err := s.PharmacyOf(tx, org, patient)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	today := p.DayOf(now)
	for _, x := range stocks {
		if x.Earliest.IsZero() {
			continue
		}
		order, ready := shop.Order(x.Earliest)
		if today.Before(order.Add(-refillAhead)) {
			continue
		}
		from := clock.At(order, clock.WallAt(9, 0), p.Location())
		if from.Before(now) || order == today {
			from = now
		}
		by := clock.At(ready, clock.WallAt(18, 0), p.Location())
		if least := from.Add(24 * time.Hour); by.Before(least) {
			by = least
		}
		open, err := s.openRefill(tx, org, patient, x.Regimen.ID)
		if err != nil {
			return err
		}
		if open != "" {
			continue
		}
		id := clock.DerivedID(Refill, string(org), string(patient), x.Regimen.ID, x.Since.UTC().Format(time.RFC3339Nano), x.fill)
		ladder, err := s.promises.Latest(tx, org, RefillLadder)
		if err != nil {
			return err
		}
		made, err := s.promises.Make(tx, promise.Promise{Org: org, Patient: patient, ID: promise.ID(id), Kind: Refill, About: x.Regimen.ID, Severity: promise.Watch, Say: "say.refill",
			Args: map[string]string{"called": p.Called}, Keeper: promise.Keeper{Kind: "role", Who: string(person.Desk)}, From: from, By: by, Zone: p.Zone, Ladder: ladder})
		if err != nil {
			return err
		}
		if len(made) == 0 {
			continue
		}
		if _, err := tx.InsertNew("need", []string{"org", "shard", "patient", "id", "kind", "about", "from_at", "by_at", "way", "made_at", "closed_at"}, 1, func(int) []any {
			return []any{string(org), int64(person.Shard(patient)), string(patient), id, Refill, x.Regimen.ID, store.Micros(from), store.Micros(by), "", store.Micros(now), int64(0)}
		}); err != nil {
			return err
		}
	}
	return nil
}

// openRefill answers the open promise of a regimen's refill, or "".
func (s *Service) openRefill(tx *store.Tx, org person.OrgID, patient person.ID, regimen string) (promise.ID, error) {
	open, err := s.promises.OpenOf(tx, org, patient, Refill)
	for _, o := range open {
		if o.About == regimen {
			return o.ID, err
		}
	}
	return "", err
}

// filled looks at a regimen after something came in or was counted: where it lasts again, its promise of a refill is kept and the
// need met; where it does not, one is made.
func (s *Service) filled(tx *store.Tx, org person.OrgID, patient person.ID, regimen, how string, by person.ID) error {
	tx.Hint("patient", string(org)+"/"+string(patient))
	stocks, err := s.Stocks(tx, org, patient)
	if err != nil {
		return err
	}
	p, err := s.people.Get(tx, org, patient)
	if err != nil {
		return err
	}
	shop, err := s.PharmacyOf(tx, org, patient)
	if err != nil {
		return err
	}
	for _, x := range stocks {
		if x.Regimen.ID != regimen {
			continue
		}
		order, _ := shop.Order(x.Earliest)
		if !x.Earliest.IsZero() && !s.dayOf(p).Before(order.Add(-refillAhead)) {
			continue
		}
		id, err := s.openRefill(tx, org, patient, regimen)
		if err != nil {
			return err
		}
		if id != "" {
			if _, err := s.promises.Give(tx, org, patient, id, promise.Evidence{Kind: how, At: s.clock.Now(), Source: "supply", By: string(by)}); err != nil {
				return err
			}
		}
		if _, err := tx.Exec("UPDATE need SET closed_at = $6 WHERE org = $1 AND shard = $2 AND patient = $3 AND kind = $4 AND about = $5 AND closed_at = 0",
			string(org), person.Shard(patient), string(patient), Refill, regimen, store.Micros(s.clock.Now())); err != nil {
			return err
		}
	}
	return s.refills(tx, org, patient)
}

func (s *Service) dayOf(p person.Person) clock.Day { return p.DayOf(s.clock.Now()) }

// dropRefill takes back the refill of a medicine that is stopped.
func (s *Service) dropRefill(tx *store.Tx, org person.OrgID, patient person.ID, regimen string) error {
	id, err := s.openRefill(tx, org, patient, regimen)
	if err != nil || id == "" {
		return err
	}
	if _, err := s.promises.Release(tx, person.SystemViewer(org), org, patient, id, "reason.plan", false); err != nil {
		return err
	}
	_, err = tx.Exec("UPDATE need SET closed_at = $6 WHERE org = $1 AND shard = $2 AND patient = $3 AND kind = $4 AND about = $5 AND closed_at = 0",
		string(org), person.Shard(patient), string(patient), Refill, regimen, store.Micros(s.clock.Now()))
	return err
}
