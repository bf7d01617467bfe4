package api

import (
	"context"
	"net/http"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/transport"
)

func (s *server) rideRoutes() {
	post(s, "book-ride", "/rides", "Books a round trip: both ways are one thing. With the same about it is the same ride.", http.StatusCreated, s.bookRide)
	post(s, "offer-rides", "/rides/offers", "A few windows in which somebody could be fetched, cheapest first. Nothing is written.", http.StatusOK, s.offerRides)
	get(s, "patient-rides", "/patients/{id}/rides", "A patient's rides from today on.", s.patientRides)
	post(s, "move-ride", "/rides/{ride}/move", "Gives a ride other times: both ways move, or neither does (409).", http.StatusOK, s.moveRide)
	post(s, "cancel-ride", "/rides/{ride}/cancel", "Gives back both ways, or the way home once she is there.", http.StatusOK, s.cancelRide)
	post(s, "ready-ride", "/rides/{ride}/ready", "She is ready to be driven home. Said twice, it is said once.", http.StatusOK, s.readyRide)
	post(s, "mark-ride", "/rides/{ride}/{way}/{act}", "What a driver marks, or the desk for her. Sent twice, it is done once.", http.StatusOK, s.markRide)
	get(s, "dispatch", "/dispatch", "A day on the road: who has no vehicle first, then each vehicle's stops. Staff only.", s.dispatchDay)
	get(s, "drive", "/drive", "The stops of the driver who asks, today.", s.driveDay)
	get(s, "vehicles", "/vehicles", "The vehicles. Staff only.", s.vehicles)
	post(s, "save-vehicle", "/vehicles", "Makes a vehicle or changes the one with its id. Staff only.", http.StatusOK, s.saveVehicle)
	post(s, "vehicle-down", "/vehicles/{vehicle}/down", "Takes a vehicle off the road until an instant: what it was to drive goes to others. Staff, or its driver.", http.StatusOK, s.vehicleDown)
}

// leg is one way of a ride.
type leg struct {
	State   transport.LegState  `json:"state" enum:"call,open,planned,way,door,aboard,done,own,missed,cancelled"`
	From    string              `json:"from"`
	To      string              `json:"to"`
	Begin   time.Time           `json:"pickup_from,omitzero" doc:"The window that was promised."`
	End     time.Time           `json:"pickup_to,omitzero"`
	Planned time.Time           `json:"planned,omitzero" doc:"The pickup as it is planned now."`
	There   time.Time           `json:"planned_end,omitzero"`
	Vehicle transport.VehicleID `json:"vehicle,omitempty"`
	Vendor  string              `json:"vendor,omitempty" doc:"The outside company that drives it."`
	Late    bool                `json:"late,omitempty"`
	Trouble string              `json:"trouble,omitempty" doc:"Why nobody drives it."`
	Since   time.Time           `json:"trouble_since,omitzero"`
	By      time.Time           `json:"word_by,omitzero" doc:"By when she was told that she hears from us."`
}

type ride struct {
	ID         transport.ID       `json:"id"`
	Patient    person.ID          `json:"patient"`
	Day        string             `json:"day"`
	About      string             `json:"about,omitempty"`
	Place      string             `json:"place"`
	Mobility   transport.Mobility `json:"mobility" enum:"ambulatory,wheelchair"`
	Companions int                `json:"companions"`
	There      time.Time          `json:"there" doc:"To be there by."`
	Ready      time.Time          `json:"ready,omitzero" doc:"To be fetched from there from; left out: she says when."`
	Out        leg                `json:"out"`
	Back       leg                `json:"back"`
}

func legOf(l *transport.Leg) leg {
	x := leg{l.State, l.From.Name, l.To.Name, l.Pickup.From, l.Pickup.To, l.Begin, l.End, l.Vehicle, "", l.Late, l.Trouble.Why, l.Trouble.Since, l.Trouble.By}
	if l.Vendor.Ref != "" {
		x.Vendor = l.Vendor.Name
	}
	return x
}

func rideOf(r *transport.Ride) ride {
	return ride{r.ID, r.Patient, r.Day.String(), r.About, r.Place, r.Mobility, r.Companions, r.There, r.Ready, legOf(&r.Out), legOf(&r.Back)}
}

// rideWant is a round trip that is asked for.
type rideWant struct {
	Patient    person.ID          `json:"patient"`
	Place      string             `json:"place"`
	About      string             `json:"about,omitempty" maxLength:"80" doc:"What it is for; an appointment's id with visit."`
	Visit      bool               `json:"visit,omitempty" doc:"About is an appointment: the ride moves with it."`
	There      time.Time          `json:"there"`
	Ready      time.Time          `json:"ready,omitempty" doc:"Left out: she says when."`
	HomeBy     time.Time          `json:"home_by,omitempty" doc:"A wish."`
	Mobility   transport.Mobility `json:"mobility" enum:"ambulatory,wheelchair"`
	Companions int                `json:"companions,omitempty" minimum:"0" maximum:"3"`
	Needs      []string           `json:"needs,omitempty" maxItems:"8" doc:"Skills of the driver."`
	Fetch      time.Time          `json:"fetch,omitempty" doc:"The beginning of a window that was offered."`
}

func (s *server) wanted(ctx context.Context, c *caller, b rideWant) (transport.Want, error) {
	p, err := s.enter(ctx, c, person.Act, b.Patient, "ride")
	return transport.Want{Org: c.Org, Patient: p.ID, About: b.About, Visit: b.Visit, Place: b.Place, There: b.There, Ready: b.Ready, HomeBy: b.HomeBy, Mobility: b.Mobility, Companions: b.Companions,
		Needs: b.Needs, Fetch: b.Fetch}, err
}

// rideWrite runs a write of one ride, and lets what has no vehicle look for one at once.
func (s *server) rideWrite(ctx context.Context, c *caller, w Write, fn func(tx *store.Tx) (*transport.Ride, error)) (ride, error) {
	out, err := once(ctx, s, c, w, func(tx *store.Tx) (ride, error) {
		r, err := fn(tx)
		if err != nil {
			return ride{}, err
		}
		return rideOf(r), nil
	})
	if err != nil {
		return out, err
	}
	if err := s.Transport.Update(ctx, c.Org); err != nil { // the background looks again
		s.Log.Error("looking for a car failed", "err", err)
	}
	return out, nil
}

func (s *server) bookRide(ctx context.Context, c *caller, in *struct {
	Write
	Body rideWant
}) (ride, error) {
	w, err := s.wanted(ctx, c, in.Body)
	if err != nil {
		return ride{}, err
	}
	return s.rideWrite(ctx, c, in.Write, func(tx *store.Tx) (*transport.Ride, error) { return s.Transport.Book(ctx, tx, c.Viewer, w) })
}

type rideChoice struct {
	From    time.Time           `json:"from"`
	To      time.Time           `json:"to"`
	Vehicle transport.VehicleID `json:"vehicle"`
	Cost    float64             `json:"cost" doc:"What it adds to the day's driving."`
}

type rideChoices struct {
	Items []rideChoice `json:"items"`
}

func (s *server) offerRides(ctx context.Context, c *caller, in *struct {
	Write
	Body rideWant
}) (out rideChoices, err error) {
	out.Items = []rideChoice{}
	w, err := s.wanted(ctx, c, in.Body)
	if err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		list, err := s.Transport.Offers(ctx, tx, c.Viewer, w, 6)
		for _, x := range list {
			out.Items = append(out.Items, rideChoice{x.Pickup.From, x.Pickup.To, x.Vehicle, x.Cost})
		}
		return err
	})
	return out, err
}

type rideList struct {
	Items []ride `json:"items"`
}

func (s *server) patientRides(ctx context.Context, c *caller, in *struct {
	ID person.ID `path:"id"`
}) (out rideList, err error) {
	out.Items = []ride{}
	p, err := s.enter(ctx, c, person.See, in.ID, "rides")
	if err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		list, err := s.Transport.Of(tx, c.Org, p.ID, clock.DayOf(s.Clock.Now(), p.Location()))
		for _, r := range list {
			out.Items = append(out.Items, rideOf(r))
		}
		return err
	})
	return out, err
}

// mine answers a ride after the look at its patient is written down.
func (s *server) mine(ctx context.Context, c *caller, id transport.ID) error {
	var r *transport.Ride
	if err := s.DB.Read(ctx, func(tx *store.Tx) (err error) { r, err = s.Transport.Get(tx, c.Org, id); return err }); err != nil {
		return err
	}
	_, err := s.enter(ctx, c, person.Act, r.Patient, "ride")
	return err
}

func (s *server) moveRide(ctx context.Context, c *caller, in *struct {
	ID transport.ID `path:"ride"`
	Write
	Body struct {
		There time.Time `json:"there"`
		Ready time.Time `json:"ready,omitempty"`
	}
}) (ride, error) {
	if err := s.mine(ctx, c, in.ID); err != nil {
		return ride{}, err
	}
	return s.rideWrite(ctx, c, in.Write, func(tx *store.Tx) (*transport.Ride, error) {
		return s.Transport.Move(ctx, tx, c.Viewer, c.Org, in.ID, in.Body.There, in.Body.Ready)
	})
}

// rideAct names a ride.
type rideAct struct {
	ID transport.ID `path:"ride"`
	Write
}

func (s *server) cancelRide(ctx context.Context, c *caller, in *rideAct) (ride, error) {
	if err := s.mine(ctx, c, in.ID); err != nil {
		return ride{}, err
	}
	return s.rideWrite(ctx, c, in.Write, func(tx *store.Tx) (*transport.Ride, error) { return s.Transport.Cancel(tx, c.Viewer, c.Org, in.ID) })
}

func (s *server) readyRide(ctx context.Context, c *caller, in *rideAct) (ride, error) {
	if err := s.mine(ctx, c, in.ID); err != nil {
		return ride{}, err
	}
	return s.rideWrite(ctx, c, in.Write, func(tx *store.Tx) (*transport.Ride, error) {
		return s.Transport.Ready(ctx, tx, c.Viewer, c.Org, in.ID)
	})
}

func (s *server) markRide(ctx context.Context, c *caller, in *struct {
	ID  transport.ID        `path:"ride"`
	Way transport.Direction `path:"way" enum:"out,back"`
	Act transport.Act       `path:"act" enum:"way,door,aboard,done,noshow,cannot,own"`
	Write
	Body struct {
		At time.Time `json:"at,omitempty" doc:"When it happened; a telephone without a signal may send it up to 12 hours later."`
	}
}) (ride, error) {
	if !c.Role.Staff() && c.Role != person.Driver {
		return ride{}, fault.Deniedf("This is for the staff of the clinic.")
	}
	return s.rideWrite(ctx, c, in.Write, func(tx *store.Tx) (*transport.Ride, error) {
		return s.Transport.MarkIn(ctx, tx, c.Viewer, in.ID, in.Way, in.Act, in.Body.At)
	})
}

type roadStop struct {
	Ride  transport.ID        `json:"ride,omitempty" doc:"Left out: a break."`
	Way   transport.Direction `json:"way,omitempty"`
	Stop  string              `json:"stop" enum:"pickup,dropoff,break"`
	At    string              `json:"at,omitempty"`
	Begin time.Time           `json:"begin"`
	End   time.Time           `json:"end"`
	Over  bool                `json:"over"`
	Late  bool                `json:"late"`
}

type roadVehicle struct {
	Vehicle transport.VehicleID `json:"vehicle"`
	Name    string              `json:"name"`
	Stops   []roadStop          `json:"stops"`
}

func stopsOf(list []transport.Task) []roadStop {
	out := []roadStop{}
	for _, t := range list {
		x := roadStop{Stop: "break", Begin: t.Begin, End: t.End, Over: t.Over, Late: t.Late}
		if t.Ride != nil {
			x.Ride, x.Way, x.At, x.Stop = t.Ride.ID, t.Dir, t.At.Name, "pickup"
			if t.Stop == 1 {
				x.Stop = "dropoff"
			}
		}
		out = append(out, x)
	}
	return out
}

type roadDay struct {
	Day         string        `json:"day"`
	Open        []ride        `json:"open" doc:"Rides of which a way has no vehicle."`
	Rides       []ride        `json:"rides"`
	Vehicles    []roadVehicle `json:"vehicles"`
	Hidden      int           `json:"hidden" doc:"Rides of people of other teams."`
	VendorSince time.Time     `json:"vendor_down_since,omitzero"`
}

func (s *server) dispatchDay(ctx context.Context, c *caller, in *struct {
	Day string `query:"day" doc:"A date; left out: today by the clinic's clock."`
}) (out roadDay, err error) {
	if err := staffOnly(c); err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		day, err := s.today(tx, c)
		if err == nil && in.Day != "" {
			if day, err = clock.ParseDay(in.Day); err != nil {
				err = fault.Invalidf("Please name a day.")
			}
		}
		if err != nil {
			return err
		}
		b, err := s.Transport.Board(tx, c.Viewer, day)
		out = roadDay{Day: day.String(), Open: []ride{}, Rides: []ride{}, Vehicles: []roadVehicle{}, Hidden: b.Hidden, VendorSince: b.VendorSince}
		for _, r := range b.Rides {
			out.Rides = append(out.Rides, rideOf(r))
			if r.Out.State == transport.Open || r.Back.State == transport.Open {
				out.Open = append(out.Open, rideOf(r))
			}
		}
		for _, v := range b.Columns {
			out.Vehicles = append(out.Vehicles, roadVehicle{v.Vehicle.ID, v.Name, stopsOf(v.Tasks)})
		}
		return err
	})
	return out, err
}

// today answers the day by the clinic's clock.
func (s *server) today(tx *store.Tx, c *caller) (clock.Day, error) {
	o, err := s.Person.Org(tx, c.Org)
	if err != nil {
		return clock.Day{}, err
	}
	zone, err := clock.Zone(o.Zone)
	if err != nil {
		return clock.Day{}, err
	}
	return clock.DayOf(s.Clock.Now(), zone), nil
}

type driveDay struct {
	Items []roadVehicle `json:"items"`
}

func (s *server) driveDay(ctx context.Context, c *caller, _ *struct{}) (out driveDay, err error) {
	out.Items = []roadVehicle{}
	err = s.DB.Write(ctx, func(tx *store.Tx) error { // an address is a look at a person: it is written down
		out.Items = []roadVehicle{}
		day, err := s.today(tx, c)
		if err != nil {
			return err
		}
		list, err := s.Transport.Drives(tx, c.Viewer, day)
		if err != nil {
			return err
		}
		seen := map[person.ID]bool{}
		for _, d := range list {
			next := d.Next()
			for _, t := range next {
				if t.Ride == nil || seen[t.Ride.Patient] {
					continue
				}
				seen[t.Ride.Patient] = true
				if err := s.Person.Audit(tx, c.Viewer, t.Ride.Patient, string(person.See), "drive"); err != nil {
					return err
				}
			}
			out.Items = append(out.Items, roadVehicle{d.Vehicle.ID, d.Name, stopsOf(next)})
		}
		return nil
	})
	return out, err
}

type vehicle struct {
	ID          transport.VehicleID `json:"id,omitempty" maxLength:"60"`
	Name        string              `json:"name"`
	Seats       int                 `json:"seats"`
	Wheelchairs int                 `json:"wheelchairs,omitempty"`
	Ramp        bool                `json:"ramp,omitempty"`
	Lift        bool                `json:"lift,omitempty"`
	Skills      []string            `json:"skills,omitempty"`
	Depot       string              `json:"depot" doc:"A place."`
	Weekdays    []int               `json:"weekdays" doc:"1 Monday to 7 Sunday."`
	From        string              `json:"from" doc:"Of the shift, hh:mm."`
	To          string              `json:"to"`
	Driver      person.ID           `json:"driver,omitempty"`
	BreakFrom   string              `json:"break_from,omitempty" doc:"A break begins from here…"`
	BreakTo     string              `json:"break_to,omitempty" doc:"…until here."`
	BreakMin    int                 `json:"break_minutes,omitempty"`
	Active      bool                `json:"active"`
	Down        time.Time           `json:"down_until,omitempty"`
}

func vehicleOf(v transport.Vehicle) vehicle {
	x := vehicle{ID: v.ID, Name: v.Name, Seats: v.Seats, Wheelchairs: v.Wheelchairs, Ramp: v.Ramp, Lift: v.Lift, Skills: v.Skills, Depot: v.Depot, Weekdays: v.Weekdays, From: v.From.String(), To: v.To.String(),
		Driver: v.Driver, Active: v.Active, Down: v.Down}
	if v.Pause != nil {
		x.BreakFrom, x.BreakTo, x.BreakMin = v.Pause.From.String(), v.Pause.To.String(), v.Pause.Minutes
	}
	return x
}

func (x vehicle) read(org person.OrgID) (transport.Vehicle, error) {
	v := transport.Vehicle{Org: org, ID: x.ID, Name: x.Name, Seats: x.Seats, Wheelchairs: x.Wheelchairs, Ramp: x.Ramp, Lift: x.Lift, Skills: x.Skills, Depot: x.Depot, Weekdays: x.Weekdays, Driver: x.Driver,
		Active: x.Active, Down: x.Down}
	var err error
	wall := func(name, text string) clock.Wall {
		w, bad := clock.ParseWall(text)
		if bad != nil && err == nil {
			err = fault.Invalidf("%s: %q is no time of day (hh:mm).", name, text)
		}
		return w
	}
	v.From, v.To = wall("from", x.From), wall("to", x.To)
	if x.BreakMin != 0 {
		v.Pause = &transport.Pause{From: wall("break_from", x.BreakFrom), To: wall("break_to", x.BreakTo), Minutes: x.BreakMin}
	}
	return v, err
}

type vehicleList struct {
	Items []vehicle `json:"items"`
}

func (s *server) vehicles(ctx context.Context, c *caller, _ *struct{}) (out vehicleList, err error) {
	out.Items = []vehicle{}
	if err := staffOnly(c); err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		list, err := s.Transport.Vehicles(tx, c.Org)
		for _, v := range list {
			out.Items = append(out.Items, vehicleOf(v))
		}
		return err
	})
	return out, err
}

func (s *server) saveVehicle(ctx context.Context, c *caller, in *struct {
	Write
	Body vehicle
}) (vehicle, error) {
	if err := staffOnly(c); err != nil {
		return vehicle{}, err
	}
	v, err := in.Body.read(c.Org)
	if err != nil {
		return vehicle{}, err
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (vehicle, error) {
		v, err := s.Transport.SaveVehicle(tx, v)
		return vehicleOf(v), err
	})
}

// downUntil is a vehicle that is off the road.
type downUntil struct {
	Vehicle transport.VehicleID `json:"vehicle"`
	Until   time.Time           `json:"until"`
}

func (s *server) vehicleDown(ctx context.Context, c *caller, in *struct {
	ID transport.VehicleID `path:"vehicle"`
	Write
	Body struct {
		Until time.Time `json:"until" doc:"One that has passed puts it back on the road."`
	}
}) (out downUntil, err error) {
	out, err = once(ctx, s, c, in.Write, func(tx *store.Tx) (downUntil, error) {
		return downUntil{in.ID, in.Body.Until}, s.Transport.Breakdown(ctx, tx, c.Viewer, in.ID, in.Body.Until)
	})
	if err != nil {
		return out, err
	}
	if err := s.Transport.Update(ctx, c.Org); err != nil {
		s.Log.Error("looking for a car failed", "err", err)
	}
	return out, nil
}
