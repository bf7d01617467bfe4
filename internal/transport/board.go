package transport

import (
	"cmp"
	"context"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/transport/road"
)

// Task is one stop of a vehicle, or its break.
type Task struct {
	Ride       *Ride // nil: a break
	Dir        Direction
	Stop       int // 0 pickup, 1 the end of the ride
	At         Spot
	Begin, End time.Time // by the plan
	Over       bool      // it has happened
	Late       bool      // past what was promised
}

// Leg answers the leg of a task.
func (t Task) Leg() *Leg { return t.Ride.Leg(t.Dir) }

// Column is a vehicle's day.
type Column struct {
	Vehicle
	Works bool
	Tasks []Task
}

// Loose is a leg that nobody of ours drives: nobody at all, the ride company, or one that waits for a word.
type Loose struct {
	Ride *Ride
	Dir  Direction
}

// Leg answers it.
func (l Loose) Leg() *Leg { return l.Ride.Leg(l.Dir) }

// Board is a day as the dispatcher sees it.
type Board struct {
	Day         clock.Day
	Open        []Loose // first: nobody drives them
	Vendor      []Loose
	Calls       []Loose
	Late        []Task
	Columns     []Column
	VendorName  string
	VendorSince time.Time // the ride company has not answered since
	Hidden      int       // rides of people of other teams
	Rides       []*Ride
}

// Board answers a day. Rides of people whom the viewer may not see are counted and not shown.
func (s *Service) Board(tx *store.Tx, v person.Viewer, on clock.Day) (Board, error) {
	b := Board{Day: on}
	d, err := s.load(tx, v.Org, on, false)
	if err != nil {
		return b, err
	}
	may := map[person.ID]bool{}
	mine, err := s.people.PatientsOf(tx, v)
	if err != nil {
		return b, err
	}
	for _, p := range mine {
		may[p.ID] = true
	}
	for _, r := range d.rides {
		if !may[r.Patient] {
			b.Hidden++
			continue
		}
		b.Rides = append(b.Rides, r)
		for _, dir := range []Direction{Out, Back} {
			l := r.Leg(dir)
			switch {
			case l.State == Open:
				b.Open = append(b.Open, Loose{r, dir})
			case l.State == Call && !r.Out.State.Over(), l.State == Call && r.Out.State != Missed && r.Out.State != Cancelled:
				b.Calls = append(b.Calls, Loose{r, dir})
			case l.Vendor.Ref != "":
				b.Vendor = append(b.Vendor, Loose{r, dir})
			}
		}
	}
	slices.SortStableFunc(b.Open, func(x, y Loose) int { return x.Leg().Pickup.From.Compare(y.Leg().Pickup.From) })
	for _, car := range d.vehicles {
		if !car.Active {
			continue
		}
		c := Column{Vehicle: car, Works: car.Works(on), Tasks: d.tasks(car.ID)}
		c.Tasks = slices.DeleteFunc(c.Tasks, func(t Task) bool { return t.Ride != nil && !may[t.Ride.Patient] })
		for _, t := range c.Tasks {
			if t.Late {
				b.Late = append(b.Late, t)
			}
		}
		b.Columns = append(b.Columns, c)
	}
	b.VendorName, b.VendorSince, err = s.VendorDown(tx, v.Org)
	return b, err
}

// tasks answers a vehicle's day in order of time.
func (d *day) tasks(id VehicleID) (out []Task) {
	for _, x := range d.plan[id] {
		t := Task{Dir: x.Dir, Stop: x.Stop, Begin: d.at(x.Begin), End: d.at(x.End)}
		if x.Ride == "" {
			t.Over = t.End.Before(d.now)
			out = append(out, t)
			continue
		}
		r, l := d.leg(x.key())
		if r == nil || l.Vehicle != id {
			continue
		}
		t.Ride, t.At = r, l.From
		t.Over = l.State == Aboard || l.State == Done || l.State.Over()
		promised := l.Pickup.To
		if x.Stop == 1 {
			t.At, t.Over, promised = l.To, l.State.Over(), l.Dropoff.To
		}
		t.Late = !t.Over && laterOf(t.Begin, d.now).After(promised.Add(time.Minute))
		out = append(out, t)
	}
	slices.SortStableFunc(out, func(a, b Task) int { return cmp.Compare(a.Begin.UnixNano(), b.Begin.UnixNano()) })
	return out
}

// Drive is a driver's day.
type Drive struct {
	Vehicle
	Tasks []Task
}

// Next answers the stops that are still to be, the first first.
func (d Drive) Next() []Task {
	return slices.DeleteFunc(slices.Clone(d.Tasks), func(t Task) bool { return t.Over })
}

// Drives answers what a driver drives on a day: one entry for each vehicle that is hers.
func (s *Service) Drives(tx *store.Tx, v person.Viewer, on clock.Day) ([]Drive, error) {
	d, err := s.load(tx, v.Org, on, false)
	if err != nil {
		return nil, err
	}
	var out []Drive
	for _, car := range d.vehicles {
		if car.Driver == v.Person && car.Active {
			out = append(out, Drive{car, d.tasks(car.ID)})
		}
	}
	return out, nil
}

// Reply takes a numbered answer to a question about a ride: 1, she is ready to be driven home. It answers what to thank with.
func (s *Service) Reply(tx *store.Tx, v person.Viewer, ride ID, number int) (string, map[string]string, error) {
	r, err := s.Get(tx, v.Org, ride)
	if err != nil || number != 1 || r.Back.State != Call {
		return "closed", nil, err
	}
	if r, err = s.Ready(context.Background(), tx, v, v.Org, ride); err != nil {
		return "", nil, err
	}
	if r.Back.State == Open {
		return "thanks.ride.search", map[string]string{"by": rfc(r.Back.Trouble.By)}, nil
	}
	return "thanks.ride.ready", map[string]string{"from": rfc(r.Back.Told.From), "to": rfc(r.Back.Told.To)}, nil
}

// Line answers the way between two points as it is driven: along the streets where there is a map, else straight.
func (s *Service) Line(from, to person.Point) []person.Point {
	if local, ok := s.roads.(*road.Local); ok {
		if g := local.Graph(road.Car); g != nil {
			if p := g.Path(g.Snap(from), g.Snap(to)); p.Known && len(p.Line) > 0 {
				return p.Line
			}
		}
	}
	return []person.Point{from, to}
}
