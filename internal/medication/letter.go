package medication

import (
	"context"
	"slices"
	"strconv"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Letter is a patient's week in words, as somebody chose to get it: the patient, or a caregiver who may see the chart.
type Letter struct {
	Org     person.OrgID
	Patient person.ID
	Person  person.ID // who reads it
	On      bool
	Weekday time.Weekday // in the reader's zone
	Wall    clock.Wall
	Next    time.Time // zero while it is off
}

// UsualLetter is what is offered to whoever has not chosen yet: Sunday evening.
var UsualLetter = Letter{Weekday: time.Sunday, Wall: clock.WallAt(18, 0)}

// letterUseful is how late a week in words is still sent; after that it waits for the next.
const letterUseful = 24 * time.Hour

// SetLetter says when somebody gets a patient's week in words, or that they do not.
func (s *Service) SetLetter(tx *store.Tx, v person.Viewer, l Letter) (Letter, error) {
	if l.Weekday < time.Sunday || l.Weekday > time.Saturday || l.Wall < 0 || l.Wall >= 24*60 {
		return l, fault.Invalidf("Please choose a day and a time.")
	}
	reader, err := s.people.Get(tx, l.Org, l.Person)
	if err != nil {
		return l, err
	}
	may, err := s.mayRead(tx, l)
	if err != nil {
		return l, err
	}
	if !may {
		return l, fault.Deniedf("Only the patient and helpers who may see the chart can get the week in words.")
	}
	if l.Next = (time.Time{}); l.On {
		l.Next = nextLetter(l, reader, s.clock.Now())
	}
	tx.Hint("patient", string(l.Org)+"/"+string(l.Patient))
	_, err = tx.Exec(`INSERT INTO letter (org, shard, patient, person, active, weekday, wall, next_at, by_person, set_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
		ON CONFLICT (org, shard, patient, person) DO UPDATE SET active = excluded.active, weekday = excluded.weekday, wall = excluded.wall, next_at = excluded.next_at,
		by_person = excluded.by_person, set_at = excluded.set_at`,
		string(l.Org), person.Shard(l.Patient), string(l.Patient), string(l.Person), flag(l.On), int(l.Weekday), int(l.Wall), store.Micros(l.Next), string(v.Person), store.Micros(s.clock.Now()))
	return l, err
}

// mayRead tells whether a letter's reader may still read it.
func (s *Service) mayRead(tx *store.Tx, l Letter) (bool, error) {
	if l.Person == l.Patient {
		return true, nil
	}
	list, err := s.people.Caregivers(tx, l.Org, l.Patient, person.See)
	return slices.ContainsFunc(list, func(p person.Person) bool { return p.ID == l.Person }), err
}

// nextLetter answers the first time after an instant, by the reader's clock.
func nextLetter(l Letter, reader person.Person, after time.Time) time.Time {
	day := clock.DayOf(after, reader.Location())
	for {
		if at := clock.At(day, l.Wall, reader.Location()).UTC(); day.Weekday() == l.Weekday && at.After(after) {
			return at
		}
		day = day.Add(1)
	}
}

const letterColumns = "SELECT org, patient, person, active, weekday, wall, next_at FROM letter"

func scanLetter(scan func(...any) error) (l Letter, err error) {
	var active int
	var next int64
	err = scan(&l.Org, &l.Patient, &l.Person, &active, &l.Weekday, &l.Wall, &next)
	l.On, l.Next = active == 1, store.Time(next)
	return l, err
}

// LetterOf answers how somebody gets a patient's week in words; ok is false when they have not chosen.
func (s *Service) LetterOf(tx *store.Tx, org person.OrgID, patient, reader person.ID) (l Letter, ok bool, err error) {
	list, err := store.All(tx, letterColumns+" WHERE org = $1 AND shard = $2 AND patient = $3 AND person = $4", []any{string(org), person.Shard(patient), string(patient), string(reader)}, scanLetter)
	if err != nil || len(list) == 0 {
		l = UsualLetter
		l.Org, l.Patient, l.Person = org, patient, reader
		return l, false, err
	}
	return list[0], true, nil
}

// SendLetters sends the weeks in words that are due, each in the transaction that moves it on by a week, and answers how many.
func (s *Service) SendLetters(ctx context.Context) (int, error) {
	const most = 100
	total := 0
	for ctx.Err() == nil {
		n := 0
		err := s.db.Write(store.Essential(ctx), func(tx *store.Tx) error {
			lock := ""
			if tx.Engine() == store.Postgres { // another node sends others meanwhile
				lock = " FOR UPDATE SKIP LOCKED"
			}
			list, err := store.All(tx, letterColumns+" WHERE active = 1 AND next_at <= $1 ORDER BY next_at, org, patient, person LIMIT $2"+lock,
				[]any{store.Micros(s.clock.Now()), most}, scanLetter)
			n = len(list)
			for _, l := range list {
				if err == nil {
					err = s.sendLetter(tx, l)
				}
			}
			return err
		})
		total += n
		if err != nil || n < most {
			return total, err
		}
	}
	return total, ctx.Err()
}

// sendLetter says a week in two numbers, with the way to the page that says it in full; a week without a dose is passed over. One who
// may not see the chart any more gets no more.
func (s *Service) sendLetter(tx *store.Tx, l Letter) error {
	may, err := s.mayRead(tx, l)
	if err != nil {
		return err
	}
	reader, err := s.people.Get(tx, l.Org, l.Person)
	if err != nil {
		return err
	}
	due, now := l.Next, s.clock.Now()
	l.On = may && reader.Active
	l.Next = nextLetter(l, reader, now)
	if _, err := tx.Exec("UPDATE letter SET active = $5, next_at = $6 WHERE org = $1 AND shard = $2 AND patient = $3 AND person = $4",
		string(l.Org), person.Shard(l.Patient), string(l.Patient), string(l.Person), flag(l.On), store.Micros(l.Next)); err != nil || !l.On {
		return err
	}
	if now.Sub(due) > letterUseful {
		return nil
	}
	p, err := s.people.Get(tx, l.Org, l.Patient)
	if err != nil {
		return err
	}
	last := p.DayOf(now).Add(-1)
	week, err := s.Adherence(tx, p, last.Add(-6), last)
	if err != nil || week.Doses == 0 || !p.Active {
		return err
	}
	d := message.Draft{Org: l.Org, Patient: l.Patient, To: "person:" + string(l.Person), At: due, Key: "week/" + string(l.Patient) + "/" + due.Format(time.RFC3339), Say: "week", Page: "/me/plan",
		Args: map[string]string{"done": strconv.Itoa(week.Said + week.Likely + week.Seen), "due": strconv.Itoa(week.Doses)}, Useful: due.Add(letterUseful)}
	if l.Person != l.Patient {
		d.Say, d.Page = "week.helper", "/helping/"+string(l.Patient)+"/me/plan"
	}
	return s.messages.Say(tx, d)
}
