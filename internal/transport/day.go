package transport

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/transport/road"
	"doorstep/internal/transport/routing"
)

// key names a leg of a day.
type key struct {
	ride ID
	dir  Direction
}

// stopAt is a stop in the stored plan of a vehicle. Times are minutes after the day's midnight.
type stopAt struct {
	Ride  ID        `json:"ride,omitempty"` // empty: a break
	Dir   Direction `json:"dir,omitempty"`
	Stop  int       `json:"stop"` // 0 pickup, 1 the end of the ride
	Begin float64   `json:"begin"`
	End   float64   `json:"end"`
}

func (x stopAt) key() key { return key{x.Ride, x.Dir} }

// day is everything of one day of an organization: what is to be driven, by what, and how it stands.
type day struct {
	s        *Service
	org      person.OrgID
	day      clock.Day
	zero     time.Time // its midnight in the clinic's zone
	now      time.Time
	rides    []*Ride
	vehicles []Vehicle
	depots   map[string]person.Point
	plan     map[VehicleID][]stopAt
	version  int64
	changed  map[ID]bool
	replaned bool
}

// load reads a day. With lock it is kept from others until the transaction ends.
func (s *Service) load(tx *store.Tx, org person.OrgID, on clock.Day, lock bool) (*day, error) {
	o, err := s.people.Org(tx, org)
	if err != nil {
		return nil, err
	}
	zone, err := clock.Zone(o.Zone)
	if err != nil {
		return nil, err
	}
	d := &day{s: s, org: org, day: on, zero: clock.At(on, 0, zone), now: s.clock.Now(), depots: map[string]person.Point{}, plan: map[VehicleID][]stopAt{}, changed: map[ID]bool{}}
	if lock {
		if _, err := tx.Exec("INSERT INTO dispatch_day (org, day, version, body) VALUES ($1, $2, 0, '{}') ON CONFLICT DO NOTHING", string(org), on.String()); err != nil {
			return nil, err
		}
		if _, err := tx.Exec("UPDATE dispatch_day SET version = version + 1 WHERE org = $1 AND day = $2", string(org), on.String()); err != nil {
			return nil, err
		}
	}
	var body string
	if ok, err := tx.Row("SELECT version, body FROM dispatch_day WHERE org = $1 AND day = $2", []any{string(org), on.String()}, &d.version, &body); err != nil {
		return nil, err
	} else if ok {
		if err := json.Unmarshal([]byte(body), &d.plan); err != nil {
			return nil, err
		}
	}
	if d.rides, err = s.onDay(tx, org, on); err != nil {
		return nil, err
	}
	if d.vehicles, err = s.Vehicles(tx, org); err != nil {
		return nil, err
	}
	places, err := s.people.Places(tx, org)
	for _, p := range places {
		if p.Known() {
			d.depots[p.ID] = p.Point
		}
	}
	return d, err
}

// save writes what has changed.
func (d *day) save(tx *store.Tx) error {
	for _, r := range d.rides {
		if d.changed[r.ID] {
			if err := d.s.put(tx, r); err != nil {
				return err
			}
		}
	}
	d.changed = map[ID]bool{}
	if !d.replaned {
		return nil
	}
	body, err := json.Marshal(d.plan)
	if err != nil {
		return err
	}
	_, err = tx.Exec("UPDATE dispatch_day SET body = $3 WHERE org = $1 AND day = $2", string(d.org), d.day.String(), string(body))
	return err
}

func (d *day) min(t time.Time) float64 { return t.Sub(d.zero).Minutes() }
func (d *day) at(m float64) time.Time {
	return d.zero.Add(time.Duration(m * float64(time.Minute))).Truncate(time.Second)
}

func (d *day) ride(id ID) *Ride {
	for _, r := range d.rides {
		if r.ID == id {
			return r
		}
	}
	return nil
}

func (d *day) leg(k key) (*Ride, *Leg) {
	r := d.ride(k.ride)
	if r == nil {
		return nil, nil
	}
	return r, r.Leg(k.dir)
}

// legs answers the legs that are driven by our vehicles or by nobody yet, in order of the day.
func (d *day) legs(which func(*Leg) bool) (out []key) {
	for _, r := range d.rides {
		for _, dir := range []Direction{Out, Back} {
			if which(r.Leg(dir)) {
				out = append(out, key{r.ID, dir})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b key) int {
		_, x := d.leg(a)
		_, y := d.leg(b)
		return x.Pickup.From.Compare(y.Pickup.From)
	})
	return out
}

// Minutes that getting in and out takes: an assumption (docs/rides.md).
func handling(m Mobility) (in, out float64) {
	if m == Wheelchair {
		return 6, 5
	}
	return 3, 2
}

// model is a day as the planner sees it.
type model struct {
	routing.Problem
	keys []key       // by request
	cars []VehicleID // by vehicle
}

// slack is how many minutes later than promised a stop may be where a promise cannot be kept: late is better than not at all.
const slack = 240

// model answers the problem of what is left of the day, and the stored plan in its terms. late are legs whose windows cannot be kept; worn is without breaks.
func (d *day) model(ctx context.Context, late map[key]bool, worn bool) (*model, []routing.Route, error) {
	m := &model{}
	points, place := d.points()
	if err := d.matrix(ctx, m, points); err != nil {
		return nil, nil, err
	}
	var routes []routing.Route
	requests := map[key]int{}
	for _, v := range d.vehicles {
		depot, ok := d.depots[v.Depot]
		aboard := d.aboard(v.ID)
		if !ok || !d.usable(v) && len(aboard) == 0 {
			continue
		}
		n := len(m.Vehicles)
		where, free, next := d.standing(v, depot, func(a, b person.Point) float64 { return m.Duration.At(place(a), place(b)) })
		if !v.Down.IsZero() {
			free = max(free, d.min(v.Down))
		}
		car := routing.Vehicle{ID: string(v.ID), Start: place(where), End: place(depot), Shift: routing.Window{From: max(float64(v.From), free), To: float64(v.To)},
			Capacity: []routing.Load{{routing.Seats: v.Seats, routing.Wheelchairs: v.Wheelchairs}}, Has: v.has()}
		if late != nil && (len(aboard) > 0 || len(d.plan[v.ID]) > 0) && slices.ContainsFunc(d.plan[v.ID], func(x stopAt) bool { return late[x.key()] }) {
			car.Shift.To += slack
		}
		if car.Shift.From >= car.Shift.To {
			if len(aboard) == 0 {
				continue
			}
			car.Shift.To = car.Shift.From + slack
		}
		if p := v.Pause; p != nil && !worn && float64(p.To) >= free && !d.paused(v.ID) {
			car.Breaks = []routing.Break{{Window: routing.Window{From: max(float64(p.From), free), To: max(float64(p.To), free)}, Length: float64(p.Minutes)}}
		}
		m.Vehicles, m.cars = append(m.Vehicles, car), append(m.cars, v.ID)
		route := routing.Route{Vehicle: n}
		seen := map[key]bool{}
		for _, x := range d.plan[v.ID] {
			k := x.key()
			if x.Ride == "" {
				if len(car.Breaks) > 0 {
					route.Visits = append(route.Visits, routing.Visit{Request: -1})
				}
				continue
			}
			_, l := d.leg(k)
			if l == nil || l.Vehicle != v.ID || !l.State.driven() || l.State == Aboard && x.Stop == 0 {
				continue
			}
			if _, ok := requests[k]; !ok {
				requests[k] = len(m.Requests)
				q := d.request(k, place, late[k])
				if l.State == Aboard || l.State == Way || l.State == Door || k == next {
					q.Only = []int{n}
				}
				m.Requests, m.keys = append(m.Requests, q), append(m.keys, k)
			}
			stop := x.Stop
			if l.State == Aboard {
				stop = 0
			}
			seen[k] = true
			route.Visits = append(route.Visits, routing.Visit{Request: requests[k], Stop: stop})
		}
		for _, k := range aboard { // who sits in it is brought home, whatever the plan says
			if !seen[k] {
				requests[k] = len(m.Requests)
				q := d.request(k, place, true)
				q.Only = []int{n}
				route.Visits = append(route.Visits, routing.Visit{Request: len(m.Requests)})
				m.Requests, m.keys = append(m.Requests, q), append(m.keys, k)
			}
		}
		if len(route.Visits) > 0 {
			routes = append(routes, route)
		}
	}
	m.PerDistance, m.PerDuration = 0.2, 1
	return m, routes, nil
}

// points answers all places of the day, and the index of each.
func (d *day) points() ([]person.Point, func(person.Point) int) {
	var points []person.Point
	index := map[person.Point]int{}
	put := func(p person.Point) {
		if _, ok := index[p]; !ok {
			index[p], points = len(points), append(points, p)
		}
	}
	for _, r := range d.rides {
		for _, l := range []*Leg{&r.Out, &r.Back} {
			put(l.From.Point)
			put(l.To.Point)
		}
	}
	for _, v := range d.vehicles {
		if p, ok := d.depots[v.Depot]; ok {
			put(p)
		}
	}
	return points, func(p person.Point) int { return index[p] }
}

// matrix asks the roads for all ways of the day. They are as slow as in the slowest hour, so that a promise made at noon is kept at five.
func (d *day) matrix(ctx context.Context, m *model, points []person.Point) error {
	table, err := d.s.roads.Table(ctx, road.Car, points, points)
	if err != nil {
		return err
	}
	n := len(points)
	m.Duration, m.Distance = &routing.Matrix{Places: n, Values: make([]float64, n*n)}, &routing.Matrix{Places: n, Values: make([]float64, n*n)}
	for i := range points {
		for j := range points {
			leg := table[i][j]
			if !leg.Known { // an island in the map: the estimate, not a wall
				leg = road.Estimates[road.Car].Leg(points[i], points[j])
			}
			if i != j {
				m.Duration.Values[i*n+j], m.Distance.Values[i*n+j] = leg.Duration.Minutes()*d.traffic(), leg.Meters/1000
			}
		}
	}
	return nil
}

// traffic is the slowest factor of the hours in which vehicles are driven.
func (d *day) traffic() float64 {
	f := 1.0
	for h := range 24 {
		if slices.ContainsFunc(d.vehicles, func(v Vehicle) bool { return v.Works(d.day) && int(v.From) <= h*60 && h*60 < int(v.To) }) {
			f = max(f, road.Usual.At(d.at(float64(60*h))))
		}
	}
	return f
}

func (v Vehicle) has() []string {
	has := slices.Clone(v.Skills)
	if v.Ramp {
		has = append(has, routing.Ramp)
	}
	if v.Lift {
		has = append(has, routing.Lift)
	}
	return has
}

// usable reports whether a vehicle can take rides on this day from now on.
func (d *day) usable(v Vehicle) bool {
	to := d.at(float64(v.To))
	return v.Works(d.day) && v.Down.Before(to) && d.now.Before(to)
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// aboard answers who sits in a vehicle.
func (d *day) aboard(v VehicleID) []key {
	return d.legs(func(l *Leg) bool { return l.Vehicle == v && l.State == Aboard })
}

// paused reports whether a vehicle's break has begun by the plan.
func (d *day) paused(v VehicleID) bool {
	return slices.ContainsFunc(d.plan[v], func(x stopAt) bool { return x.Ride == "" && d.min(d.now) >= x.Begin })
}

// standing answers where a vehicle will be free next, when, and to whom it is on its way. Facts are what drivers marked; between two of them the plan says where
// it goes, and it leaves in time and no sooner.
func (d *day) standing(v Vehicle, depot person.Point, way func(a, b person.Point) float64) (person.Point, float64, key) {
	last, at := depot, float64(v.From)
	past := func(p person.Point, t time.Time) {
		if m := d.min(t); !t.IsZero() && m >= at {
			last, at = p, m
		}
	}
	for _, r := range d.rides {
		for _, dir := range []Direction{Out, Back} {
			if l := r.Leg(dir); l.Vehicle == v.ID {
				past(l.From.Point, l.Came)
				past(l.From.Point, l.Aboard)
				past(l.To.Point, l.Done)
			}
		}
	}
	now := d.min(d.now)
	if now <= float64(v.From) {
		return depot, float64(v.From), key{}
	}
	for _, x := range d.plan[v.ID] {
		_, l := d.leg(x.key())
		if l == nil || l.Vehicle != v.ID || !l.State.driven() || l.State == Aboard && x.Stop == 0 || l.State == Door {
			continue
		}
		to := l.From.Point
		if x.Stop == 1 {
			to = l.To.Point
		}
		takes := way(last, to)
		leaves := max(at, x.Begin-takes)
		if l.State == Way && x.Stop == 0 {
			leaves = max(at, d.min(l.Went))
		}
		if now < leaves {
			break
		}
		return to, max(now, leaves+takes), x.key()
	}
	return last, max(now, at), key{}
}

// request is a leg as the planner sees it.
func (d *day) request(k key, place func(person.Point) int, late bool) routing.Request {
	r, l := d.leg(k)
	in, out := handling(r.Mobility)
	q := routing.Request{ID: string(k.ride) + "/" + string(k.dir), MaxRide: float64(l.MaxRide), Needs: r.Needs}
	if r.Mobility == Wheelchair {
		q.Load[routing.Wheelchairs] = 1
	} else {
		q.Load[routing.Seats] = 1
	}
	q.Load[routing.Seats] += r.Companions
	window := func(s Span) routing.Window { return routing.Window{From: d.min(s.From), To: d.min(s.To)} }
	from := routing.Stop{Place: place(l.From.Point), Window: window(l.Pickup), Service: in}
	to := routing.Stop{Place: place(l.To.Point), Window: window(l.Dropoff), Service: out}
	if !l.Wish.IsZero() {
		to.Due, to.Late = d.min(l.Wish), 0.5
	}
	if late {
		from.Due, from.Late = from.Window.To, 5
		to.Due, to.Late = to.Window.To, 5
		from.Window.To, to.Window.To = max(from.Window.To, d.min(d.now))+slack, max(to.Window.To, d.min(d.now))+slack
	}
	if l.State == Door || l.State == Way { // the driver is there, or nearly: what she was told is not waited for
		from.Window.From = min(from.Window.From, d.min(d.now))
	}
	if l.State == Aboard {
		q.Aboard = true
		to.Due, to.Late = to.Window.To, 5
		to.Window = routing.Window{From: 0, To: 48 * 60}
		q.Stops = []routing.Stop{to}
		return q
	}
	q.Stops = []routing.Stop{from, to}
	return q
}
