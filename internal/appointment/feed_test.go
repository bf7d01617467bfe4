package appointment_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"doorstep/internal/app/apptest"
	"doorstep/internal/appointment"
	"doorstep/internal/fault"
	"doorstep/internal/store"
)

const dentist = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260301T000000Z\r\nDTSTART:20260303T140000Z\r\nDTEND:20260303T150000Z\r\nSUMMARY:Dentist\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"

func TestFeedShowsTimesAlone(t *testing.T) {
	each(t, func(c *clinic) {
		r := c.request(at(2, 9, 0))
		r.Words = "A secret illness"
		c.book(c.ruth, r)
		var secret string
		c.Write(func(tx *store.Tx) (err error) {
			secret, err = c.Appointments.NewFeed(tx, c.omar, apptest.Org, "osei")
			return err
		})
		var b strings.Builder
		if err := c.Appointments.Feed(c.Context(), secret, &b); err != nil {
			c.Fatal(err)
		}
		if got := b.String(); !strings.Contains(got, "DTSTART:20260303T140000Z") || !strings.Contains(got, "SUMMARY:Visit") || strings.Contains(got, "Ruth") || strings.Contains(got, "secret") {
			c.Errorf("feed %s", got)
		}
		c.Write(func(tx *store.Tx) error { return c.Appointments.EndFeed(tx, c.omar, apptest.Org, "osei") })
		for _, s := range []string{secret, "", "nothing"} {
			if err := c.Appointments.Feed(c.Context(), s, io.Discard); !fault.Is(err, fault.NotFound) {
				c.Errorf("revoked %q: %v", s, err)
			}
		}
	})
}

func TestBusyElsewhereIsNotOffered(t *testing.T) {
	each(t, func(c *clinic) {
		cal, err := c.Appointments.Import(c.Context(), c.omar, apptest.Org, "osei", strings.NewReader(dentist))
		if err != nil || len(cal.Busy) != 1 {
			c.Fatal(cal, err)
		}
		f := c.find(appointment.Search{Clinician: "osei", From: at(2, 0, 0), To: at(3, 0, 0)})
		if !f.Options[0].Start.Equal(at(2, 10, 0)) {
			c.Errorf("first %v", f.Options[0].Start)
		}
		if _, err := c.Appointments.Book(c.Context(), c.ruth, c.request(at(2, 9, 30))); err != appointment.ErrTaken {
			c.Errorf("booked over the dentist: %v", err)
		}
		if _, err := c.Appointments.Import(c.Context(), c.omar, apptest.Org, "osei", strings.NewReader("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n")); !fault.Is(err, fault.Invalid) {
			c.Errorf("a broken file: %v", err)
		}
		if f := c.find(appointment.Search{Clinician: "osei", From: at(2, 0, 0), To: at(3, 0, 0)}); !f.Options[0].Start.Equal(at(2, 10, 0)) {
			c.Error("a broken file freed what was busy")
		}
	})
}

func TestFeedIsFollowed(t *testing.T) {
	each(t, func(c *clinic) {
		text, down := dentist, false
		c.Appointments.SetFetch(func(context.Context, string) (io.ReadCloser, error) {
			if down {
				return nil, errors.New("no route")
			}
			return io.NopCloser(strings.NewReader(text)), nil
		})
		c.Write(func(tx *store.Tx) error {
			all, err := c.Appointments.Resources(tx, apptest.Org)
			if err != nil {
				return err
			}
			for _, r := range all {
				if r.ID == "osei" {
					r.BusyFeed = "https://calendar.example/osei.ics"
					return c.Appointments.SaveResource(tx, r)
				}
			}
			return errors.New("nobody")
		})
		first := func() time.Time {
			if err := c.Appointments.ReadFeeds(c.Context()); err != nil {
				c.Fatal(err)
			}
			return c.find(appointment.Search{Clinician: "osei", From: at(2, 0, 0), To: at(3, 0, 0)}).Options[0].Start
		}
		if got := first(); !got.Equal(at(2, 10, 0)) {
			c.Errorf("first %v", got)
		}
		// The server is down: what it said last holds, and the desk hears once.
		down = true
		for range 2 {
			c.Clock.Advance(20 * time.Minute)
			if got := first(); !got.Equal(at(2, 10, 0)) {
				c.Errorf("while it is down %v", got)
			}
		}
		if got := c.Tasks(); got != "desk task.feed" {
			c.Errorf("tasks %q", got)
		}
		down, text = false, strings.Replace(dentist, "20260303T150000Z", "20260303T143000Z", 1)
		c.Clock.Advance(20 * time.Minute)
		if got := first(); !got.Equal(at(2, 9, 30)) {
			c.Errorf("after it is back %v", got)
		}
	})
}
