package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/appointment"
	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

const (
	racers     = 1000 // clients who all want one of so many times
	raceSlots  = 100
	rateVisits = 6000 // bookings of which each has its own time
	rateWide   = 64   // clients at once
	raceOrg    = person.OrgID("race")
)

// bookingRace lets 1,000 clients at once book 100 times, on two nodes where the database can be shared: each time is given once and
// every other hears so. Then it counts how many bookings a second are acknowledged durable where nobody is in another's way, each with
// its promise, its message and its line in the audit.
func bookingRace(ctx context.Context, r *Runner, open func() (*store.DB, string, error)) ([]app.Figure, error) {
	db, address, err := open()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	c := &clock.Sim{}
	c.Set(time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC))
	nodes := make([]*app.Server, 1, 2)
	if nodes[0], err = bookingNode(ctx, db, c, 1); err != nil {
		return nil, err
	}
	if db.Engine() == store.Postgres {
		second, err := store.Open(ctx, address, store.Options{})
		if err != nil {
			return nil, err
		}
		defer second.Close()
		other, err := bookingNode(ctx, second, c, 2)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, other)
	}
	patients, err := bookingClinic(ctx, nodes[0])
	if err != nil {
		return nil, err
	}
	var times []appointment.Request // times that exclude each other: a clinician, half an hour
	day := time.Date(2026, 3, 3, 14, 0, 0, 0, time.UTC)
	for i := range raceSlots + rateVisits {
		clinician, n := i%200, i/200
		times = append(times, appointment.Request{Org: raceOrg, Type: "visit", Way: appointment.Video, Start: day.AddDate(0, 0, n/10).Add(time.Duration(n%10) * 30 * time.Minute),
			Resources: []string{fmt.Sprintf("c%03d", clinician)}})
	}
	var won, lost atomic.Int64
	began := time.Now()
	err = together(racers, racers, func(i int) error {
		req := times[i%raceSlots]
		req.Patient = patients[i]
		switch _, err := nodes[i%len(nodes)].Appointments.Book(ctx, person.Viewer{Org: raceOrg, Person: req.Patient, Role: person.Patient}, req); {
		case err == nil:
			won.Add(1)
		case errors.Is(err, appointment.ErrTaken):
			lost.Add(1)
		default:
			return err
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	took := time.Since(began)
	cpu, err := cpuOf(ctx, db)
	if err != nil {
		return nil, err
	}
	began = time.Now()
	err = together(rateVisits, rateWide, func(i int) error {
		req := times[raceSlots+i]
		req.Patient = patients[i%len(patients)]
		_, err := nodes[i%len(nodes)].Appointments.Book(ctx, person.Viewer{Org: raceOrg, Person: req.Patient, Role: person.Patient}, req)
		return err
	})
	if err != nil {
		return nil, err
	}
	rate := rateVisits / time.Since(began).Seconds()
	after, err := cpuOf(ctx, db)
	if err != nil {
		return nil, err
	}
	figures := []app.Figure{{Name: "booking.cpu.process", Value: (after.process - cpu.process).Seconds() * 1e6 / rateVisits, Unit: "µs", N: rateVisits}}
	if db.Engine() == store.Postgres {
		figures = append(figures, app.Figure{Name: "booking.cpu.server", Value: (after.server - cpu.server).Seconds() * 1e6 / rateVisits, Unit: "µs", N: rateVisits})
	}
	return append(figures, []app.Figure{
		{Name: "booking.race.won", Value: float64(won.Load()), Unit: "of 100 times", N: racers}, {Name: "booking.race.told", Value: float64(lost.Load()), Unit: "of 900 others", N: racers},
		{Name: "booking.race.seconds", Value: took.Seconds(), Unit: "s", N: racers}, {Name: "booking.rate", Value: rate, Unit: "1/s", N: rateVisits},
	}...), nil
}

// spent is the CPU time, user and system, of this process and of the database's.
type spent struct{ process, server time.Duration }

// cpuOf answers what has been spent so far. The server's part is that of the backends that are connected, and of its helpers.
func cpuOf(ctx context.Context, db *store.DB) (s spent, err error) {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return s, err
	}
	s.process = time.Duration(use.Utime.Nano() + use.Stime.Nano())
	if db.Engine() != store.Postgres {
		return s, nil
	}
	var pids []int
	if err := db.Read(ctx, func(tx *store.Tx) (err error) {
		pids, err = store.All(tx, "SELECT pid FROM pg_stat_activity", nil, func(scan func(...any) error) (pid int, err error) { return pid, scan(&pid) })
		return err
	}); err != nil {
		return s, err
	}
	const ticks = 100 // a second: USER_HZ, fixed by Linux
	for _, pid := range pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // on another machine, or ended meanwhile
		}
		fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
		for _, i := range []int{11, 12} { // utime and stime, the 14th and 15th of proc(5)
			if len(fields) > i {
				n, _ := strconv.ParseInt(fields[i], 10, 64)
				s.server += time.Duration(n) * time.Second / ticks
			}
		}
	}
	return s, nil
}

// together runs n calls, so many at once, and answers the first error.
func together(n, wide int, do func(i int) error) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, wide)
	for w := range wide {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && errs[w] == nil; i = int(next.Add(1)) - 1 {
				errs[w] = do(i)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func bookingNode(ctx context.Context, db *store.DB, c clock.Clock, seed uint64) (*app.Server, error) {
	s, err := app.New(ctx, app.Options{DB: db, Clock: c, IDs: clock.SeededIDs(c, seed), Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		s.Messages.SetChannel(person.SMS, &message.Counter{})
	}
	return s, err
}

// bookingClinic makes 200 clinicians and 1,000 patients.
func bookingClinic(ctx context.Context, s *app.Server) ([]person.ID, error) {
	var patients []person.ID
	err := s.DB.Write(ctx, func(tx *store.Tx) error {
		patients = patients[:0]
		if err := s.People.SaveOrg(tx, person.Org{ID: raceOrg, Name: "Race", Zone: "America/New_York", Language: "en", Phone: "5550100"}); err != nil {
			return err
		}
		zone, err := clock.Zone("America/New_York")
		if err != nil {
			return err
		}
		for i := range 200 {
			r := appointment.Resource{Org: raceOrg, ID: fmt.Sprintf("c%03d", i), Kind: appointment.Clinician, Name: fmt.Sprint("Clinician ", i), Active: true,
				Hours: []appointment.Hours{{Calendar: slot.Calendar{Zone: zone, Weekly: []slot.Weekly{{Days: []int{1, 2, 3, 4, 5, 6, 7}, Start: clock.WallAt(8, 0), End: clock.WallAt(18, 0)}}}}}}
			if err := s.Appointments.SaveResource(tx, r); err != nil {
				return err
			}
		}
		if err := s.Appointments.SaveType(tx, appointment.Type{Org: raceOrg, ID: "visit", Name: map[string]string{"en": "Visit"}, Horizon: 60, Grid: 30, Active: true, Confirm: 72,
			Offers: []appointment.Offer{{Way: appointment.Video, Min: 30, Needs: []appointment.Kind{appointment.Clinician}}}}); err != nil {
			return err
		}
		for i := range racers {
			p, err := s.People.Save(tx, person.Person{Org: raceOrg, Role: person.Patient, Name: fmt.Sprint("Patient ", i), BirthYear: 1950, Language: "en", Zone: "America/New_York"})
			if err != nil {
				return err
			}
			if err := s.People.SetContact(tx, raceOrg, person.Contact{Person: p.ID, Channel: person.SMS, Address: fmt.Sprintf("+1555%07d", i), Consent: person.Given}); err != nil {
				return err
			}
			patients = append(patients, p.ID)
		}
		return nil
	})
	return patients, err
}
