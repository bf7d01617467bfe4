package waiting

import (
	"cmp"
	"math"
	"slices"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/waiting/estimate"
)

const (
	ahead      = 4 * time.Hour    // how far the line is looked at
	lateBy     = 30 * time.Minute // after her time, somebody who has not come is not counted on any more
	comes      = 0.9              // chance that somebody who is booked comes
	comesLate  = 0.5              // once her time has passed
	unexpected = 20               // minutes of a visit of which nothing is planned
)

// line is the queue of a place as it stands, and whose place in it is whose.
type line struct {
	now        time.Time
	clinicians []Clinician
	estimate.Line
	stays  map[ID]int     // of those who wait
	due    map[string]int // by visit, of those who have not come
	order  []ID           // of those who wait, who goes first first
	visits []Visit        // of those who have not come, by their start
	pace   pace
}

func minutes(d time.Duration) float64 { return d.Minutes() }

func after(now time.Time, m float64) time.Time {
	return now.Add(time.Duration(m * float64(time.Minute)))
}

// load looks at the line of a place: the clinicians who are there today, whom they see now, who waits for them, and who is due.
func (s *Service) load(tx *store.Tx, org person.OrgID, place string) (l *line, err error) {
	now := s.clock.Now()
	l = &line{now: now, stays: map[ID]int{}, due: map[string]int{}}
	if l.clinicians, err = s.visits.Clinicians(tx, org, place, now, now.Add(12*time.Hour)); err != nil {
		return l, err
	}
	if l.pace, err = s.pace(tx, org, place); err != nil {
		return l, err
	}
	rules, err := s.Rules(tx, org)
	if err != nil {
		return l, err
	}
	stays, err := s.open(tx, org)
	if err != nil {
		return l, err
	}
	away, err := s.away(tx, org)
	if err != nil {
		return l, err
	}
	server := map[string]int{}
	add := func(c Clinician) {
		server[c.ID] = len(l.Servers)
		l.Servers = append(l.Servers, estimate.Server{From: max(0, minutes(max(c.From.Sub(now), away[c.ID].Sub(now))))})
	}
	for _, c := range l.clinicians {
		add(c)
	}
	for _, x := range stays { // whoever sees somebody here is there, whatever the calendar says
		if _, known := server[x.Who]; !known && x.Who != "" && x.Place == place && x.State == With {
			c := Clinician{ID: x.Who, From: now, Until: now}
			l.clinicians = append(l.clinicians, c)
			add(c)
		}
	}
	of := func(typ, who string, plan int) estimate.Length {
		if plan <= 0 {
			plan = unexpected
		}
		return l.pace.Learner.Length(typ, who, float64(plan))
	}
	for _, x := range stays {
		i, hers := server[x.Who]
		if x.Place != place && !hers {
			continue
		}
		if x.State == With {
			if hers {
				l.Servers[i].Busy, l.Servers[i].Elapsed, l.Servers[i].Length = true, minutes(now.Sub(x.Begun)), of(x.Type, x.Who, x.Plan)
			}
			continue
		}
		p := estimate.Person{Server: estimate.Any, Length: of(x.Type, x.Who, x.Plan)}
		if hers {
			p.Server = i
		}
		rank, at := position(rules, x.Kind, x.Start, x.Arrived)
		p.Rank, p.Key = rank, minutes(at.Sub(now))
		if x.State != Waiting { // she is on her way in
			p.Rank = -1
		} else if x.Place == place {
			l.stays[x.ID] = len(l.People)
			l.order = append(l.order, x.ID)
		}
		l.People = append(l.People, p)
	}
	slices.SortStableFunc(l.order, func(a, b ID) int {
		p, q := l.People[l.stays[a]], l.People[l.stays[b]]
		return cmp.Or(cmp.Compare(p.Rank, q.Rank), cmp.Compare(p.Key, q.Key))
	})
	due, err := s.visits.Due(tx, org, now.Add(-lateBy), now.Add(ahead))
	if err != nil {
		return l, err
	}
	for _, v := range due {
		i, hers := server[v.Who]
		if !hers || !v.Booked {
			continue
		}
		_, at := position(rules, Booked, v.Start, v.Start)
		p := estimate.Person{Server: i, Rank: 1, Key: minutes(at.Sub(now)), Due: max(0.01, minutes(v.Start.Sub(now))), Comes: comes, Length: of(v.Type, v.Who, int(v.End.Sub(v.Start)/time.Minute))}
		if !v.Start.After(now) {
			p.Due, p.Comes = 5, comesLate
		}
		l.due[v.ID] = len(l.People)
		l.visits = append(l.visits, v)
		l.People = append(l.People, p)
	}
	l.Leave = l.pace.Learner.Leave()
	return l, nil
}

// expect answers the range of a person's wait from the moment that she is due, in minutes, and the middle of it; known is false when
// nobody sees her.
func (l *line) expect(who int) (w estimate.Wait, low, high float64, known bool) {
	w = estimate.Of(l.Line, who)
	if math.IsInf(w.Mean, 0) {
		return w, 0, 0, false
	}
	low, high = l.pace.Calibrator.Range(w)
	return w, low, high, true
}

const (
	lookEvery = 10 * time.Minute // at which a range is looked at again
	fives     = 5 * time.Minute
)

// nextLook is the time of the next update, on the clock's fives, as it is said.
func nextLook(now time.Time) time.Time { return now.Add(lookEvery).Add(fives - 1).Truncate(fives) }

// tell works out what somebody who waits is told now.
func (l *line) tell(x *Stay) {
	i, ok := l.stays[x.ID]
	if !ok {
		return
	}
	w, low, high, known := l.expect(i)
	x.Told = Told{At: l.now, Next: nextLook(l.now), Before: w.Before}
	if !known {
		return
	}
	from, to := estimate.Round(low, high)
	x.Told.From, x.Told.To = l.now.Add(time.Duration(from)*time.Minute), l.now.Add(time.Duration(to)*time.Minute)
	if l.now.Equal(x.Arrived) {
		x.first = [2]float64{low, high}
	}
}
