package api

import (
	"context"
	"net/http"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

func (s *server) appointmentRoutes() {
	get(s, "visit-types", "/visit-types", "The types of visits that can be booked.", s.visitTypes)
	post(s, "save-visit-type", "/visit-types", "Makes a type of visit or changes the one with its id. Staff only.", http.StatusOK, s.saveVisitType)
	get(s, "resources", "/resources", "Clinicians, rooms, devices, interpreters and drivers, with their hours. Staff only.", s.resources)
	post(s, "save-resource", "/resources", "Makes a resource or changes the one with its id. Staff only.", http.StatusOK, s.saveResource)
	get(s, "slots", "/slots", "Every time at which a person can be seen, soonest first, over all ways, people and places.", s.slots)
	get(s, "appointments", "/appointments", "The visits of one's patients that begin in a span. Staff only.", s.appointments)
	get(s, "patient-appointments", "/patients/{id}/appointments", "A patient's visits, in order of their start.", s.patientAppointments)
	post(s, "book", "/patients/{id}/appointments", "Books a time, or keeps it for a few minutes. 409 when somebody was faster.", http.StatusCreated, s.book)
	post(s, "change-appointment", "/appointments/{id}/{act}", "take a kept time, confirm, cancel; staff: approve, refuse, missed. Done twice, it is done once.", http.StatusOK, s.changeAppointment)
	post(s, "group-move", "/resources/{id}/moves", "Finds new times for all visits that a resource cannot hold in a span, and tells each person. Staff only.", http.StatusOK, s.groupMove)
	post(s, "reopen", "/resources/{id}/reopen", "Opens a span again that a group move closed. The visits that were moved stay. Staff of the team only.", http.StatusOK, s.reopen)
	get(s, "closings", "/resources/{id}/closings", "The spans closed by group moves that are not over. Staff only.", s.closings)
	get(s, "waitlist", "/patients/{id}/waitlist", "A patient's places on waitlists, and what is offered to her now.", s.waitlist)
	post(s, "join-waitlist", "/patients/{id}/waitlist", "Puts a patient on the waitlist for a type of visit; asked again, her place is kept.", http.StatusCreated, s.joinWaitlist)
	post(s, "leave-waitlist", "/patients/{id}/waitlist/{entry}/leave", "Takes a patient off a waitlist.", http.StatusOK, s.leaveWaitlist)
	post(s, "answer-offer", "/patients/{id}/offers/{offer}", "Says yes or no to a time that was freed. 409 when somebody was faster: the place is kept.", http.StatusOK, s.answerOffer)
}

// visitType is a kind of visit.
type visitType struct {
	ID      string              `json:"id" minLength:"1" maxLength:"60"`
	Name    map[string]string   `json:"name" doc:"By language: en is needed."`
	Offers  []appointment.Offer `json:"offers" doc:"The ways in which it is held (message, phone, video, home, clinic), with minutes, buffers and the kinds of resource that it needs."`
	Lead    int                 `json:"lead_minutes"`
	Horizon int                 `json:"horizon_days"`
	Grid    int                 `json:"grid_minutes" doc:"Starts lie on the clock's multiples of this; a multiple of 5."`
	Staff   bool                `json:"staff,omitempty" doc:"Booked by staff only."`
	Approve bool                `json:"approve,omitempty" doc:"A patient's booking is a request until staff say yes."`
	Confirm int                 `json:"confirm_hours,omitempty" doc:"How long before it the person is asked whether she comes; 0: never."`
	Active  bool                `json:"active"`
}

type resource struct {
	ID        string                  `json:"id" minLength:"1" maxLength:"60"`
	Kind      appointment.Kind        `json:"kind" enum:"clinician,room,device,interpreter,driver"`
	Name      string                  `json:"name"`
	Person    person.ID               `json:"person,omitempty" doc:"Of the staff."`
	Hours     []appointment.HoursText `json:"hours"`
	Types     []string                `json:"types,omitempty" doc:"Of visits; all when left out."`
	Languages []string                `json:"languages,omitempty"`
	BusyFeed  string                  `json:"busy_feed,omitempty" doc:"Address of the person's own calendar (iCalendar), read for busy times."`
	Active    bool                    `json:"active"`
}

type slotChoice struct {
	Type      string          `json:"type"`
	Way       appointment.Way `json:"way"`
	Place     string          `json:"place,omitempty"`
	Start     time.Time       `json:"start"`
	End       time.Time       `json:"end"`
	With      string          `json:"with,omitempty"`
	Beside    bool            `json:"beside,omitempty" doc:"Another visit stands at that time and may be missed: who comes may wait a little."`
	Others    int             `json:"others,omitempty" doc:"How many other clinicians could, too."`
	Resources []string        `json:"resources" doc:"To be named when it is booked."`
	Travel    *int            `json:"travel_minutes,omitempty" doc:"There and back, where both ends are known; 0 where the person stays at home."`
}

// visit is an appointment.
type visit struct {
	ID        appointment.ID    `json:"id"`
	Patient   person.ID         `json:"patient"`
	Type      string            `json:"type"`
	Way       appointment.Way   `json:"way"`
	Place     string            `json:"place,omitempty"`
	Start     time.Time         `json:"start"`
	End       time.Time         `json:"end"`
	State     appointment.State `json:"state" enum:"held,proposed,booked,arrived,fulfilled,cancelled,noshow"`
	Reason    string            `json:"reason,omitempty"`
	Words     string            `json:"words,omitempty"`
	Asked     time.Time         `json:"asked" doc:"When the person first asked to be seen."`
	HoldUntil time.Time         `json:"hold_until,omitzero"`
	Confirmed time.Time         `json:"confirmed,omitzero"`
	Promise   string            `json:"promise,omitempty"`
	Follows   appointment.ID    `json:"follows,omitempty"`
	Resources []string          `json:"resources"`
}

func visitOf(a appointment.Appointment) visit {
	zone := a.Location()
	return visit{a.ID, a.Patient, a.Type, a.Way, a.Place, local(a.Start, zone), local(a.End, zone), a.State, a.Reason, a.Words, local(a.Asked, zone), local(a.HoldUntil, zone),
		local(a.Confirmed, zone), a.Promise, a.Follows, a.Resources}
}

func (s *server) visitTypes(ctx context.Context, c *caller, in *struct{ Part }) (list[visitType], error) {
	var all []appointment.Type
	if err := s.DB.Read(ctx, func(tx *store.Tx) (err error) { all, err = s.Appointment.Types(tx, c.Org); return err }); err != nil {
		return list[visitType]{}, err
	}
	shown := all[:0]
	for _, t := range all {
		if c.Role.Staff() || t.Active && !t.Staff {
			shown = append(shown, t)
		}
	}
	return cut(shown, in.Part, func(t appointment.Type) string { return t.ID }, func(t appointment.Type) (visitType, error) {
		return visitType{t.ID, t.Name, t.Offers, t.Lead, t.Horizon, t.Grid, t.Staff, t.Approve, t.Confirm, t.Active}, nil
	})
}

func (s *server) saveVisitType(ctx context.Context, c *caller, in *struct {
	Write
	Body visitType
}) (visitType, error) {
	if err := staffOnly(c); err != nil {
		return visitType{}, err
	}
	b := in.Body
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (visitType, error) {
		return b, s.Appointment.SaveType(tx, appointment.Type{Org: c.Org, ID: b.ID, Name: b.Name, Offers: b.Offers, Lead: b.Lead, Horizon: b.Horizon, Grid: b.Grid, Staff: b.Staff,
			Approve: b.Approve, Confirm: b.Confirm, Active: b.Active})
	})
}

func (s *server) resources(ctx context.Context, c *caller, in *struct{ Part }) (list[resource], error) {
	if err := staffOnly(c); err != nil {
		return list[resource]{}, err
	}
	var all []appointment.Resource
	if err := s.DB.Read(ctx, func(tx *store.Tx) (err error) { all, err = s.Appointment.Resources(tx, c.Org); return err }); err != nil {
		return list[resource]{}, err
	}
	return cut(all, in.Part, func(r appointment.Resource) string { return r.ID }, func(r appointment.Resource) (resource, error) {
		out := resource{ID: r.ID, Kind: r.Kind, Name: r.Name, Person: r.Person, Types: r.Types, Languages: r.Languages, BusyFeed: r.BusyFeed, Active: r.Active}
		for _, h := range r.Hours {
			t, err := h.Text()
			if err != nil {
				return out, err
			}
			out.Hours = append(out.Hours, t)
		}
		return out, nil
	})
}

func (s *server) saveResource(ctx context.Context, c *caller, in *struct {
	Write
	Body resource
}) (resource, error) {
	if err := staffOnly(c); err != nil {
		return resource{}, err
	}
	b := in.Body
	r := appointment.Resource{Org: c.Org, ID: b.ID, Kind: b.Kind, Name: b.Name, Person: b.Person, Types: b.Types, Languages: b.Languages, BusyFeed: b.BusyFeed, Active: b.Active}
	for _, t := range b.Hours {
		h, err := t.Hours()
		if err != nil {
			return resource{}, err
		}
		r.Hours = append(r.Hours, h)
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (resource, error) { return b, s.Appointment.SaveResource(tx, r) })
}

type slotsInput struct {
	Type      string            `query:"type" required:"true"`
	Patient   person.ID         `query:"patient" doc:"Whose way is counted, and whose own clinicians come first."`
	Ways      []appointment.Way `query:"way" doc:"All when left out."`
	Place     string            `query:"place"`
	Clinician string            `query:"clinician" doc:"A resource."`
	Interpret string            `query:"interpret" doc:"A language: an interpreter comes along unless the clinician speaks it."`
	From      time.Time         `query:"from"`
	To        time.Time         `query:"to"`
	Limit     int               `query:"limit" minimum:"1" maximum:"10000" default:"1000"`
	Cursor    time.Time         `query:"cursor" doc:"The next of the answer before: the search goes on there."`
}

func (s *server) slots(ctx context.Context, c *caller, in *slotsInput) (list[slotChoice], error) {
	if in.Patient != "" {
		if _, err := s.enter(ctx, c, person.See, in.Patient, "find a visit"); err != nil {
			return list[slotChoice]{}, err
		}
	}
	if !in.Cursor.IsZero() {
		in.From = in.Cursor
	}
	found, err := s.Appointment.Find(ctx, appointment.Search{Org: c.Org, Patient: in.Patient, Type: in.Type, Ways: in.Ways, Place: in.Place, Clinician: in.Clinician, Interpret: in.Interpret,
		From: in.From, To: in.To, Limit: in.Limit, Staff: c.Role.Staff()})
	if err != nil {
		return list[slotChoice]{}, err
	}
	out := list[slotChoice]{Items: make([]slotChoice, 0, len(found.Options))}
	for _, o := range found.Options {
		zone := appointment.Appointment{Zone: o.Zone}.Location()
		x := slotChoice{Type: o.Type, Way: o.Way, Place: o.Place, Start: local(o.Start, zone), End: local(o.End, zone), With: o.With, Others: o.Others, Beside: o.Beside, Resources: o.Resources}
		if o.Known {
			x.Travel = &o.Travel
		}
		out.Items = append(out.Items, x)
	}
	if !found.More.IsZero() {
		out.Next = found.More.UTC().Format(time.RFC3339)
	}
	return out, nil
}

type appointmentsInput struct {
	From time.Time `query:"from" required:"true"`
	To   time.Time `query:"to" required:"true"`
	Part
}

func (s *server) appointments(ctx context.Context, c *caller, in *appointmentsInput) (list[visit], error) {
	if err := staffOnly(c); err != nil {
		return list[visit]{}, err
	}
	var all []appointment.Appointment
	err := s.DB.Read(ctx, func(tx *store.Tx) (err error) {
		all, err = s.Appointment.Between(tx, c.Viewer, in.From, in.To)
		return err
	})
	if err != nil {
		return list[visit]{}, err
	}
	return cut(all, in.Part, func(a appointment.Appointment) string { return a.Start.UTC().Format(time.RFC3339) + string(a.ID) }, func(a appointment.Appointment) (visit, error) { return visitOf(a), nil })
}

func (s *server) patientAppointments(ctx context.Context, c *caller, in *struct {
	ID person.ID `path:"id"`
	Part
}) (list[visit], error) {
	p, err := s.enter(ctx, c, person.See, in.ID, "visits")
	if err != nil {
		return list[visit]{}, err
	}
	var all []appointment.Appointment
	if err := s.DB.Read(ctx, func(tx *store.Tx) (err error) { all, err = s.Appointment.Of(tx, c.Org, p.ID); return err }); err != nil {
		return list[visit]{}, err
	}
	return cut(all, in.Part, func(a appointment.Appointment) string { return a.Start.UTC().Format(time.RFC3339) + string(a.ID) }, func(a appointment.Appointment) (visit, error) { return visitOf(a), nil })
}

type bookInput struct {
	ID person.ID `path:"id"`
	Write
	Body struct {
		Type      string          `json:"type"`
		Way       appointment.Way `json:"way" enum:"message,phone,video,home,clinic"`
		Place     string          `json:"place,omitempty"`
		Start     time.Time       `json:"start"`
		Resources []string        `json:"resources" minItems:"1" maxItems:"10"`
		Words     string          `json:"words,omitempty" maxLength:"2000" doc:"What the person needs."`
		Asked     time.Time       `json:"asked,omitempty" doc:"When she first asked; now when left out."`
		Hold      bool            `json:"hold,omitempty" doc:"Keep the time for a few minutes; it is booked when it is taken."`
		Outside   bool            `json:"outside,omitempty" doc:"Staff: outside the hours. Never over another visit."`
		Follows   appointment.ID  `json:"follows,omitempty" doc:"A visit of hers that this one takes the place of."`
	}
}

func (s *server) book(ctx context.Context, c *caller, in *bookInput) (visit, error) {
	p, err := s.enter(ctx, c, person.Act, in.ID, "book a visit")
	if err != nil {
		return visit{}, err
	}
	b := in.Body
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (visit, error) {
		a, err := s.Appointment.BookIn(tx, c.Viewer, appointment.Request{Org: c.Org, Patient: p.ID, Type: b.Type, Way: b.Way, Place: b.Place, Start: b.Start, Resources: b.Resources,
			Words: b.Words, Asked: b.Asked, Hold: b.Hold, Outside: b.Outside, Follows: b.Follows})
		return visitOf(a), err
	})
}

func (s *server) changeAppointment(ctx context.Context, c *caller, in *struct {
	ID  appointment.ID `path:"id"`
	Act string         `path:"act" enum:"take,confirm,cancel,approve,refuse,missed"`
	Key string         `header:"Idempotency-Key" maxLength:"255" doc:"Not needed: done twice, it is done once."`
}) (visit, error) {
	var a appointment.Appointment
	err := fault.NotFoundf("There is no such action.")
	switch in.Act {
	case "take":
		a, err = s.Appointment.Take(ctx, c.Viewer, c.Org, in.ID)
	case "confirm":
		a, err = s.Appointment.Confirm(ctx, c.Viewer, c.Org, in.ID)
	case "cancel":
		a, err = s.Appointment.Cancel(ctx, c.Viewer, c.Org, in.ID)
	case "approve":
		a, err = s.Appointment.Approve(ctx, c.Viewer, c.Org, in.ID)
	case "refuse":
		a, err = s.Appointment.Refuse(ctx, c.Viewer, c.Org, in.ID)
	case "missed":
		a, err = s.Appointment.Missed(ctx, c.Viewer, c.Org, in.ID)
	}
	return visitOf(a), err
}

type movedVisit struct {
	Old visit  `json:"old"`
	New *visit `json:"new,omitempty" doc:"Absent when nothing was free: the person waits first in line, and the desk has a task."`
}

func (s *server) groupMove(ctx context.Context, c *caller, in *struct {
	ID string `path:"id"`
	Write
	Body struct {
		From time.Time `json:"from"`
		To   time.Time `json:"to"`
	}
}) (list[movedVisit], error) {
	moved, err := s.Appointment.GroupMove(ctx, c.Viewer, c.Org, in.ID, in.Body.From, in.Body.To)
	out := list[movedVisit]{Items: []movedVisit{}}
	for _, m := range moved {
		x := movedVisit{Old: visitOf(m.Old)}
		if m.New.ID != "" {
			n := visitOf(m.New)
			x.New = &n
		}
		out.Items = append(out.Items, x)
	}
	return out, err
}

type waiting struct {
	ID     string                 `json:"id"`
	Type   string                 `json:"type"`
	State  appointment.EntryState `json:"state" enum:"waiting,filled,left"`
	Asked  time.Time              `json:"asked"`
	Ways   []appointment.Way      `json:"ways,omitempty"`
	Notice int                    `json:"notice_minutes"`
	Has    appointment.ID         `json:"has,omitempty" doc:"A later visit that is given back when an earlier time is taken."`
	Offers []offered              `json:"offers,omitempty"`
}

type offered struct {
	ID    string          `json:"id"`
	Way   appointment.Way `json:"way"`
	Place string          `json:"place,omitempty"`
	Start time.Time       `json:"start"`
	Until time.Time       `json:"until"`
}

func (s *server) waitlist(ctx context.Context, c *caller, in *struct {
	ID person.ID `path:"id"`
	Part
}) (list[waiting], error) {
	p, err := s.enter(ctx, c, person.See, in.ID, "waitlist")
	if err != nil {
		return list[waiting]{}, err
	}
	var all []appointment.Entry
	open := map[string][]offered{}
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		if all, err = s.Appointment.WaitsOf(tx, c.Org, p.ID); err != nil {
			return err
		}
		rows, err := s.Appointment.OffersOf(tx, c.Org, p.ID)
		for _, o := range rows {
			_, f, err := s.Appointment.OfferByID(tx, c.Org, o.ID)
			if err != nil {
				return err
			}
			open[o.Entry] = append(open[o.Entry], offered{o.ID, f.Way, f.Place, local(f.Start, p.Location()), local(o.Until, p.Location())})
		}
		return err
	})
	if err != nil {
		return list[waiting]{}, err
	}
	return cut(all, in.Part, func(e appointment.Entry) string { return e.ID }, func(e appointment.Entry) (waiting, error) {
		x := waitingOf(e, p)
		x.Offers = open[e.ID]
		return x, nil
	})
}

func waitingOf(e appointment.Entry, p person.Person) waiting {
	return waiting{ID: e.ID, Type: e.Type, State: e.State, Asked: local(e.Asked, p.Location()), Ways: e.Ways, Notice: e.Notice, Has: e.Has}
}

func (s *server) joinWaitlist(ctx context.Context, c *caller, in *struct {
	ID person.ID `path:"id"`
	Write
	Body struct {
		Type      string            `json:"type"`
		Ways      []appointment.Way `json:"ways,omitempty"`
		Places    []string          `json:"places,omitempty"`
		Clinician string            `json:"clinician,omitempty"`
		Notice    int               `json:"notice_minutes,omitempty" doc:"She needs so long to get ready and to come."`
		Days      []int             `json:"days,omitempty" doc:"1 Monday to 7 Sunday."`
		Has       appointment.ID    `json:"has,omitempty"`
	}
}) (waiting, error) {
	p, err := s.enter(ctx, c, person.Act, in.ID, "join the waitlist")
	if err != nil {
		return waiting{}, err
	}
	b := in.Body
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (waiting, error) {
		e, err := s.Appointment.JoinIn(tx, appointment.Entry{Org: c.Org, Patient: p.ID, Type: b.Type, Has: b.Has,
			Wish: appointment.Wish{Ways: b.Ways, Places: b.Places, Clinician: b.Clinician, Notice: b.Notice, Days: b.Days}})
		return waitingOf(e, p), err
	})
}

func (s *server) leaveWaitlist(ctx context.Context, c *caller, in *struct {
	ID    person.ID `path:"id"`
	Entry string    `path:"entry"`
}) (struct{}, error) {
	return struct{}{}, s.Appointment.Leave(ctx, c.Viewer, in.ID, in.Entry)
}

func (s *server) answerOffer(ctx context.Context, c *caller, in *struct {
	ID    person.ID `path:"id"`
	Offer string    `path:"offer"`
	Write
	Body struct {
		Yes bool `json:"yes"`
	}
}) (visit, error) {
	a, err := s.Appointment.Answer(ctx, c.Viewer, c.Org, in.ID, in.Offer, in.Body.Yes)
	return visitOf(a), err
}

// closing is a span in which a resource was closed by a group move.
type closing struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

type closingsInput struct {
	ID string `path:"id"`
	Part
}

func (s *server) closings(ctx context.Context, c *caller, in *closingsInput) (list[closing], error) {
	if err := staffOnly(c); err != nil {
		return list[closing]{}, err
	}
	var all []appointment.Closed
	if err := s.DB.Read(ctx, func(tx *store.Tx) error {
		by, err := s.Appointment.Closings(tx, c.Org)
		all = by[in.ID]
		return err
	}); err != nil {
		return list[closing]{}, err
	}
	return cut(all, in.Part, func(x appointment.Closed) string { return timeKey(x.From) }, func(x appointment.Closed) (closing, error) { return closing{x.From, x.Until}, nil })
}

func (s *server) reopen(ctx context.Context, c *caller, in *struct {
	ID string `path:"id"`
	Write
	Body closing
}) (closing, error) {
	if err := staffOnly(c); err != nil {
		return closing{}, err
	}
	return onceApart(ctx, s, c, in.Write, func() (closing, error) {
		return in.Body, s.Appointment.Reopen(ctx, c.Viewer, c.Org, in.ID, in.Body.From, in.Body.To)
	})
}
