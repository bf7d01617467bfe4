package transport_test

import (
	"strings"
	"testing"

	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/transport"
)

// A round trip from the booking to being home again: planned onto a vehicle, seen by the desk and its driver, marked, kept.
func TestARoundTrip(t *testing.T) {
	each(t, func(f *fleet) {
		w := f.want(f.Ruth, at(10, 0), at(11, 0))
		w.About = "outing-1"
		r := f.book(w)
		f.Settle()
		f.has(f.texts(), "Your ride is set", "We fetch you between", "Your ride home: between 11:00 am and 11:30 am")
		if again := f.book(w); again.ID != r.ID {
			t.Error("the same ride was booked twice")
		}
		r = f.get(r.ID)
		for _, l := range []transport.Leg{r.Out, r.Back} {
			if l.State != transport.Planned || l.Vehicle == "" || l.Begin.Before(l.Pickup.From) || l.Begin.After(l.Pickup.To) || l.End.After(l.Dropoff.To) {
				t.Errorf("leg %+v", l)
			}
			if d := l.Pickup.To.Sub(l.Pickup.From); d > transport.Fetched {
				t.Errorf("the window is %s long", d)
			}
		}
		b := f.board(f.desk())
		if len(b.Open) != 0 || len(b.Rides) != 1 || len(b.Columns) != 2 {
			t.Errorf("board %+v", b)
		}
		out, back := r.Out.Promise, r.Back.Promise
		f.drive(r.ID, transport.Out)
		f.has(f.texts(), "Our car is on the way to you", "Your ride is here")
		if p := f.promised(r, out); p.State != promise.Kept {
			t.Errorf("the ride there is %v", p.State)
		}
		f.drive(r.ID, transport.Back)
		if p := f.promised(r, back); p.State != promise.Kept {
			t.Errorf("the ride home is %v", p.State)
		}
		if got := f.get(r.ID); got.Out.State != transport.Done || got.Back.State != transport.Done {
			t.Errorf("%s and %s", got.Out.State, got.Back.State)
		}
		if got := f.Tasks(); got != "" {
			t.Errorf("tasks %q", got)
		}
	})
}

// The database refuses a way home without its way there, whoever writes it.
func TestNoOrphanedReturn(t *testing.T) {
	each(t, func(f *fleet) {
		r := f.book(f.want(f.Ruth, at(10, 0), at(11, 0)))
		for _, sql := range []string{"UPDATE ride SET out_state = 'cancelled' WHERE id = $1", "UPDATE ride SET out_state = 'missed' WHERE id = $1", "UPDATE ride SET out_state = '' WHERE id = $1",
			"INSERT INTO ride (org, patient, id, day, about, out_state, back_state, body) SELECT org, patient, id || 'x', day, '', 'cancelled', 'planned', body FROM ride WHERE id = $1"} {
			if err := f.DB.Write(t.Context(), func(tx *store.Tx) error { _, err := tx.Exec(sql, string(r.ID)); return err }); err == nil || !strings.Contains(strings.ToLower(err.Error()), "check") {
				t.Errorf("%s: %v", sql, err)
			}
		}
		f.Write(func(tx *store.Tx) error { _, err := f.Transport.Cancel(tx, f.desk(), "elm", r.ID); return err })
		if got := f.get(r.ID); got.Out.State != transport.Cancelled || got.Back.State != transport.Cancelled {
			t.Errorf("%s and %s", got.Out.State, got.Back.State)
		}
	})
}
