package pathway

import (
	"context"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// promiseAhead is how long before its time a step is promised.
const promiseAhead = 36 * time.Hour

// planBatch is how many steps are promised in one transaction.
const planBatch = 200

// Plan promises the steps of an organization that come due soon, works pathways out further as days go by, and says what was missed. Planning again
// changes nothing.
func (s *Service) Plan(ctx context.Context, org person.OrgID) error {
	if err := s.further(ctx, org); err != nil {
		return err
	}
	now := s.clock.Now()
	due := false
	err := s.db.Read(ctx, func(tx *store.Tx) error {
		var n int
		_, err := tx.Row(`SELECT (SELECT COUNT(*) FROM (SELECT 1 FROM activity WHERE org = $1 AND promised = 0 AND state = 'open' AND from_at < $2 LIMIT 1) a)
			+ (SELECT COUNT(*) FROM (SELECT 1 FROM activity WHERE org = $1 AND state = 'open' AND by_at < $3 LIMIT 1) b)`, []any{string(org), store.Micros(now.Add(promiseAhead)), store.Micros(now)}, &n)
		due = n > 0
		return err
	})
	if err != nil || !due {
		return err
	}
	for more := true; more; {
		err := s.db.Write(ctx, func(tx *store.Tx) (err error) { more, err = s.promise(tx, org); return err })
		if err != nil {
			return err
		}
	}
	return s.db.Write(ctx, func(tx *store.Tx) error { return s.late(tx, org) })
}

// owned is an activity with its person.
type owned struct {
	patient person.ID
	Activity
}

func (s *Service) owned(tx *store.Tx, where string, args ...any) ([]owned, error) {
	return store.All(tx, "SELECT patient, "+activityColumns+" FROM activity WHERE "+where, args, func(scan func(...any) error) (o owned, err error) {
		o.Activity, err = scanActivity(func(to ...any) error { return scan(append([]any{&o.patient}, to...)...) })
		return o, err
	})
}

// promise promises the next steps; it reports whether there may be more.
func (s *Service) promise(tx *store.Tx, org person.OrgID) (more bool, err error) {
	now := s.clock.Now()
	list, err := s.owned(tx, "org = $1 AND promised = 0 AND state = 'open' AND from_at < $2 ORDER BY from_at LIMIT $3", string(org), store.Micros(now.Add(promiseAhead)), planBatch)
	if err != nil || len(list) == 0 {
		return false, err
	}
	for _, o := range list {
		if !o.Arranged() {
			if err := s.promiseStep(tx, org, o); err != nil {
				return false, err
			}
		}
		if _, err := tx.Exec("UPDATE activity SET promised = 1 WHERE org = $1 AND shard = $2 AND patient = $3 AND episode = $4 AND id = $5", string(org), person.Shard(o.patient), string(o.patient), o.Episode, o.ID); err != nil {
			return false, err
		}
	}
	return len(list) == planBatch, nil
}

// promiseStep promises one step: the person's own, or that somebody of the staff does it.
func (s *Service) promiseStep(tx *store.Tx, org person.OrgID, o owned) error {
	now := s.clock.Now()
	if !o.By.After(now) {
		return nil // it was due before anybody could have known; it stays on the list
	}
	p, err := s.people.Get(tx, org, o.patient)
	if err != nil {
		return err
	}
	made := promise.Promise{Org: org, Patient: o.patient, ID: promise.ID(o.ID), Kind: Kind, About: o.ID, Say: "say.step", Args: map[string]string{"called": p.Called}, From: o.From, By: o.By, Zone: p.Zone,
		Keeper: promise.Keeper{Kind: "patient", Who: string(o.patient)}}
	name := Ladder
	if made.From.Before(now) {
		made.From = now
	}
	if o.Performer != "patient" && o.Performer != "related-person" {
		name, made.Say = StaffLadder, "say.step.staff"
		made.Keeper = promise.Keeper{Kind: "role", Who: string(person.Nurse)}
	}
	if o.Must {
		made.Severity = promise.Watch
	}
	if made.Ladder, err = s.promises.Latest(tx, org, name); err != nil {
		return err
	}
	_, err = s.promises.Make(tx, made)
	return err
}

// further works out what the pathways of an organization ask for beyond what was worked out before: once a day is enough, as they look far ahead.
func (s *Service) further(ctx context.Context, org person.OrgID) error {
	var list []Episode
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		list, err = store.All(tx, "SELECT "+episodeColumns+" FROM episode WHERE org = $1 AND state = 'active' AND worked_at < $2 ORDER BY patient, id",
			[]any{string(org), store.Micros(s.clock.Now().Add(-24 * time.Hour))}, scanEpisode(org))
		return err
	})
	if err != nil {
		return err
	}
	for _, e := range list {
		if err := s.again(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// again applies an episode's own version once more, as far as it can be seen now. An episode whose time is over ends.
func (s *Service) again(ctx context.Context, e Episode) error {
	chart, err := s.Chart(ctx, e.Org, e.Patient)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		plan, err := s.plan(tx, e.Org, e.Canonical())
		if err != nil {
			return err
		}
		p, err := s.people.Get(tx, e.Org, e.Patient)
		if err != nil {
			return err
		}
		if err := s.apply(tx, e, plan, p, chart); err != nil {
			return err
		}
		now := s.clock.Now()
		if e.Until.Before(now) {
			if _, err := tx.Exec("UPDATE episode SET state = 'ended', ended_at = $5 WHERE org = $1 AND shard = $2 AND patient = $3 AND id = $4", string(e.Org), person.Shard(e.Patient), string(e.Patient), e.ID, store.Micros(now)); err != nil {
				return err
			}
		}
		_, err = tx.Exec("UPDATE episode SET worked_at = $5 WHERE org = $1 AND shard = $2 AND patient = $3 AND id = $4", string(e.Org), person.Shard(e.Patient), string(e.Patient), e.ID, store.Micros(now))
		return err
	})
}

// Again applies a person's pathway once more: nothing changes, unless the pathway can be seen further ahead by now.
func (s *Service) Again(ctx context.Context, v person.Viewer, patient person.ID, episode string) error {
	e, err := s.ofStaff(ctx, v, patient, episode)
	if err != nil {
		return err
	}
	if e.State != Active {
		return fault.Conflictf("That pathway has ended.")
	}
	return s.again(ctx, e)
}

// ofStaff answers an episode that the viewer may change.
func (s *Service) ofStaff(ctx context.Context, v person.Viewer, patient person.ID, id string) (e Episode, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		if err := s.mayChange(tx, v, patient); err != nil {
			return err
		}
		var ok bool
		if e, ok, err = s.episode(tx, v.Org, patient, id); err == nil && !ok {
			err = fault.NotFoundf("There is no such pathway.")
		}
		return err
	})
	return e, err
}

// late says what had to be arranged and was not done by its time; of what must be done, a nurse is told.
func (s *Service) late(tx *store.Tx, org person.OrgID) error {
	list, err := s.owned(tx, "org = $1 AND state = 'open' AND by_at < $2 ORDER BY by_at LIMIT $3", string(org), store.Micros(s.clock.Now()), planBatch)
	if err != nil {
		return err
	}
	for _, o := range list {
		if err := s.finish(tx, org, o.patient, o.Activity, Missed, o.How); err != nil {
			return err
		}
		if !o.Must || !o.Arranged() {
			continue
		}
		p, err := s.people.Get(tx, org, o.patient)
		if err != nil {
			return err
		}
		if err := s.promises.OpenTask(tx, promise.TaskRow{Org: org, Patient: o.patient, ID: "missed-" + o.ID, Kind: Kind, Role: person.Nurse, Severity: promise.Watch, Say: "task.step.missed", Args: map[string]string{"called": p.Called}, Cause: "step"}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) finish(tx *store.Tx, org person.OrgID, patient person.ID, a Activity, state ActivityState, how string) error {
	_, err := tx.Exec("UPDATE activity SET state = $6, how = $7, done_at = $8 WHERE org = $1 AND shard = $2 AND patient = $3 AND episode = $4 AND id = $5", string(org), person.Shard(patient), string(patient), a.Episode, a.ID,
		string(state), how, store.Micros(s.clock.Now()))
	tx.Hint("patient", string(org)+"/"+string(patient))
	return err
}

// Closed follows the promise of a step.
func (s *Service) Closed(tx *store.Tx, p promise.Promise) error {
	a, err := s.Find(tx, p.Org, p.Patient, p.About)
	if err != nil || a.State == Done || a.State == Withdrawn {
		return err
	}
	switch p.State {
	case promise.Kept:
		return s.finish(tx, p.Org, p.Patient, a, Done, a.How)
	case promise.Broken:
		return s.finish(tx, p.Org, p.Patient, a, Missed, a.How)
	}
	return nil
}

// Arrange notes in which way and when an activity was arranged, or that it is not any more (how empty), or that it was done.
func (s *Service) Arrange(tx *store.Tx, org person.OrgID, patient person.ID, id, how string, start time.Time, done bool) error {
	a, err := s.Find(tx, org, patient, id)
	if err != nil || a.State == Withdrawn {
		return err
	}
	if done {
		return s.finish(tx, org, patient, a, Done, how)
	}
	_, err = tx.Exec("UPDATE activity SET how = $6, start_at = $7 WHERE org = $1 AND shard = $2 AND patient = $3 AND episode = $4 AND id = $5", string(org), person.Shard(patient), string(patient), a.Episode, a.ID, how, store.Micros(start))
	return err
}

// Asked answers the open activities that have to be arranged, the soonest first.
func (s *Service) Asked(tx *store.Tx, org person.OrgID, patient person.ID) ([]Activity, error) {
	list, err := store.All(tx, "SELECT "+activityColumns+" FROM activity WHERE org = $1 AND shard = $2 AND patient = $3 AND state = 'open' ORDER BY from_at, by_at, id", []any{string(org), person.Shard(patient), string(patient)}, scanActivity)
	out := list[:0]
	for _, a := range list {
		if a.Arranged() {
			out = append(out, a)
		}
	}
	return out, err
}

// Measured keeps the person's steps that ask for a reading which has come: by its series and the time at which it was measured.
func (s *Service) Measured(tx *store.Tx, org person.OrgID, patient person.ID, series string, at time.Time) error {
	list, err := store.All(tx, "SELECT "+activityColumns+" FROM activity WHERE org = $1 AND shard = $2 AND patient = $3 AND state = 'open' AND kind = 'Task' AND promised = 1 AND from_at <= $4 AND by_at > $5",
		[]any{string(org), person.Shard(patient), string(patient), store.Micros(at.Add(early)), store.Micros(at)}, scanActivity)
	if err != nil {
		return err
	}
	for _, a := range list {
		if a.Code != loinc+"|"+series {
			continue
		}
		_, err := s.promises.Give(tx, org, patient, promise.ID(a.ID), promise.Evidence{Kind: "reading", At: at, Source: "device"})
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

// early is by how much a reading may come before its step is due.
const early = 4 * time.Hour

const loinc = "http://loinc.org"
