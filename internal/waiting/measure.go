package waiting

import (
	"math"
	"slices"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/stat"
	"doorstep/internal/store"
)

// Measure is a length of time over the stays of a span: minutes.
type Measure struct {
	Name   string        // onsite, wait, room, person
	Mean   stat.Interval // NaN without any
	Median float64
	P90    float64
}

// Names of measures: from checking in to the end, from checking in until somebody was with her, in the room, with a person.
const (
	OnSite     = "onsite"
	Wait       = "wait"
	RoomTime   = "room"
	WithPerson = "person"
)

// Measures answers the minutes that people spent on site, waiting, in a room and with a person, over the stays that began in [from, to) at
// a place (empty: at any, by video too); and of how many of the ranges that were said at check-in were right. Whoever left without being
// seen counts in Gone and in no length.
func (s *Service) Measures(tx *store.Tx, org person.OrgID, place string, from, to time.Time) (out []Measure, held Held, err error) {
	list, err := s.list(tx, "org = $1 AND arrived_at >= $2 AND arrived_at < $3 ORDER BY arrived_at, id", string(org), store.Micros(from), store.Micros(to))
	if err != nil {
		return nil, held, err
	}
	values := map[string][]float64{}
	n, right := 0, 0
	take := func(name string, a, b time.Time) {
		if !a.IsZero() && !b.IsZero() {
			values[name] = append(values[name], minutes(b.Sub(a)))
		}
	}
	for _, x := range list {
		if place != "" && x.Place != place {
			continue
		}
		if x.State == Left {
			held.Gone++
		}
		if x.State == Left || x.State == Lapsed {
			continue
		}
		take(OnSite, x.Arrived, x.Ended)
		take(Wait, x.Arrived, x.Begun)
		take(RoomTime, x.InRoom, x.Ended)
		take(WithPerson, x.Begun, x.Ended)
		if wait := minutes(x.Begun.Sub(x.Arrived)); !x.Begun.IsZero() && x.first != [2]float64{} {
			n++
			if wait >= x.first[0] && wait <= x.first[1] {
				right++
			}
		}
	}
	for _, name := range []string{OnSite, Wait, RoomTime, WithPerson} {
		out = append(out, measure(name, values[name]))
	}
	held.Share = stat.Share(right, n)
	return out, held, nil
}

// Held is how often the range that was said at check-in was right, of those who were seen, with its 95 % interval.
type Held struct {
	Share stat.Interval
	Gone  int // left without being seen
}

func measure(name string, v []float64) Measure {
	m := Measure{Name: name, Mean: stat.MeanInterval(v), Median: math.NaN(), P90: math.NaN()}
	if len(v) == 0 {
		return m
	}
	slices.Sort(v)
	m.Median, m.P90 = v[(len(v)-1)/2], v[int(math.Ceil(0.9*float64(len(v))))-1]
	return m
}
