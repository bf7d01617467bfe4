package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/transport"
)

// drivePage is a driver's day on her telephone: the next stop large, with what she can mark; then the others.
type drivePage struct {
	*page
	Stops []driveStop
	Cars  []option // her vehicles, by id
}

type driveStop struct {
	Ride, Dir  string
	Time, Say  string
	At         string
	Need       string // wheelchair, people who come along
	Navigate   string // geo: address, which a telephone's own map opens
	Acts, Less []transport.Act
	Break      bool
}

func (s *Server) driveRoutes(mux *http.ServeMux) {
	mux.Handle("GET /drive", s.signed(s.drive))
	mux.Handle("POST /drive/rides/{ride}/{dir}/{act}", s.signed(s.driveMark))
	mux.Handle("POST /drive/vehicles/{vehicle}/down", s.signed(s.driveDown))
}

func (s *Server) drive(w http.ResponseWriter, r *http.Request, p *page) error {
	p.note(r)
	return s.showDrive(w, r, p, http.StatusOK)
}

func (s *Server) showDrive(w http.ResponseWriter, r *http.Request, p *page, status int) error {
	if p.Viewer.Role != person.Driver {
		return fault.Deniedf("This page is for drivers.")
	}
	p.Title, p.Active = "drive.title", "nav.drive"
	m := drivePage{page: p}
	if err := s.DB.Write(r.Context(), func(tx *store.Tx) error { m.Stops, m.Cars = nil, nil; return s.loadDrive(tx, &m) }); err != nil {
		return err
	}
	return s.show(w, r, status, p, driveView(m))
}

// loadDrive reads the driver's stops. A name and an address are a look at a person: it is written down.
func (s *Server) loadDrive(tx *store.Tx, m *drivePage) error {
	list, err := s.Transport.Drives(tx, m.Viewer, clock.DayOf(m.Now, m.Zone))
	if err != nil {
		return err
	}
	names := s.names(tx, m.page)
	seen := map[person.ID]bool{}
	for _, d := range list {
		m.Cars = append(m.Cars, option{string(d.Vehicle.ID), d.Name})
		for _, t := range d.Next() {
			x := driveStop{Time: m.Time(t.Begin), Break: t.Ride == nil, Say: m.T("drive.break")}
			if t.Ride != nil {
				who, err := names.get(t.Ride.Patient)
				if err != nil {
					return err
				}
				if !seen[who.ID] {
					seen[who.ID] = true
					if err := s.Person.Audit(tx, m.Viewer, who.ID, string(person.See), "drive"); err != nil {
						return err
					}
				}
				l := t.Leg()
				x.Ride, x.Dir, x.At, x.Need = string(t.Ride.ID), string(t.Dir), t.At.Name, strings.TrimPrefix(m.load(t.Ride), ", ")
				x.Navigate = fmt.Sprintf("geo:%.5f,%.5f", t.At.Lat, t.At.Lon)
				x.Say = m.T("drive.fetch", "called", who.Called)
				if t.Stop == 1 {
					x.Say = m.T("drive.bring", "called", who.Called)
				}
				for _, a := range transport.Acts {
					switch {
					case !l.State.Can(a) || t.Stop == 1 && a != transport.GotOut || t.Stop == 0 && a == transport.GotOut:
					case a == transport.NoShow || a == transport.Cannot:
						x.Less = append(x.Less, a)
					default:
						x.Acts = append(x.Acts, a)
					}
				}
			}
			m.Stops = append(m.Stops, x)
		}
	}
	return nil
}

func (s *Server) driveBack(w http.ResponseWriter, r *http.Request, p *page, err error) error {
	if err != nil {
		return s.again(w, r, p, err, func(status int) error { return s.showDrive(w, r, p, status) })
	}
	return back(w, r, "/drive", "noted")
}

func (s *Server) driveMark(w http.ResponseWriter, r *http.Request, p *page) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, r.PostForm.Get("at")) // when it was tapped, from a telephone that had no signal
	if err != nil {
		at = time.Time{}
	}
	_, err = s.Transport.Mark(r.Context(), p.Viewer, transport.ID(r.PathValue("ride")), transport.Direction(r.PathValue("dir")), transport.Act(r.PathValue("act")), at)
	return s.driveBack(w, r, p, s.afterRide(r.Context(), p, err))
}

// driveDown takes the driver's vehicle off the road for the day.
func (s *Server) driveDown(w http.ResponseWriter, r *http.Request, p *page) error {
	until := clock.At(clock.DayOf(p.Now, p.Zone), clock.WallAt(23, 59), p.Zone)
	err := s.DB.Write(r.Context(), func(tx *store.Tx) error {
		return s.Transport.Breakdown(r.Context(), tx, p.Viewer, transport.VehicleID(r.PathValue("vehicle")), until)
	})
	return s.driveBack(w, r, p, s.afterRide(r.Context(), p, err))
}
