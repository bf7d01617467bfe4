package waiting

import (
	"slices"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Board is a place as it stands: who goes in next, who is in, who is due, and who sees them.
type Board struct {
	Place      string
	Waiting    []Stay // who goes first first
	In         []Stay // called, in a room, or with a person, by when they were
	Due        []Outlook
	Ended      []Stay // within the last hours, the newest first
	Clinicians []Seeing
	Rooms      []string
	Rules      []Rule
}

// Seeing is a clinician of today.
type Seeing struct {
	Clinician
	Away  time.Time // until when she is not there; zero: she is there in her hours
	With  ID        // whom she sees
	Since time.Time
}

const boardBack = 3 * time.Hour

// Board answers the board of a place, as far as the viewer may see the people on it; how many are hidden stands in the second answer.
func (s *Service) Board(tx *store.Tx, v person.Viewer, place string) (b Board, hidden int, err error) {
	mine, err := s.people.PatientsOf(tx, v)
	if err != nil {
		return b, 0, err
	}
	may := make(map[person.ID]bool, len(mine))
	for _, p := range mine {
		may[p.ID] = true
	}
	b.Place = place
	l, err := s.load(tx, v.Org, place)
	if err != nil {
		return b, 0, err
	}
	now := s.clock.Now()
	stays, err := s.open(tx, v.Org)
	if err != nil {
		return b, 0, err
	}
	away, err := s.away(tx, v.Org)
	if err != nil {
		return b, 0, err
	}
	byID := map[ID]Stay{}
	seeing := map[string]Stay{}
	for _, x := range stays {
		byID[x.ID] = x
		if x.Place != place {
			continue
		}
		if x.State == With {
			seeing[x.Who] = x
		}
		switch {
		case !may[x.Patient]:
			hidden++
		case x.State != Waiting:
			b.In = append(b.In, x)
		}
	}
	for _, id := range l.order {
		if x := byID[id]; may[x.Patient] {
			b.Waiting = append(b.Waiting, x)
		}
	}
	for _, d := range l.visits {
		if d.Place != place || !d.Comes || d.Start.After(now.Add(farHours)) {
			continue
		}
		if !may[d.Patient] {
			hidden++
			continue
		}
		o, ok, err := s.look(tx, l, d)
		if err != nil {
			return b, 0, err
		}
		if !ok {
			o = Outlook{Visit: d}
		}
		b.Due = append(b.Due, o)
	}
	if b.Ended, err = s.list(tx, "org = $1 AND arrived_at > $2 AND ended_at > $3 AND place = $4 AND state IN ('done', 'left') ORDER BY ended_at DESC, id",
		string(v.Org), store.Micros(now.Add(-lapses)), store.Micros(now.Add(-boardBack)), place); err != nil {
		return b, 0, err
	}
	b.Ended = slices.DeleteFunc(b.Ended, func(x Stay) bool { return !may[x.Patient] })
	for _, c := range l.clinicians {
		x := seeing[c.ID]
		b.Clinicians = append(b.Clinicians, Seeing{Clinician: c, Away: away[c.ID], With: x.ID, Since: x.Begun})
	}
	if b.Rooms, err = s.visits.Rooms(tx, v.Org, place); err != nil {
		return b, 0, err
	}
	b.Rules, err = s.Rules(tx, v.Org)
	return b, hidden, err
}
