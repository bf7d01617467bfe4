package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep/internal/api"
	"doorstep/internal/appointment"
	"doorstep/internal/clock"
	"doorstep/internal/conversation"
	"doorstep/internal/device"
	"doorstep/internal/journey"
	"doorstep/internal/medication"
	"doorstep/internal/message"
	"doorstep/internal/message/gateway"
	"doorstep/internal/pathway"
	"doorstep/internal/person"
	"doorstep/internal/programme"
	"doorstep/internal/promise"
	"doorstep/internal/reading"
	"doorstep/internal/reading/breath"
	"doorstep/internal/reading/pull"
	"doorstep/internal/reading/watch"
	"doorstep/internal/record"
	"doorstep/internal/store"
	"doorstep/internal/transport"
	"doorstep/internal/transport/road"
	"doorstep/internal/visit"
	"doorstep/internal/waiting"
	"doorstep/internal/waiting/visits"
)

// Options of New.
type Options struct {
	DB        *store.DB
	Clock     clock.Clock
	IDs       *clock.IDs
	PublicURL string // how people reach this server, without a slash at the end
	Log       *slog.Logger
}

// Server is one server's services, put together.
type Server struct {
	Options
	People        *person.Service
	Promises      *promise.Service
	Messages      *message.Service
	Record        *record.Service
	Medication    *medication.Service
	Readings      *reading.Service
	Watch         *watch.Service
	Breath        *breath.Service
	Pull          *pull.Service
	Conversations *conversation.Service
	Programme     *programme.Service
	Appointments  *appointment.Service
	Waiting       *waiting.Service
	Visits        *visit.Service
	Pathways      *pathway.Service
	Journeys      *journey.Service
	Transport     *transport.Service
	Intake        *device.Intake
	Metrics       *api.Metrics // once there is a Handler

	mu    sync.Mutex
	cue   func(device string, payload []byte) error // set when a broker is there
	push  pushing
	setBy map[person.Channel]person.OrgID // whose settings a gateway is of
	voice atomic.Pointer[gateway.Voice]   // the telephone provider, once one is set
}

// New migrates the database and puts the services on it.
func New(ctx context.Context, o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if err := Migrate(ctx, o.DB); err != nil {
		return nil, err
	}
	s := &Server{Options: o, setBy: map[person.Channel]person.OrgID{}}
	s.People = person.New(o.DB, o.Clock, o.IDs)
	s.Promises = promise.New(o.DB, o.Clock, o.IDs, s.People)
	s.Record = record.New(o.DB, o.Clock, o.IDs)
	var err error
	if s.Messages, err = message.New(ctx, o.DB, o.Clock, o.IDs, s.People, o.PublicURL); err != nil {
		return nil, err
	}
	s.Medication = medication.New(o.DB, o.Clock, o.IDs, s.People, s.Promises, s.Messages)
	s.Readings = reading.New(o.DB, o.Clock, o.IDs)
	s.Watch = watch.New(o.DB, o.Clock, s.People, s.Promises, s.Readings)
	s.Breath = breath.New(o.DB, o.Clock, s.People, s.Readings, s.Record)
	s.Pull = pull.New(o.DB, o.Clock, s.People, s.Promises, s.Readings)
	s.Conversations = conversation.New(o.DB, o.Clock, o.IDs, s.People, s.Messages, s.Promises)
	s.Programme = programme.New(o.Clock, o.IDs, s.People)
	s.Appointments = appointment.New(o.DB, o.Clock, o.IDs, s.People, s.Promises, s.Messages, s.Record)
	s.Appointments.SetCallsBack(s.Conversations)
	s.Waiting = waiting.New(o.DB, o.Clock, o.IDs, s.People, s.Promises, s.Messages, visits.Of{Service: s.Appointments})
	s.Visits = visit.New(o.DB, o.Clock, o.IDs, s.People, s.Promises, s.Record, Visits(s.Appointments, s.Waiting))
	s.Pathways = pathway.New(o.DB, o.Clock, s.People, s.Promises, s.Record)
	s.Transport = transport.New(o.DB, o.Clock, o.IDs, s.People, s.Promises, s.Messages, road.Crow{})
	s.Transport.SetVisits(rideVisits{s.Appointments})
	s.Visits.SetTelephone(s)
	s.Visits.SetEstimator(roomWaits{s})
	s.Journeys = journey.New(o.DB, o.Clock, o.IDs, s.People, s.Promises, s.Messages, s.Appointments)
	s.Journeys.AddSource(refills{s})
	s.Journeys.AddSource(steps{s})
	s.Journeys.AddFollower(interpreters{s})
	s.Journeys.AddFollower(rides{s, s.Journeys.RideByHand()})
	s.Journeys.SetStays(encounters{s})
	s.Appointments.SetWatcher(s.Journeys)
	s.Intake = &device.Intake{Service: s.Readings, Clock: o.Clock, Log: o.Log, Zone: s.deviceZone, Plan: s.cuePlan}

	s.Promises.SetHands(hands{s.Messages})
	s.Promises.SetDefaults(Ladders)
	s.Promises.SetWatcher(conversation.Kind, s.Conversations)
	s.Promises.SetWatcher(conversation.CallBack, s.Conversations)
	s.Promises.SetWatcher(pathway.Kind, s.Pathways)
	s.Messages.SetAnswerer(answerer{s})
	s.Messages.SetDesk(desk{s})
	s.Messages.SetArrivals(s.Waiting)
	s.Messages.SetChannel(person.Cue, cues{s})
	s.Readings.Listen(s.Watch)
	s.Readings.Listen(measured{s})
	s.Readings.Listen(stepped{s})
	s.Readings.ListenPills(pills{s})
	s.Readings.ListenHolders(watch.Lights{People: s.People})
	return s, nil
}

// SetCue says how a cue reaches a device.
func (s *Server) SetCue(cue func(device string, payload []byte) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cue = cue
}

// deviceZone answers the zone in which a device's wall clock stands: its organization's.
func (s *Server) deviceZone(ctx context.Context, d reading.Device) *time.Location {
	zone := time.UTC
	s.DB.Read(ctx, func(tx *store.Tx) error {
		o, err := s.People.Org(tx, person.OrgID(d.Org))
		if err != nil {
			return err
		}
		if z, err := clock.Zone(o.Zone); err == nil {
			zone = z
		}
		return nil
	})
	return zone
}

const (
	planEvery  = 20 * time.Second
	tidyEvery  = 5 * time.Minute
	sweepEvery = 15 * time.Second
)

// Run keeps the server's promises until ctx ends: the ledger, the outbox, planning, silence, tidying. The outbox ends after what
// fills it: what is given to it and not handed over could not be told from what was.
func (s *Server) Run(ctx context.Context) error {
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	var outbox, g errgroup.Group
	outbox.Go(func() error { return s.Messages.Run(sending) })
	g.Go(func() error { s.Promises.Run(ctx); return nil })
	g.Go(func() error { s.every(ctx, planEvery, "planning", s.plan); return nil })
	g.Go(func() error {
		switch n, err := s.Record.Reindex(ctx, false, nil); {
		case err != nil && ctx.Err() == nil:
			s.Log.Error("the record's search index could not be made anew", "err", err)
		case n > 0:
			s.Log.Info("the record's search index was made anew", "resources", n)
		}
		return nil
	})
	g.Go(func() error { s.every(ctx, sweepEvery, "looking for silence", s.sweep); return nil })
	g.Go(func() error {
		s.every(ctx, sweepEvery, "devices that change hands, times that were kept", s.turn)
		return nil
	})
	g.Go(func() error {
		s.every(ctx, sweepEvery, "asking sites for readings", func(ctx context.Context) error { _, err := s.Pull.Ask(ctx); return err })
		return nil
	})
	g.Go(func() error { s.every(ctx, tidyEvery, "tidying readings, sessions and rooms", s.tidy); return nil })
	err := g.Wait()
	stop()
	return errors.Join(err, outbox.Wait())
}

func (s *Server) every(ctx context.Context, d time.Duration, what string, do func(context.Context) error) {
	t := time.NewTicker(d)
	defer t.Stop()
	for {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("a background task failed", "task", what, "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
	}
}

func (s *Server) plan(ctx context.Context) error {
	if err := s.eachOrg(ctx, func(o person.Org) error { _, err := s.Medication.Follow(ctx, s.Record, o.ID); return err }); err != nil {
		return err
	}
	if err := s.eachOrg(ctx, func(o person.Org) error { return s.Pathways.Plan(ctx, o.ID) }); err != nil {
		return err
	}
	if _, err := s.Medication.PlanDue(ctx); err != nil {
		return err
	}
	if _, err := s.Medication.EndDue(ctx); err != nil {
		return err
	}
	if _, err := s.Medication.SendLetters(ctx); err != nil {
		return err
	}
	if _, err := s.Watch.PlanDue(ctx); err != nil {
		return err
	}
	if err := s.eachOrg(ctx, func(o person.Org) error { _, err := s.Journeys.Orders(ctx, s.Record, o.ID); return err }); err != nil {
		return err
	}
	if err := s.eachOrg(ctx, func(o person.Org) error { _, err := s.Journeys.SweepDue(ctx, o); return err }); err != nil {
		return err
	}
	_, err := s.Journeys.PlanDue(ctx)
	return err
}

func (s *Server) sweep(ctx context.Context) error {
	return s.eachOrg(ctx, func(o person.Org) error { _, err := s.Readings.Sweep(ctx, string(o.ID)); return err })
}

func (s *Server) eachOrg(ctx context.Context, do func(person.Org) error) error {
	var orgs []person.Org
	if err := s.DB.Read(ctx, func(tx *store.Tx) (err error) { orgs, err = s.People.Orgs(tx); return err }); err != nil {
		return err
	}
	for _, o := range orgs {
		if err := do(o); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) turn(ctx context.Context) error {
	if _, err := s.Appointments.ExpireHolds(ctx); err != nil {
		return err
	}
	if _, err := s.Appointments.LapseDue(ctx); err != nil {
		return err
	}
	if err := s.Appointments.ReadFeeds(ctx); err != nil {
		return err
	}
	if _, err := s.Appointments.FillDue(ctx); err != nil {
		return err
	}
	if err := s.Appointments.SampleDue(ctx); err != nil {
		return err
	}
	if err := s.eachOrg(ctx, func(o person.Org) error { _, err := s.Waiting.Update(ctx, o.ID); return err }); err != nil {
		return err
	}
	if err := s.eachOrg(ctx, func(o person.Org) error { return s.Transport.Update(ctx, o.ID) }); err != nil {
		return err
	}
	_, err := s.Readings.TurnDue(ctx)
	return err
}

func (s *Server) tidy(ctx context.Context) error {
	if _, err := s.Breath.CloseIdle(ctx); err != nil {
		return err
	}
	if _, err := s.Visits.CloseIdle(ctx); err != nil {
		return err
	}
	_, err := s.Readings.Compact(ctx)
	return err
}

// Step climbs and sends what is due now, once, in a fixed order: with Round, the simulator's way to run a server without
// goroutines. It answers whether there was anything.
func (s *Server) Step(ctx context.Context) (bool, error) {
	climbed, err := s.Promises.Climb(ctx)
	if err != nil {
		return false, err
	}
	sent, err := s.Messages.SendDue(ctx)
	return climbed+sent > 0, err
}

// Round does once what a running server does every few minutes: planning, looking for silence and at devices, tidying.
func (s *Server) Round(ctx context.Context) error {
	if err := s.plan(ctx); err != nil {
		return err
	}
	if err := s.turn(ctx); err != nil {
		return err
	}
	if _, err := s.Pull.Ask(ctx); err != nil {
		return err
	}
	if err := s.sweep(ctx); err != nil {
		return err
	}
	return s.tidy(ctx)
}
