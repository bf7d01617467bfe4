package appointment

import (
	"slices"
	"time"

	"doorstep/internal/appointment/noshow"
	"doorstep/internal/person"
	"doorstep/internal/stat"
	"doorstep/internal/store"
)

// SeenUntil is the number of days at which waits are cut for their mean.
const SeenUntil = 90.0

// Access is how soon people are seen, over those who asked or had a visit in a span. Every number says how many it was counted from.
type Access struct {
	Seen      stat.Waits            // days from the first asking to being seen, those still waiting counted
	Still     []StillWaiting        // who has not been seen, who waits longest first
	Missed    map[Way]stat.Interval // share of visits that were missed, of those held or missed
	Confirmed stat.Interval         // share of visits held or missed of which the person had said that she comes
	Accepted  stat.Interval         // share of offers that were taken, of those taken, declined or run out
	Gone      int                   // offers that somebody else was first to take
	Filled    stat.Interval         // share of freed times that somebody has, of those whose time has come
	PerFill   float64               // offers for each time that one of the offered took; 0: none was taken
	Model     noshow.Model          // of missed visits, by all that is known
	Groups    []Group               // the fairness report
}

// StillWaiting is a person who has asked and has not been seen.
type StillWaiting struct {
	Patient person.ID
	Type    string
	Asked   time.Time
}

// asking is one need of one person: the visits that followed each other until she was seen.
type asking struct {
	patient person.ID
	typ     string
	asked   int64
}

// Access answers the measures of those who asked, or whose visit was, in [from, to); what has not ended by now still goes on.
func (s *Service) Access(tx *store.Tx, org person.OrgID, from, to time.Time) (Access, error) {
	out := Access{Missed: map[Way]stat.Interval{}}
	now := s.clock.Now()
	all, err := store.All(tx, appointmentSelect+" WHERE org = $1 ORDER BY start_at, id", []any{string(org)}, scanAppointment)
	if err != nil {
		return out, err
	}
	entries, err := store.All(tx, entrySelect+" WHERE org = $1 ORDER BY asked_at, id", []any{string(org)}, scanEntry)
	if err != nil {
		return out, err
	}
	in := func(t time.Time) bool { return !t.Before(from) && t.Before(to) }
	type counted struct{ held, missed int }
	ways := map[Way]counted{}
	said, visits := 0, 0
	for _, a := range all {
		if a.State != Fulfilled && a.State != NoShow || !in(a.Start) {
			continue
		}
		c := ways[a.Way]
		if visits++; !a.Confirmed.IsZero() {
			said++
		}
		if a.State == NoShow {
			c.missed++
		} else {
			c.held++
		}
		ways[a.Way] = c
	}
	for w, c := range ways {
		out.Missed[w] = stat.Share(c.missed, c.held+c.missed)
	}
	out.Confirmed = stat.Share(said, visits)
	out.Seen, out.Still = seen(all, entries, in, now)
	out.Model = noshow.Learn(pasts(all))
	if err := s.offered(tx, org, from, to, &out); err != nil {
		return out, err
	}
	out.Groups, err = s.fairness(tx, org, all, entries, in)
	return out, err
}

// seen answers how long people waited. A need is over when a visit of it was held or the person is there; one that is given up, with
// nothing booked and no place on the list, counts until then.
func seen(all []Appointment, entries []Entry, in func(time.Time) bool, now time.Time) (stat.Waits, []StillWaiting) {
	type need struct {
		until time.Time
		seen  bool
		open  bool
	}
	needs := map[asking]*need{}
	var order []asking
	of := func(p person.ID, typ string, asked time.Time) *need {
		k := asking{p, typ, store.Micros(asked)}
		if needs[k] == nil {
			needs[k] = &need{}
			order = append(order, k)
		}
		return needs[k]
	}
	for _, a := range all {
		if !in(a.Asked) || a.State == Held || a.Reason == ReasonExpired {
			continue
		}
		n := of(a.Patient, a.Type, a.Asked)
		switch {
		case a.State == Fulfilled || a.State == Arrived:
			if at := a.Start; !n.seen || at.Before(n.until) {
				n.seen, n.until = true, at
			}
		case a.State.Live():
			n.open = true
		case !n.seen && a.Closed.After(n.until):
			n.until = a.Closed
		}
	}
	for _, e := range entries {
		if e.State == Waiting && in(e.Asked) {
			of(e.Patient, e.Type, e.Asked).open = true
		}
	}
	var spans []stat.Span
	var still []StillWaiting
	for _, k := range order {
		n, asked := needs[k], store.Time(k.asked)
		if !n.seen && n.open {
			n.until = now
			still = append(still, StillWaiting{k.patient, k.typ, asked})
		}
		spans = append(spans, stat.Span{Days: max(0, n.until.Sub(asked).Hours()/24), Ended: n.seen})
	}
	slices.SortStableFunc(still, func(a, b StillWaiting) int { return a.Asked.Compare(b.Asked) })
	return stat.NewWaits(spans, SeenUntil), still
}

// pasts answers the visits that are over as the model of missed ones sees them: each with what was known when it was booked.
func pasts(all []Appointment) []noshow.Past {
	before := map[person.ID][]Appointment{}
	var out []noshow.Past
	for _, a := range all {
		if a.State != Fulfilled && a.State != NoShow {
			continue
		}
		v := chanceOf(a, before[a.Patient])
		before[a.Patient] = append(before[a.Patient], a)
		out = append(out, noshow.Past{Visit: v, NoShow: a.State == NoShow})
	}
	return out
}

// chanceOf answers what the estimate of a missed visit looks at; earlier are the person's visits that are over.
func chanceOf(a Appointment, earlier []Appointment) noshow.Visit {
	v := noshow.Visit{Start: a.Start.In(a.Location()), Lead: int(a.Start.Sub(a.Made).Hours() / 24), Remote: a.Way != Clinic, Confirmed: !a.Confirmed.IsZero() && a.Confirmed.Before(a.Start)}
	for _, b := range earlier {
		if b.End.Before(a.Made) {
			v.Before++
			if b.State == NoShow {
				v.Missed++
			}
		}
	}
	return v
}

// offered counts what became of offers and of freed times.
func (s *Service) offered(tx *store.Tx, org person.OrgID, from, to time.Time, out *Access) error {
	counts := map[string]int{}
	if err := tx.Rows("SELECT state, COUNT(*) FROM offer WHERE org = $1 AND sent_at >= $2 AND sent_at < $3 GROUP BY state",
		[]any{string(org), store.Micros(from), store.Micros(to)}, func(scan func(...any) error) error {
			var state string
			var n int
			err := scan(&state, &n)
			counts[state] = n
			return err
		}); err != nil {
		return err
	}
	taken := counts[offerTaken]
	out.Accepted = stat.Share(taken, taken+counts[offerDeclined]+counts[offerExpired])
	out.Gone = counts[offerGone]
	if taken > 0 {
		out.PerFill = float64(taken+counts[offerDeclined]+counts[offerExpired]+counts[offerGone]) / float64(taken)
	}
	var filled, all int
	_, err := tx.Row(`SELECT COUNT(*), COALESCE(SUM(CASE WHEN EXISTS (SELECT 1 FROM appointment a WHERE a.org = f.org AND a.start_at = f.start_at
			AND a.pools = f.resources AND a.state IN ('booked', 'arrived', 'fulfilled', 'noshow')) THEN 1 ELSE 0 END), 0)
		FROM freed f WHERE f.org = $1 AND f.start_at >= $2 AND f.start_at < $3 AND f.start_at <= $4`,
		[]any{string(org), store.Micros(from), store.Micros(to), store.Micros(s.clock.Now())}, &all, &filled)
	out.Filled = stat.Share(filled, all)
	return err
}
