package pathway

import (
	"context"

	"doorstep/internal/fault"
	"doorstep/internal/pathway/apply"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// Preview answers what moving a person to another version of her pathway would change, and changes nothing.
func (s *Service) Preview(ctx context.Context, v person.Viewer, patient person.ID, episode, version string) (Change, error) {
	return s.move(ctx, v, patient, episode, version, false)
}

// Migrate moves a person to another version of her pathway. What was done stays done; open steps that the new version has no longer are withdrawn and their
// promises released with notice; a step that is the same by its place in the plan and its turn keeps what became of it.
func (s *Service) Migrate(ctx context.Context, v person.Viewer, patient person.ID, episode, version string) (Change, error) {
	return s.move(ctx, v, patient, episode, version, true)
}

func (s *Service) move(ctx context.Context, v person.Viewer, patient person.ID, id, version string, do bool) (c Change, err error) {
	e, err := s.ofStaff(ctx, v, patient, id)
	if err != nil {
		return c, err
	}
	if e.State != Active {
		return c, fault.Conflictf("That pathway has ended.")
	}
	chart, err := s.Chart(ctx, v.Org, patient)
	if err != nil {
		return c, err
	}
	work := func(tx *store.Tx) error {
		plan, err := s.plan(tx, v.Org, e.URL+"|"+version)
		if err != nil {
			return err
		}
		p, err := s.people.Get(tx, v.Org, patient)
		if err != nil {
			return err
		}
		until, err := ends(e, plan, p, chart)
		if err != nil {
			return err
		}
		if until.After(e.Until) {
			e.Until = until
		}
		r, err := s.result(e, plan, p, chart)
		if err != nil {
			return err
		}
		old, err := s.of(tx, e)
		if err != nil {
			return err
		}
		var fresh, gone []Activity
		c, fresh, gone = compare(old, activities(e, r))
		c.From, c.To = e.Version, plan.Version
		if !do {
			return nil
		}
		return s.moveTo(tx, v, e, plan, p, r, c, fresh, gone)
	}
	if !do {
		return c, s.db.Read(ctx, work)
	}
	return c, s.db.Write(ctx, work)
}

// spot is what stays the same of an activity from version to version.
type spot struct {
	action string
	nth    int
}

// compare answers what changes from old to new activities, the new ones to be written, and the open ones to be withdrawn: those that there are no longer, and
// those that moved.
func compare(old, new []Activity) (c Change, fresh, gone []Activity) {
	at := map[spot]Activity{}
	for _, a := range old {
		if a.State != Withdrawn {
			at[spot{a.Action, a.Nth}] = a
		}
	}
	still, moved := map[string]bool{}, map[string]bool{}
	for _, a := range new {
		was, there := at[spot{a.Action, a.Nth}]
		switch {
		case !there:
			c.Added = append(c.Added, a)
			fresh = append(fresh, a)
		case was.State != Open || alike(was, a):
			c.Kept++
			still[was.ID] = true
		default:
			c.Moved = append(c.Moved, a)
			moved[was.ID] = true
			fresh = append(fresh, a)
		}
	}
	for _, a := range old {
		if a.State != Open || still[a.ID] {
			continue
		}
		gone = append(gone, a)
		if !moved[a.ID] {
			c.Withdrawn = append(c.Withdrawn, a)
		}
	}
	return c, fresh, gone
}

// alike reports whether an activity is the same but for its version.
func alike(a, b Activity) bool {
	return a.From.Equal(b.From) && a.By.Equal(b.By) && a.Title == b.Title && a.Kind == b.Kind && a.Performer == b.Performer && a.Must == b.Must
}

func (s *Service) moveTo(tx *store.Tx, v person.Viewer, e Episode, plan *apply.Plan, p person.Person, r apply.Result, c Change, fresh, gone []Activity) error {
	for _, a := range gone {
		if err := s.withdraw(tx, v, e, a, "reason.pathway"); err != nil {
			return err
		}
	}
	if err := s.publish(tx, e, p, r); err != nil {
		return err
	}
	if err := s.insert(tx, e, fresh); err != nil {
		return err
	}
	e.Version, e.Title = plan.Version, plan.Title
	if err := s.put(tx, e); err != nil {
		return err
	}
	return s.people.Audit(tx, v, e.Patient, "pathway", "version "+c.From+" to "+c.To+" of "+e.ID)
}

// withdraw takes an open activity back, and its promise with notice.
func (s *Service) withdraw(tx *store.Tx, v person.Viewer, e Episode, a Activity, reason string) error {
	if err := s.finish(tx, e.Org, e.Patient, a, Withdrawn, a.How); err != nil {
		return err
	}
	p, err := s.promises.Get(tx, e.Org, e.Patient, promise.ID(a.ID))
	if fault.Is(err, fault.NotFound) || err == nil && p.State != promise.Open {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = s.promises.Release(tx, v, e.Org, e.Patient, p.ID, reason, false)
	return err
}

// End takes a person off a pathway: what is open is withdrawn.
func (s *Service) End(ctx context.Context, v person.Viewer, patient person.ID, id string) error {
	e, err := s.ofStaff(ctx, v, patient, id)
	if err != nil {
		return err
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		e, ok, err := s.episode(tx, v.Org, patient, e.ID)
		if err != nil || !ok || e.State == Ended {
			return err
		}
		list, err := s.Activities(tx, v.Org, patient)
		if err != nil {
			return err
		}
		for _, a := range list {
			if a.Episode == e.ID && a.State == Open {
				if err := s.withdraw(tx, v, e, a, "reason.pathway"); err != nil {
					return err
				}
			}
		}
		e.State, e.Ended = Ended, s.clock.Now()
		if err := s.put(tx, e); err != nil {
			return err
		}
		return s.people.Audit(tx, v, patient, "pathway", "end "+e.ID)
	})
}
