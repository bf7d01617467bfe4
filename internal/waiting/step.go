package waiting

import (
	"context"
	"slices"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

// Act is a step of a stay that staff take.
type Act string

const (
	Call   Act = "call"   // ask her in, by text where she does not sit in the waiting room
	Enter  Act = "enter"  // she is in the room
	Begin  Act = "begin"  // somebody is with her: the promise of the visit is kept
	Finish Act = "finish" // she is done
	Leave  Act = "leave"  // she has gone without being seen
	Back   Act = "back"   // called in vain: she waits on
	Rush   Act = "rush"   // urgent now, with the reason
)

// Acts in the order of a stay.
var Acts = []Act{Call, Enter, Begin, Finish, Leave, Back, Rush}

// takes are the states from which each act leads on.
var takes = map[Act][]State{
	Call: {Waiting}, Enter: {Waiting, Called}, Begin: {Waiting, Called, InRoom}, Finish: {With}, Leave: {Waiting, Called, InRoom}, Back: {Called, InRoom}, Rush: {Waiting},
}

// leads are the states to which acts lead.
var leads = map[Act]State{Call: Called, Enter: InRoom, Begin: With, Finish: Done, Leave: Left, Back: Waiting, Rush: Waiting}

// Can reports whether an act is possible now.
func (s State) Can(a Act) bool { return slices.Contains(takes[a], s) }

// Detail is what an act needs to know.
type Detail struct {
	Room   string    // of Call and Enter
	Who    string    // of Begin: who sees her; empty: as planned
	Reason string    // of Rush
	At     time.Time // of Begin: when it was, where that was seen elsewhere; zero: now
}

const wordsMost = 300

// Do takes a step. One that was taken already changes nothing; two at once are told apart by the database.
func (s *Service) Do(ctx context.Context, v person.Viewer, id ID, act Act, d Detail) (Stay, error) {
	if !v.Role.Staff() && v.Role != person.System {
		return Stay{}, fault.Deniedf("This page is for the staff of the clinic.")
	}
	var x Stay
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) { x, err = s.Get(tx, v.Org, id); return err }); err != nil {
		return x, err
	}
	if err := s.people.Enter(ctx, v, person.Act, x.Patient, "waiting"); err != nil {
		return Stay{}, err
	}
	err := s.db.Write(ctx, func(tx *store.Tx) (err error) { x, err = s.DoTx(tx, v, id, act, d); return err })
	return x, err
}

// DoTx is Do for callers who have asked whether the viewer may.
func (s *Service) DoTx(tx *store.Tx, v person.Viewer, id ID, act Act, d Detail) (Stay, error) {
	if err := s.lock(tx, v.Org, id); err != nil {
		return Stay{}, err
	}
	x, err := s.Get(tx, v.Org, id)
	if err != nil {
		return x, err
	}
	d.Room, d.Reason = strings.TrimSpace(d.Room), strings.TrimSpace(d.Reason)
	switch to, ok := leads[act]; {
	case !ok:
		return x, fault.NotFoundf("There is no such action.")
	case x.State == to && act != Rush && act != Back:
		return x, nil // pressed twice
	case !x.State.Can(act):
		return x, fault.Conflictf("Somebody was faster: please look at the board again.")
	case len(d.Room) > wordsMost || len(d.Reason) > wordsMost:
		return x, fault.Invalidf("Please say it in fewer words (%d letters at most).", wordsMost)
	}
	now := s.clock.Now()
	switch act {
	case Call:
		x.Called, x.Room = now, d.Room
		if err := s.callIn(tx, x); err != nil {
			return x, err
		}
	case Enter:
		x.InRoom = now
		if d.Room != "" {
			x.Room = d.Room
		}
	case Begin:
		if d.Who != "" {
			x.Who = d.Who
		}
		if x.Begun = now; !d.At.IsZero() && d.At.Before(now) {
			x.Begun = d.At
		}
		if err := s.begin(tx, v, x); err != nil {
			return x, err
		}
	case Finish:
		x.Ended = now
		if err := s.learn(tx, x.Org, x.Place, func(p *pace) { p.Learner.Seen(x.Type, x.Who, float64(x.Plan), minutes(now.Sub(x.Begun))) }); err != nil {
			return x, err
		}
	case Leave:
		x.Ended = now
		if err := s.left(tx, x); err != nil {
			return x, err
		}
	case Back:
		x.Called, x.InRoom, x.Room = time.Time{}, time.Time{}, ""
	case Rush:
		if d.Reason == "" {
			return x, fault.Invalidf("Why is it urgent? Others wait longer for it.")
		}
		x.Kind, x.Reason = Urgent, d.Reason
	}
	x.State = leads[act]
	if err := s.put(tx, x); err != nil {
		return x, err
	}
	if err := s.people.Audit(tx, v, x.Patient, "waiting", string(act)+" "+string(x.ID)); err != nil {
		return x, err
	}
	return x, s.retell(tx, x.Org, x.Place, func(Stay) bool { return act == Rush })
}

// lock keeps two steps of one stay apart. The single writer of SQLite does that by itself.
func (s *Service) lock(tx *store.Tx, org person.OrgID, id ID) error {
	if tx.Engine() != store.Postgres {
		return nil
	}
	var one int
	_, err := tx.Row("SELECT 1 FROM stay WHERE org = $1 AND id = $2 FOR UPDATE", []any{string(org), string(id)}, &one)
	return err
}

// begin writes down that somebody is with the person: the visit's promise is kept, and the place learns how good its word was.
func (s *Service) begin(tx *store.Tx, v person.Viewer, x Stay) error {
	if x.Visit != "" {
		if err := s.visits.Seen(tx, v, x.Org, x.Visit, x.Begun); err != nil {
			return err
		}
	}
	var before int64
	if x.Who != "" {
		if _, err := tx.Row("SELECT COALESCE(MAX(ended_at), 0) FROM stay WHERE org = $1 AND who = $2 AND state = 'done' AND arrived_at > $3",
			[]any{string(x.Org), x.Who, store.Micros(x.Begun.Add(-12 * time.Hour))}, &before); err != nil {
			return err
		}
	}
	return s.learn(tx, x.Org, x.Place, func(p *pace) {
		wait := minutes(x.Begun.Sub(x.Arrived))
		p.Learner.Waited(wait, false)
		if x.first != [2]float64{} && x.Kind != Urgent { // who was put first was told something else
			p.Calibrator.Ended(x.first[0], x.first[1], wait)
		}
		if last := store.Time(before); before > 0 && x.Arrived.Before(last) {
			p.Learner.Between(minutes(x.Begun.Sub(last)))
		}
	})
}

// callIn asks somebody in who cannot hear it called: she waits in the car, at home, or came by telephone.
func (s *Service) callIn(tx *store.Tx, x Stay) error {
	if x.Waits == Here && x.By != ByText {
		return nil
	}
	say := "wait.in"
	switch {
	case x.Place == "":
		say = "wait.join"
	case x.Room != "":
		say = "wait.in.room"
	}
	return s.say(tx, x, say, "call/"+x.Called.Format(time.RFC3339), map[string]string{"room": x.Room}, x.Called.Add(time.Hour))
}

// say tells somebody who waits something now.
func (s *Service) say(tx *store.Tx, x Stay, say, key string, args map[string]string, useful time.Time) error {
	d := message.Draft{Org: x.Org, Patient: x.Patient, To: "patient", At: s.clock.Now(), Key: say + "/" + string(x.ID) + "/" + key, Say: say, Args: args, Severity: message.Urgent,
		Useful: useful, Page: visitPage(x.Visit)}
	if x.Visit != "" {
		v, err := s.visits.Visit(tx, x.Org, x.Visit)
		if err != nil {
			return err
		}
		if v.Promise != "" {
			d.Promises = []string{v.Promise}
		}
	}
	return s.messages.Say(tx, d)
}

// visitPage is the page on which a person sees her wait.
func visitPage(visit string) string {
	if visit == "" {
		return "/visits"
	}
	return "/visits/" + visit
}

// left learns from somebody who has gone, and has the desk ask whether all is well: she came, and nobody saw her.
func (s *Service) left(tx *store.Tx, x Stay) error {
	p, err := s.people.Get(tx, x.Org, x.Patient)
	if err != nil {
		return err
	}
	if err := s.promises.OpenTask(tx, promise.TaskRow{Org: x.Org, Patient: x.Patient, ID: clock.DerivedID("left", string(x.ID)), Kind: "waiting", Role: person.Desk, Severity: promise.Watch,
		Say: "task.waiting.left", Args: map[string]string{"called": p.Called, "time": x.Arrived.Format(time.RFC3339)}, Cause: "waiting"}); err != nil {
		return err
	}
	return s.learn(tx, x.Org, x.Place, func(p *pace) { p.Learner.Waited(minutes(x.Ended.Sub(x.Arrived)), true) })
}
