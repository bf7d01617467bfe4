package medication

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/medication/timing"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// planned is a dose about to be promised: all that is due at one time.
type planned struct {
	due       time.Time
	items     []Item
	criticals []bool // by item
	critical  bool   // any of them
}

// Plan promises a patient's doses from where planning stopped until 36 hours from now. Planning again changes nothing.
func (s *Service) Plan(tx *store.Tx, org person.OrgID, patient person.ID) error {
	p, err := s.people.Get(tx, org, patient)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	var until int64
	if _, err := tx.Row("SELECT planned_until FROM dose_plan WHERE org = $1 AND shard = $2 AND patient = $3", []any{string(org), person.Shard(patient), string(patient)}, &until); err != nil {
		return err
	}
	from, to := now, now.Add(ahead)
	if done := store.Time(until); done.After(from) {
		from = done
	}
	if from.Before(to) && p.Active {
		if err := s.planBetween(tx, p, from, to); err != nil {
			return err
		}
		if err := s.askZone(tx, p); err != nil {
			return err
		}
		if err := s.refills(tx, org, patient); err != nil {
			return err
		}
	}
	_, err = tx.Exec(`INSERT INTO dose_plan (org, shard, patient, planned_until) VALUES ($1, $2, $3, $4)
		ON CONFLICT (org, shard, patient) DO UPDATE SET planned_until = excluded.planned_until`,
		string(org), person.Shard(patient), string(patient), store.Micros(to))
	return err
}

// doses works out what is due in [from, to), everything due at one time together, in order.
func (s *Service) doses(tx *store.Tx, p person.Person, from, to time.Time) ([]planned, error) {
	moves, err := s.moves(tx, p.Org, p.ID)
	if err != nil {
		return nil, err
	}
	return s.dosesBy(tx, p, moves, from, to)
}

func (s *Service) dosesBy(tx *store.Tx, p person.Person, moves []timing.Move, from, to time.Time) ([]planned, error) {
	regimens, err := s.Regimens(tx, p.Org, p.ID)
	if err != nil {
		return nil, err
	}
	away, err := s.Aways(tx, p.Org, p.ID)
	if err != nil {
		return nil, err
	}
	at := map[time.Time]*planned{}
	for _, r := range regimens {
		if !r.Active {
			continue
		}
		parsed, err := timing.Parse(r.Dosage, r.Authored)
		if err != nil {
			return nil, err
		}
		for _, d := range parsed.Follow(clockOf(r, p, moves), timing.Routine(p.Routine), from, to) {
			due := d.Due.UTC()
			if isAway(away, p.DayOf(due)) {
				continue
			}
			x := at[due]
			if x == nil {
				x = &planned{due: due}
				at[due] = x
			}
			x.items = append(x.items, Item{Regimen: r.ID, Name: r.Name, Amount: d.Amount, Unit: d.Unit, How: r.Text})
			x.criticals = append(x.criticals, r.Critical)
			x.critical = x.critical || r.Critical
		}
	}
	out := make([]planned, 0, len(at))
	for _, x := range at {
		out = append(out, *x)
	}
	slices.SortFunc(out, func(a, b planned) int { return a.due.Compare(b.due) })
	return out, nil
}

func (s *Service) planBetween(tx *store.Tx, p person.Person, from, to time.Time) error {
	list, err := s.doses(tx, p, from, to)
	if err != nil || len(list) == 0 {
		return err
	}
	climbs, err := s.climbing(tx, p.Org, p.ID)
	if err != nil {
		return err
	}
	var promises []promise.Promise
	for _, d := range list {
		severity := promise.Routine
		if d.critical {
			severity = promise.Watch
		}
		ref, err := climbs.of(d)
		if err != nil {
			return err
		}
		id := promise.ID(clock.DerivedID("dose", string(p.Org), string(p.ID), d.due.Format(time.RFC3339)))
		promises = append(promises, promise.Promise{Org: p.Org, Patient: p.ID, ID: id, Kind: Kind, About: string(id), Severity: severity, Say: "say.dose",
			Args: map[string]string{"time": d.due.Format(time.RFC3339)}, Keeper: promise.Keeper{Kind: "patient", Who: string(p.ID)}, From: d.due, By: d.due.Add(window),
			Zone: p.Zone, Ladder: ref})
	}
	made, err := s.promises.Make(tx, promises...)
	if err != nil {
		return err
	}
	if err := s.takenBack(tx, promises, made); err != nil {
		return err
	}
	for i, d := range list {
		items, err := json.Marshal(d.items)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO dose (org, shard, patient, due_at, promise, items) VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (org, shard, patient, due_at) DO UPDATE SET items = excluded.items`,
			string(p.Org), person.Shard(p.ID), string(p.ID), store.Micros(d.due), string(promises[i].ID), string(items)); err != nil {
			return err
		}
	}
	return nil
}

// takenBack makes those promises anew that were taken back when the plan changed and that the plan asks for again. One that the patient
// answered "not today" keeps its dose, and stays.
func (s *Service) takenBack(tx *store.Tx, promises, made []promise.Promise) error {
	for i := range promises {
		x := &promises[i]
		if slices.ContainsFunc(made, func(m promise.Promise) bool { return m.ID == x.ID }) {
			continue
		}
		had, err := s.promises.Get(tx, x.Org, x.Patient, x.ID)
		if err != nil {
			return err
		}
		if had.State != promise.Released {
			continue
		}
		var id promise.ID
		if kept, err := tx.Row("SELECT promise FROM dose WHERE org = $1 AND shard = $2 AND patient = $3 AND due_at = $4",
			[]any{string(x.Org), person.Shard(x.Patient), string(x.Patient), store.Micros(x.From)}, &id); err != nil {
			return err
		} else if kept {
			x.ID = id
			continue
		}
		for had.State == promise.Released { // it may have been taken back more than once
			x.ID = promise.ID(clock.DerivedID("dose", string(had.ID), had.Closed.UTC().Format(time.RFC3339Nano)))
			x.About = string(x.ID)
			if _, err := s.promises.Make(tx, *x); err != nil {
				return err
			}
			if had, err = s.promises.Get(tx, x.Org, x.Patient, x.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// replan brings the doses that are still to come into line with the regimens and the plan of support: those that nobody takes any more, or
// that would climb another ladder, are released, new ones promised, the rest keep their promise and get their new contents.
func (s *Service) replan(tx *store.Tx, org person.OrgID, patient person.ID) error {
	p, err := s.people.Get(tx, org, patient)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	want, err := s.doses(tx, p, now, now.Add(ahead))
	if err != nil {
		return err
	}
	open, err := s.promises.OpenOf(tx, org, patient, Kind)
	if err != nil {
		return err
	}
	climbs, err := s.climbing(tx, org, patient)
	if err != nil {
		return err
	}
	for _, o := range open {
		if !o.From.After(now) {
			continue
		}
		if i := slices.IndexFunc(want, func(d planned) bool { return d.due.Equal(o.From) }); i >= 0 {
			ref, err := climbs.of(want[i])
			if err != nil {
				return err
			}
			if ref == o.Ladder {
				continue
			}
		}
		if _, err := s.promises.Release(tx, person.SystemViewer(org), org, patient, o.ID, "reason.plan", false); err != nil {
			return err
		}
		if _, err := tx.Exec("DELETE FROM dose WHERE org = $1 AND shard = $2 AND patient = $3 AND due_at = $4", string(org), person.Shard(patient), string(patient), store.Micros(o.From)); err != nil {
			return err
		}
	}
	if _, err := tx.Exec("DELETE FROM dose_plan WHERE org = $1 AND shard = $2 AND patient = $3", string(org), person.Shard(patient), string(patient)); err != nil {
		return err
	}
	return s.Plan(tx, org, patient)
}

// PlanDue plans everybody whose doses run out within half a day, a few hundred at a time, and answers how many.
func (s *Service) PlanDue(ctx context.Context) (int, error) {
	const most = 200
	total := 0
	for ctx.Err() == nil {
		n := 0
		err := s.db.Write(store.Essential(ctx), func(tx *store.Tx) error {
			type who struct {
				org     person.OrgID
				patient person.ID
			}
			list, err := store.All(tx, "SELECT org, patient FROM dose_plan WHERE planned_until < $1 ORDER BY planned_until, org, patient LIMIT $2",
				[]any{store.Micros(s.clock.Now().Add(ahead - replan)), most}, func(scan func(...any) error) (who, error) {
					var w who
					return w, scan(&w.org, &w.patient)
				})
			if err != nil {
				return err
			}
			n = len(list)
			for _, w := range list {
				if err := s.Plan(tx, w.org, w.patient); err != nil {
					return err
				}
			}
			return nil
		})
		total += n
		if err != nil || n < most {
			return total, err
		}
	}
	return total, ctx.Err()
}
