package waiting

import (
	"context"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

const (
	much     = 15 * time.Minute // by which a range moves before it is worth a text
	lapses   = 14 * time.Hour   // after which a stay that nobody ended is taken off the board
	readyFor = 5                // minutes that somebody who waits at home needs to get up and go
)

// retell looks again at the line of a place and tells whoever is due for it, or whom also picks.
func (s *Service) retell(tx *store.Tx, org person.OrgID, place string, also func(Stay) bool) error {
	l, err := s.load(tx, org, place)
	if err != nil {
		return err
	}
	for _, id := range l.order {
		x, err := s.Get(tx, org, id)
		if err != nil {
			return err
		}
		if x.Told.Next.After(l.now) && !also(x) {
			continue
		}
		l.tell(&x)
		if err := s.sayIfMuch(tx, &x); err != nil {
			return err
		}
		if err := s.put(tx, x); err != nil {
			return err
		}
	}
	return nil
}

// sayIfMuch texts whoever waits elsewhere: when it is time to set out, once, and when the range has moved by much. Who sits here sees it.
func (s *Service) sayIfMuch(tx *store.Tx, x *Stay) error {
	if x.Waits == Here || !x.Told.Known() || x.Place == "" {
		return nil
	}
	now := x.Told.At
	if x.Waits == AtHome && x.Away > 0 && x.fetched.IsZero() && !x.Told.From.After(now.Add(time.Duration(x.Away+readyFor)*time.Minute)) {
		x.fetched = now
		return s.say(tx, *x, "wait.come", "come", map[string]string{"from": x.Told.From.Format(time.RFC3339), "to": x.Told.To.Format(time.RFC3339)}, now.Add(much))
	}
	if x.texted.IsZero() {
		x.texted = x.Told.From // said at check-in
		return nil
	}
	if d := x.Told.From.Sub(x.texted); d < much && d > -much {
		return nil
	}
	x.texted = x.Told.From
	return s.say(tx, *x, "wait.update", "update/"+now.Format(time.RFC3339), map[string]string{"from": x.Told.From.Format(time.RFC3339), "to": x.Told.To.Format(time.RFC3339),
		"next": x.Told.Next.Format(time.RFC3339)}, x.Told.Next)
}

// Update keeps the word given to those who wait: their ranges are looked at when it was said, people at home are called in time, and
// those who have not left home yet hear of a delay. It answers how many texts about delays were given out.
func (s *Service) Update(ctx context.Context, org person.OrgID) (int, error) {
	now := s.clock.Now()
	var places []string
	due := map[string]bool{}
	var old []ID
	if err := s.db.Read(ctx, func(tx *store.Tx) error {
		stays, err := s.open(tx, org)
		if err != nil {
			return err
		}
		for _, x := range stays {
			if x.Arrived.Before(now.Add(-lapses)) {
				old = append(old, x.ID)
			} else if x.State == Waiting && !x.Told.Next.After(now) {
				due[x.Place] = true
			}
		}
		list, err := s.people.Places(tx, org)
		for _, p := range list {
			places = append(places, p.ID)
		}
		places = append(places, "")
		return err
	}); err != nil {
		return 0, err
	}
	for _, id := range old {
		if err := s.db.Write(ctx, func(tx *store.Tx) error {
			x, err := s.Get(tx, org, id)
			if err != nil || !x.State.Open() {
				return err
			}
			x.State, x.Ended = Lapsed, now
			return s.put(tx, x)
		}); err != nil {
			return 0, err
		}
	}
	for _, place := range places {
		if !due[place] {
			continue
		}
		if err := s.db.Write(ctx, func(tx *store.Tx) error { return s.retell(tx, org, place, func(Stay) bool { return false }) }); err != nil {
			return 0, err
		}
	}
	n := 0
	for _, place := range places {
		if place == "" {
			continue // nobody leaves home for a video
		}
		k, err := s.tellLate(ctx, org, place)
		if err != nil {
			return n, err
		}
		n += k
	}
	return n, nil
}
