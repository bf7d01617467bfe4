package medication

import (
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/medication/timing"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// Intake is one dose that was taken when it was needed.
type Intake struct {
	Org     person.OrgID
	Patient person.ID
	Regimen string
	At      time.Time // when it was taken
	Amount  float64   // in Unit; 0: the dose as prescribed
	Unit    string
	By      person.ID // who says so
	For     person.ID // assisted: said for this person by By
	Source  string
	Early   bool // sooner than the guard allows
}

// Needed is a medicine that is taken when needed, as it stands now.
type Needed struct {
	Regimen  Regimen
	Each     float64 // of one dose, in Unit; 0: not said
	Unit     string
	Last     time.Time // zero: not within the time that matters
	Earliest time.Time // from when one more is within the prescriber's limits; not after now: it is
	Taken    int       // in the last 24 hours
	Never    bool      // one dose is more than the limit ever allows
}

// lookBack is how far back intakes bind the next one, at least.
const lookBack = 24 * time.Hour

// Needed answers a patient's active as-needed medicines, by name.
func (s *Service) Needed(tx *store.Tx, org person.OrgID, patient person.ID) ([]Needed, error) {
	regimens, err := s.Regimens(tx, org, patient)
	if err != nil {
		return nil, err
	}
	var out []Needed
	for _, r := range regimens {
		if !r.Active || !r.AsNeeded {
			continue
		}
		n, err := s.needed(tx, r, s.clock.Now())
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

func (s *Service) needed(tx *store.Tx, r Regimen, now time.Time) (Needed, error) {
	n := Needed{Regimen: r}
	parsed, err := timing.Parse(r.Dosage, r.Authored)
	if err != nil {
		return n, err
	}
	n.Each, n.Unit = parsed.Each, parsed.EachUnit
	since := now.Add(-max(lookBack, parsed.Guard.Per, parsed.Guard.MinInterval))
	list, err := s.Intakes(tx, r.Org, r.Patient, since, now.Add(time.Microsecond))
	if err != nil {
		return n, err
	}
	var taken []timing.Intake
	for _, x := range list {
		if x.Regimen != r.ID {
			continue
		}
		n.Last = x.At
		if x.At.After(now.Add(-lookBack)) {
			n.Taken++
		}
		taken = append(taken, timing.Intake{At: x.At, Amount: inUnit(x.Amount, x.Unit, parsed.Guard.Unit)})
	}
	at, ok := parsed.Guard.Earliest(taken, inUnit(n.Each, n.Unit, parsed.Guard.Unit))
	n.Earliest, n.Never = at, !ok
	return n, nil
}

// inUnit answers an amount if it is in the unit of the limit; 0, not known, in another.
func inUnit(amount float64, unit, want string) float64 {
	if unit != want {
		return 0
	}
	return amount
}

// Take notes a dose that was taken as needed. What has happened is always written down; sooner than the prescriber's limits
// allow, a nurse is told.
func (s *Service) Take(tx *store.Tx, in Intake) (Intake, error) {
	now := s.clock.Now()
	if in.At.IsZero() {
		in.At = now
	}
	if in.At.After(now) || now.Sub(in.At) > 7*24*time.Hour {
		return in, fault.Invalidf("Please give a time in the last seven days.")
	}
	regimens, err := s.Regimens(tx, in.Org, in.Patient)
	if err != nil {
		return in, err
	}
	for _, r := range regimens {
		if r.ID != in.Regimen || !r.Active || !r.AsNeeded {
			continue
		}
		n, err := s.needed(tx, r, in.At)
		if err != nil {
			return in, err
		}
		if in.Amount == 0 {
			in.Amount, in.Unit = n.Each, n.Unit
		}
		in.Early = n.Never || n.Earliest.After(in.At)
		id := clock.DerivedID("intake", string(in.Org), string(in.Patient), in.Regimen, in.At.UTC().Truncate(time.Minute).Format(time.RFC3339))
		fresh, err := tx.InsertNew("intake", []string{"org", "shard", "patient", "at", "id", "regimen", "amount", "unit", "by_person", "for_person", "source", "early", "noted_at"}, 1,
			func(int) []any {
				return []any{string(in.Org), int64(person.Shard(in.Patient)), string(in.Patient), store.Micros(in.At.Truncate(time.Minute)), id, in.Regimen, in.Amount, in.Unit, string(in.By),
					string(in.For), in.Source, int64(flag(in.Early)), store.Micros(now)}
			})
		if err != nil || fresh == 0 {
			return in, err
		}
		tx.Hint("patient", string(in.Org)+"/"+string(in.Patient))
		if !in.Early {
			return in, nil
		}
		return in, s.promises.OpenTask(tx, promise.TaskRow{Org: in.Org, Patient: in.Patient, ID: id, Kind: Kind, Role: person.Nurse, Severity: promise.Urgent, Say: "task.dose.early",
			Args: map[string]string{"time": in.At.UTC().Format(time.RFC3339)}, Cause: "early"})
	}
	return in, fault.NotFoundf("There is no such medicine in use.")
}

// Intakes answers what was taken as needed in [from, to), in order.
func (s *Service) Intakes(tx *store.Tx, org person.OrgID, patient person.ID, from, to time.Time) ([]Intake, error) {
	return store.All(tx, `SELECT at, regimen, amount, unit, by_person, for_person, source, early FROM intake WHERE org = $1 AND shard = $2 AND patient = $3 AND at >= $4 AND at < $5
		ORDER BY at, id`, []any{string(org), person.Shard(patient), string(patient), store.Micros(from), store.Micros(to)}, func(scan func(...any) error) (Intake, error) {
		x := Intake{Org: org, Patient: patient}
		var at int64
		var early int
		err := scan(&at, &x.Regimen, &x.Amount, &x.Unit, &x.By, &x.For, &x.Source, &early)
		x.At, x.Early = store.Time(at), early == 1
		return x, err
	})
}
