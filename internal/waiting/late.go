package waiting

import (
	"context"
	"strconv"
	"time"

	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/waiting/estimate"
)

const (
	lateFrom   = 20 * time.Minute // a delay from which it is said, when it is as good as certain
	lateLikely = 30 * time.Minute // and when it is only likely
	farHours   = 3 * time.Hour    // so long before her time nobody is told: much can change
	unknownWay = 30               // minutes of a way of which one end is not known
	atDoor     = 10 * time.Minute // that people are early
)

// Outlook is when somebody who has not come yet will be seen, as it looks now.
type Outlook struct {
	Visit
	From, To time.Time     // the range
	Delay    time.Duration // of its middle
	Leave    time.Time     // to be there at the beginning of the range
	Way      int           // minutes of her way
	Known    bool          // both ends of the way are known
	Late     Late          // what she was told
}

// Runs reports whether it will be so late that it is said. A visit far down the day's list is always a little late on average; that alone
// is no news.
func (o Outlook) Runs() bool {
	return o.Delay >= lateLikely || o.Delay >= lateFrom && o.From.After(o.Start)
}

// Late is what somebody was told of a delay before she came.
type Late struct {
	Times    int // how often
	At       time.Time
	From, To time.Time
	Leave    time.Time
	Next     time.Time
}

func (s *Service) late(tx *store.Tx, v Visit) (l Late, err error) {
	var at, from, to, leave, next int64
	_, err = tx.Row("SELECT times, told_at, from_at, to_at, leave_at, next_at FROM late_notice WHERE org = $1 AND patient = $2 AND visit = $3", []any{string(v.Org), string(v.Patient), v.ID},
		&l.Times, &at, &from, &to, &leave, &next)
	l.At, l.From, l.To, l.Leave, l.Next = store.Time(at), store.Time(from), store.Time(to), store.Time(leave), store.Time(next)
	return l, err
}

// way answers the minutes of a person's way to a place, and whether they are known.
func (s *Service) way(tx *store.Tx, v Visit) (int, bool, error) {
	home, err := s.people.HomeOf(tx, v.Org, v.Patient)
	if err != nil {
		return 0, false, err
	}
	places, err := s.people.Places(tx, v.Org)
	for _, p := range places {
		if p.ID == v.Place && p.Known() && home.Known() {
			return s.visits.Travel(home.Point, p.Point), true, err
		}
	}
	return unknownWay, false, err
}

// Look answers how somebody's visit of today stands who has not come yet; false when it is not one that she comes to, or nobody can tell.
func (s *Service) Look(tx *store.Tx, v Visit) (Outlook, bool, error) {
	if now := s.clock.Now(); !v.Booked || !v.Comes || v.Start.Before(now.Add(-lateBy)) || v.Start.After(now.Add(ahead)) {
		return Outlook{}, false, nil
	}
	l, err := s.load(tx, v.Org, v.Place)
	if err != nil {
		return Outlook{}, false, err
	}
	return s.look(tx, l, v)
}

func (s *Service) look(tx *store.Tx, l *line, v Visit) (o Outlook, ok bool, err error) {
	i, there := l.due[v.ID]
	if !there {
		return o, false, nil
	}
	w, low, high, known := l.expect(i)
	if !known {
		return o, false, nil
	}
	base := v.Start
	if base.Before(l.now) {
		base = l.now
	}
	from, to := estimate.Round(low, high)
	o = Outlook{Visit: v, From: base.Add(time.Duration(from) * time.Minute), To: base.Add(time.Duration(to) * time.Minute), Delay: after(base, w.Mean).Sub(v.Start)}
	if o.Way, o.Known, err = s.way(tx, v); err != nil {
		return o, false, err
	}
	o.Leave = o.leave(o.From)
	o.Late, err = s.late(tx, v)
	return o, err == nil, err
}

// leave answers when she leaves home to be seen from an instant on.
func (o Outlook) leave(from time.Time) time.Time {
	return from.Add(-time.Duration(o.Way)*time.Minute - atDoor)
}

// news answers whether there is something to say now, and what. Nothing is said after she has left home, as far as she knows when that is.
func (o Outlook) news(now time.Time) (say string, useful time.Time, ok bool) {
	leaves := o.leave(o.Start)
	told := o.Late.Times > 0
	if told {
		leaves = o.Late.Leave
	}
	useful = leaves
	if o.Leave.Before(useful) {
		useful = o.Leave // it has become sooner than she was told
	}
	if !now.Before(useful) || o.Start.Sub(now) > farHours {
		return "", useful, false
	}
	switch moved := o.From.Sub(o.Late.From); {
	case !told && o.Runs():
		return "wait.late", useful, true
	case told && o.Delay < lateFrom && moved <= -much:
		return "wait.ontime", useful, true
	case told && (moved >= much || moved <= -much):
		return "wait.late.more", useful, true
	}
	return "", useful, false
}

// tellLate tells those who are due at a place, and have not left home, how late it has become. It answers how many.
func (s *Service) tellLate(ctx context.Context, org person.OrgID, place string) (int, error) {
	var todo []string
	now := s.clock.Now()
	each := func(tx *store.Tx, do func(Outlook) error) error {
		l, err := s.load(tx, org, place)
		if err != nil {
			return err
		}
		for _, v := range l.visits {
			if v.Place != place || !v.Comes {
				continue
			}
			o, ok, err := s.look(tx, l, v)
			if err != nil {
				return err
			}
			if _, _, news := o.news(now); !ok || !news {
				continue
			}
			if err := do(o); err != nil {
				return err
			}
		}
		return nil
	}
	if err := s.db.Read(ctx, func(tx *store.Tx) error {
		todo = nil
		return each(tx, func(o Outlook) error { todo = append(todo, o.ID); return nil })
	}); err != nil || len(todo) == 0 {
		return 0, err
	}
	n := 0
	return n, s.db.Write(ctx, func(tx *store.Tx) error {
		n = 0
		return each(tx, func(o Outlook) error { n++; return s.tellOne(tx, o) })
	})
}

// tellOne says one delay, and writes down that it was said, in one transaction. The text is not sent after the time to leave home.
func (s *Service) tellOne(tx *store.Tx, o Outlook) error {
	now := s.clock.Now()
	say, useful, _ := o.news(now)
	next := nextLook(now)
	if say == "wait.ontime" {
		o.From, o.Leave = o.Start, o.leave(o.Start)
	}
	rows, err := tx.Exec(`INSERT INTO late_notice (org, patient, visit, times, told_at, from_at, to_at, leave_at, next_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (org, patient, visit) DO UPDATE SET times = excluded.times, told_at = excluded.told_at, from_at = excluded.from_at, to_at = excluded.to_at,
		leave_at = excluded.leave_at, next_at = excluded.next_at WHERE late_notice.times = excluded.times - 1`, string(o.Org), string(o.Patient), o.ID, o.Late.Times+1, store.Micros(now), store.Micros(o.From),
		store.Micros(o.To), store.Micros(o.Leave), store.Micros(next))
	if err != nil || rows == 0 { // another server has said it
		return err
	}
	rfc := func(t time.Time) string { return t.Format(time.RFC3339) }
	d := message.Draft{Org: o.Org, Patient: o.Patient, To: "patient", At: now, Key: "late/" + o.ID + "/" + strconv.Itoa(o.Late.Times+1), Say: say, Severity: message.Urgent, Useful: useful,
		Page: visitPage(o.ID), Args: map[string]string{"with": o.Name, "start": rfc(o.Start), "from": rfc(o.From), "to": rfc(o.To), "leave": rfc(o.Leave), "next": rfc(next)}}
	if !o.Known {
		d.Say += ".noway"
	}
	if o.Promise != "" {
		d.Promises = []string{o.Promise}
	}
	tx.Hint("desk", string(o.Org))
	return s.messages.Say(tx, d)
}

// Left reports whether she has left home by now, as far as she knows when that is.
func (o Outlook) Left(now time.Time) bool {
	if o.Late.Times > 0 {
		return !now.Before(o.Late.Leave)
	}
	return !now.Before(o.leave(o.Start))
}

// Way answers the minutes of a person's way to her visit, or what is taken for it where an end is not known.
func (s *Service) Way(tx *store.Tx, v Visit) (int, error) {
	n, _, err := s.way(tx, v)
	return n, err
}
