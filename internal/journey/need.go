package journey

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// SaveNeed puts a need on a person's list, or changes the open one with its id. The caller has seen to the viewer's right to act for her. The same need
// twice is one need. A patient or her family may add the kinds that are theirs to add.
func (s *Service) SaveNeed(tx *store.Tx, v person.Viewer, n Need) (Need, error) {
	n.Words = strings.TrimSpace(n.Words)
	if n.ID == "" {
		n.ID = ID(s.ids.New())
	}
	if strings.ContainsAny(string(n.ID), "@ /") {
		return n, fault.Invalidf("The id of a need holds no @, space or slash.")
	}
	if err := n.Validate(); err != nil {
		return n, err
	}
	kinds, err := s.Kinds(tx, n.Org)
	if err != nil {
		return n, err
	}
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.ID == n.Kind })
	if i < 0 {
		return n, fault.Invalidf("There is no such kind of need.")
	}
	if !v.Role.Staff() && v.Role != person.System {
		if n.Source = FromPatient; !kinds[i].Own {
			return n, fault.Deniedf("Please call us for this. It is for your clinic to add.")
		}
		n.Allowed, n.Clinical = nil, false // nobody allows herself what a clinician decides
	}
	for _, w := range n.Allowed {
		if _, ok := kinds[i].Way(w); !ok {
			return n, fault.Invalidf("%q is not a way of %s.", w, kinds[i].Name["en"])
		}
	}
	old, found, err := s.need(tx, n.Org, n.Patient, n.ID)
	if err != nil {
		return n, err
	}
	if found && old.State != Open {
		return old, nil
	}
	n.State, n.Made, n.Adder = Open, s.clock.Now(), v.Person
	if found {
		if v.Role == person.System && len(n.Allowed) == 0 {
			n.Allowed = old.Allowed // what a person has allowed since the source asked
		}
		n.Made, n.Adder = old.Made, old.Adder
		if same(old, n) {
			return old, nil
		}
	} else if open, err := s.Needs(tx, n.Org, n.Patient); err != nil || len(open) >= needsMost {
		if err == nil {
			err = fault.New(fault.TooMuch, "There are %d things on the list already. Please end some first.", len(open))
		}
		return n, err
	}
	if err := s.putNeed(tx, n); err != nil {
		return n, err
	}
	if err := s.people.Audit(tx, v, n.Patient, "journeys", "need "+string(n.ID)); err != nil {
		return n, err
	}
	return n, s.touch(tx, n.Org, n.Patient)
}

// Allow says which of the ways that need somebody's leave may be taken for a need. Who decides about its kind, by the need's word or the kind's, may say so:
// a clinician or a nurse, or anybody of the staff where it is the desk's.
func (s *Service) Allow(ctx context.Context, v person.Viewer, patient person.ID, id ID, ways []string) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		n, found, err := s.need(tx, v.Org, patient, id)
		if err != nil {
			return err
		}
		if !found || n.State != Open {
			return fault.NotFoundf("There is no such thing on the list.")
		}
		kinds, err := s.Kinds(tx, v.Org)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(kinds, func(k Kind) bool { return k.ID == n.Kind })
		if i < 0 {
			return fault.Invalidf("There is no such kind of need.")
		}
		for _, id := range ways {
			w, ok := kinds[i].Way(id)
			switch {
			case !ok:
				return fault.Invalidf("%q is not a way of %s.", id, kinds[i].Name["en"])
			case !v.Role.Staff() || w.Leave == ByClinician && v.Role == person.Desk:
				return fault.Deniedf("That is for a clinician or a nurse to allow.")
			}
		}
		if n.Allowed = ways; len(ways) == 0 {
			n.Allowed = nil
		}
		if err := s.putNeed(tx, n); err != nil {
			return err
		}
		if err := s.people.Audit(tx, v, patient, "journeys", "allowed ways of "+string(id)); err != nil {
			return err
		}
		return s.touch(tx, v.Org, patient)
	})
}

func same(a, b Need) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && string(x) == string(y)
}

func (s *Service) putNeed(tx *store.Tx, n Need) error {
	n.From, n.By, n.Until, n.Made = micro(n.From), micro(n.By), micro(n.Until), micro(n.Made)
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	closed := int64(0)
	if n.State != Open {
		closed = store.Micros(s.clock.Now())
	}
	_, err = tx.Exec(`INSERT INTO journey_need (org, shard, patient, id, kind, source, state, from_at, by_at, made_at, closed_at, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (org, shard, patient, id) DO UPDATE SET kind = excluded.kind, source = excluded.source, state = excluded.state, from_at = excluded.from_at, by_at = excluded.by_at,
		closed_at = excluded.closed_at, body = excluded.body`, string(n.Org), person.Shard(n.Patient), string(n.Patient), string(n.ID), n.Kind, n.Source, string(n.State),
		store.Micros(n.From), store.Micros(n.By), store.Micros(n.Made), closed, string(body))
	return err
}

func scanNeed(org person.OrgID, patient person.ID) func(scan func(...any) error) (Need, error) {
	return func(scan func(...any) error) (Need, error) {
		var n Need
		var body string
		if err := scan(&body); err != nil {
			return n, err
		}
		err := json.Unmarshal([]byte(body), &n)
		n.Org, n.Patient = org, patient
		return n, err
	}
}

// need answers a need of a person.
func (s *Service) need(tx *store.Tx, org person.OrgID, patient person.ID, id ID) (Need, bool, error) {
	list, err := store.All(tx, "SELECT body FROM journey_need WHERE org = $1 AND shard = $2 AND patient = $3 AND id = $4", []any{string(org), person.Shard(patient), string(patient), string(id)}, scanNeed(org, patient))
	if err != nil || len(list) == 0 {
		return Need{}, false, err
	}
	return list[0], true, nil
}

// Needs answers a person's open needs, the most pressing first.
func (s *Service) Needs(tx *store.Tx, org person.OrgID, patient person.ID) ([]Need, error) {
	return store.All(tx, "SELECT body FROM journey_need WHERE org = $1 AND shard = $2 AND patient = $3 AND state = 'open' ORDER BY by_at, id",
		[]any{string(org), person.Shard(patient), string(patient)}, scanNeed(org, patient))
}

// EndNeed takes a need off the list; what was promised for it is given back.
func (s *Service) EndNeed(ctx context.Context, v person.Viewer, patient person.ID, id ID) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		n, found, err := s.need(tx, v.Org, patient, id)
		if err != nil {
			return err
		}
		if !found {
			return fault.NotFoundf("There is no such thing on the list.")
		}
		if n.State != Open {
			return nil
		}
		if n.Source != FromPatient && !v.Role.Staff() {
			return fault.Deniedf("Please call us for this. It is for your clinic to end.")
		}
		return s.dropNeed(tx, v, n)
	})
}

// dropNeed ends a need; what is promised for it is given back.
func (s *Service) dropNeed(tx *store.Tx, v person.Viewer, n Need) error {
	n.State = Dropped
	if err := s.putNeed(tx, n); err != nil {
		return err
	}
	items, err := s.items(tx, n.Org, n.Patient)
	if err != nil {
		return err
	}
	for _, it := range items {
		if it.Need != n.ID || it.State == ItemDone || it.State == Missed {
			continue
		}
		if it.State == Promised && !it.Start.After(s.clock.Now()) { // it is gone from the list because it was done
			if err := s.itemDone(tx, it); err != nil {
				return err
			}
			continue
		}
		if it.State == Promised {
			if err := s.giveBack(tx, v, it, "reason.plan"); err != nil {
				return err
			}
		}
		if err := s.removeItem(tx, it); err != nil {
			return err
		}
	}
	if err := s.people.Audit(tx, v, n.Patient, "journeys", "ended need "+string(n.ID)); err != nil {
		return err
	}
	return s.touch(tx, n.Org, n.Patient)
}

// gather brings a person's list up to what the sources now ask.
func (s *Service) gather(tx *store.Tx, org person.OrgID, patient person.ID) error {
	had, err := s.Needs(tx, org, patient)
	if err != nil {
		return err
	}
	v := person.SystemViewer(org)
	for _, src := range s.sources {
		list, err := src.Needs(tx, org, patient)
		if err != nil {
			return err
		}
		for _, n := range list {
			n.Org, n.Patient, n.Source = org, patient, src.Name()
			if _, err := s.SaveNeed(tx, v, n); err != nil {
				return err
			}
		}
		for _, n := range had {
			if n.Source == src.Name() && !slices.ContainsFunc(list, func(o Need) bool { return o.ID == n.ID }) {
				if err := s.dropNeed(tx, v, n); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// touch lets a person's weeks be planned at the next opportunity.
func (s *Service) touch(tx *store.Tx, org person.OrgID, patient person.ID) error {
	tx.Hint("patient", string(org)+"/"+string(patient))
	now := store.Micros(s.clock.Now())
	_, err := tx.Exec(`INSERT INTO journey_plan (org, shard, patient, due_at, made_at, version, body) VALUES ($1, $2, $3, $4, 0, 0, '{}')
		ON CONFLICT (org, shard, patient) DO UPDATE SET due_at = excluded.due_at, version = journey_plan.version + 1`, string(org), person.Shard(patient), string(patient), now)
	return err
}

func derived(parts ...string) string {
	return clock.DerivedID(append([]string{"journey"}, parts...)...)
}
