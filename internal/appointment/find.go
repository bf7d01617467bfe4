package appointment

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Search asks for times. Only Org and Type are needed.
type Search struct {
	Org       person.OrgID
	Patient   person.ID // whose home the way is counted from, and whose own clinicians come first
	Type      string
	Ways      []Way  // empty: all in which the type is held
	Place     string // of clinic visits; empty: all
	Clinician string // a resource; empty: anybody of the team
	Interpret string // a language for which an interpreter comes along unless the clinician speaks it; empty: none
	From, To  time.Time
	Limit     int  // options; 0: all
	Staff     bool // may book sooner than the type's lead
}

// Option is a time at which a person can be seen, in one way at one place, with who and what it takes.
type Option struct {
	Type      string
	Way       Way
	Place     string
	Start     time.Time
	End       time.Time
	Zone      string // of the place, else the organization's
	With      string // the clinician's name; empty when none is needed
	Resources []string
	Others    int // clinicians besides this one who could, too
	Travel    int // minutes there and back; 0 at home, and where it is not known
	Known     bool
	Beside    bool // another visit stands at that time, and may well be missed: who comes may wait a little
}

// Found is what a search found.
type Found struct {
	Options []Option
	More    time.Time // where to go on, when Limit cut the list; zero: that is all
	Soonest []Option  // the first of each way that has one, lightest way first
}

// shelf keeps, for each organization, an index of what is free.
type shelf struct {
	mu   sync.Mutex
	orgs map[person.OrgID]*orgShelf
}

// orgShelf is what one organization has free. It is brought up to date with the versions in the database before each search.
type orgShelf struct {
	mu      sync.Mutex
	ix      *slot.Index
	over    slot.Span
	known   map[string]*onShelf
	scratch slot.Starts
}

// onShelf is a resource on the shelf: a handle for each of its hours.
type onShelf struct {
	Resource
	handles []slot.Handle
	expires time.Time // when a hold on it runs out; zero: none does
}

// Find answers every time that a person can be seen, soonest first. The options are true at the moment of the search; Book sees to it
// that each is given once.
func (s *Service) Find(ctx context.Context, q Search) (Found, error) {
	var out Found
	err := s.db.Read(ctx, func(tx *store.Tx) (err error) { out, err = s.find(tx, q); return err })
	return out, err
}

// find reads, and only what is durable: a copy of what is not yet written would outlive a transaction that rolls back.
func (s *Service) find(tx *store.Tx, q Search) (Found, error) {
	t, err := s.Type(tx, q.Org, q.Type)
	if err != nil {
		return Found{}, err
	}
	org, err := s.people.Org(tx, q.Org)
	if err != nil {
		return Found{}, err
	}
	places, err := s.people.Places(tx, q.Org)
	if err != nil {
		return Found{}, err
	}
	now := s.clock.Now()
	lead := time.Duration(t.Lead) * time.Minute
	if q.Staff {
		lead = 0
	}
	within := slot.Span{From: q.From, To: q.To}
	if within.From.IsZero() {
		within.From = now
	}
	if within.To.IsZero() {
		within.To = now.AddDate(0, 0, t.Horizon)
	}
	if within.To.Before(within.From) {
		return Found{}, fault.Invalidf("The last day is before the first. Please choose the days again.")
	}
	within = slot.Notice{Lead: lead, Horizon: time.Duration(t.Horizon) * 24 * time.Hour}.Within(now, within)
	h, err := s.load(tx, q.Org, now, t.Horizon)
	if err != nil {
		return Found{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	own, err := s.ownClinicians(tx, q)
	if err != nil {
		return Found{}, err
	}
	var all []Option
	for _, o := range t.Offers {
		if len(q.Ways) > 0 && !slices.Contains(q.Ways, o.Way) {
			continue
		}
		at := []person.Place{{Zone: org.Zone}}
		if o.Way == Clinic && slices.Contains(o.Needs, Room) || o.Way == Clinic && len(places) > 0 {
			at = places
		}
		for _, p := range at {
			if q.Place != "" && o.Way == Clinic && p.ID != q.Place {
				continue
			}
			part, err := h.search(q, t, o, p, cmp.Or(p.Zone, org.Zone), within, own)
			if err != nil {
				return Found{}, err
			}
			all = append(all, part...)
		}
	}
	beside, err := s.findBeside(tx, q, t, h, org, within)
	if err != nil {
		return Found{}, err
	}
	all = append(all, beside...)
	slices.SortStableFunc(all, func(a, b Option) int {
		return cmp.Or(a.Start.Compare(b.Start), slices.Index(Ways, a.Way)-slices.Index(Ways, b.Way))
	})
	found := Found{Options: all}
	for _, w := range Ways {
		if i := slices.IndexFunc(all, func(o Option) bool { return o.Way == w }); i >= 0 {
			found.Soonest = append(found.Soonest, all[i])
		}
	}
	if q.Limit > 0 && len(all) > q.Limit {
		// The cut lies between two starts, so that nothing is passed over when the search goes on from More.
		n := q.Limit
		for n < len(all) && all[n].Start.Equal(all[n-1].Start) {
			n++
		}
		if n < len(all) {
			found.Options, found.More = all[:n], all[n].Start
		}
	}
	return found, s.far(tx, q, &found, places)
}

// ownClinicians answers the resources that have seen the patient, the latest first: they are offered before others.
func (s *Service) ownClinicians(tx *store.Tx, q Search) ([]string, error) {
	if q.Patient == "" {
		return nil, nil
	}
	list, err := s.Of(tx, q.Org, q.Patient)
	if err != nil {
		return nil, err
	}
	var own []string
	for _, a := range slices.Backward(list) {
		if a.State == Fulfilled || a.State == Booked || a.State == Arrived {
			own = append(own, a.Resources...)
		}
	}
	return own, nil
}

// search answers the options of one way at one place.
func (h *orgShelf) search(q Search, t Type, o Offer, place person.Place, zone string, within slot.Span, own []string) ([]Option, error) {
	loc, err := clock.Zone(zone)
	if err != nil {
		return nil, err
	}
	query := slot.Query{Within: within, Duration: time.Duration(o.Min) * time.Minute, Before: time.Duration(o.Before) * time.Minute,
		After: time.Duration(o.After) * time.Minute, Grid: time.Duration(t.Grid) * time.Minute, Zone: loc}
	lead := -1 // the pool that has the clinician
	for i, k := range o.Needs {
		pool := h.pool(q, t, k, o.Way, place.ID, "")
		if len(pool) == 0 {
			return nil, nil
		}
		if k == Clinician {
			lead = i
		}
		query.Pools = append(query.Pools, pool)
	}
	if q.Interpret == "" || lead < 0 {
		return h.options(query, t, o, place.ID, zone, lead, own)
	}
	// Those who speak the language need nobody beside them.
	speak := h.pool(q, t, Clinician, o.Way, place.ID, q.Interpret)
	others := slices.DeleteFunc(slices.Clone(query.Pools[lead]), func(x slot.Handle) bool { return slices.Contains(speak, x) })
	var out []Option
	if len(speak) > 0 {
		direct := query
		direct.Pools = slices.Clone(query.Pools)
		direct.Pools[lead] = speak
		if out, err = h.options(direct, t, o, place.ID, zone, lead, own); err != nil {
			return nil, err
		}
	}
	helpers := h.pool(q, t, Interpreter, o.Way, place.ID, q.Interpret)
	if len(others) == 0 || len(helpers) == 0 {
		return out, nil
	}
	query.Pools[lead] = others
	query.Pools = append(query.Pools, helpers)
	with, err := h.options(query, t, o, place.ID, zone, lead, own)
	return append(out, with...), err
}

// options asks the index and names who is chosen for each start.
func (h *orgShelf) options(q slot.Query, t Type, o Offer, place, zone string, lead int, own []string) ([]Option, error) {
	if err := h.ix.Find(q, &h.scratch); err != nil {
		return nil, err
	}
	out := make([]Option, 0, h.scratch.Len())
	var buf []slot.Handle
	for start := range h.scratch.All {
		opt := Option{Type: t.ID, Way: o.Way, Place: place, Start: start, End: start.Add(q.Duration), Zone: zone}
		for i := range q.Pools {
			buf = h.scratch.Choices(start, i, buf[:0])
			r := h.prefer(buf, own)
			opt.Resources = append(opt.Resources, r.ID)
			if i == lead {
				opt.With, opt.Others = r.Name, len(buf)-1
			}
		}
		slices.Sort(opt.Resources)
		out = append(out, opt)
	}
	return out, nil
}

// prefer chooses one who has seen the person before, the latest first, else the first.
func (h *orgShelf) prefer(from []slot.Handle, own []string) *onShelf {
	best, rank := from[0], len(own)
	for _, x := range from {
		if i := slices.Index(own, h.of(x).ID); i >= 0 && i < rank {
			best, rank = x, i
		}
	}
	return h.of(best)
}

func (h *orgShelf) of(x slot.Handle) *onShelf { return h.known[resourceOf(h.ix.ID(x))] }

// pool answers the handles of a kind that serve a type in a way at a place, in the order of their ids; of those who speak a language, if one is named.
func (h *orgShelf) pool(q Search, t Type, k Kind, w Way, place, language string) []slot.Handle {
	var out []slot.Handle
	for _, id := range slices.Sorted(maps.Keys(h.known)) {
		r := h.known[id]
		if !r.Active || r.Kind != k || !r.Holds(t.ID) || k == Clinician && q.Clinician != "" && r.ID != q.Clinician {
			continue
		}
		if language != "" && !slices.Contains(r.Languages, language) {
			continue
		}
		for i, hours := range r.Hours {
			if hours.Serves(w, place) {
				out = append(out, r.handles[i])
			}
		}
	}
	return out
}
