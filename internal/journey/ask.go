package journey

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// Ask is a move of what was promised, that the person is asked about.
type Ask struct {
	Org     person.OrgID `json:"-"`
	Patient person.ID    `json:"-"`
	ID      string       `json:"id"`
	State   string       `json:"state"` // open, yes, no, lapsed
	Made    time.Time    `json:"made"`
	Until   time.Time    `json:"until"`
	Promise promise.ID   `json:"promise"`
	Moves   []Shift      `json:"moves"`
	Saves   float64      `json:"saves"`  // patient-minutes
	Forced  bool         `json:"forced"` // what was promised is no longer possible
}

// Shift is one item that would move.
type Shift struct {
	From Item `json:"from"`
	To   Item `json:"to"`
}

// asking is how long a person has to answer.
const asking = 48 * time.Hour

// ask asks whether something may be moved. One question is open at a time, and nobody is asked again what she has said no to.
func (s *Service) ask(tx *store.Tx, d *draft, p *proposal) error {
	org, patient := d.person.Org, d.person.ID
	open, err := s.Asks(tx, org, patient)
	if err != nil || len(open) > 0 {
		return err
	}
	a := Ask{Org: org, Patient: patient, State: "open", Made: d.now, Saves: p.saves, Forced: p.forced}
	soonest := d.now.Add(asking + settled)
	for _, it := range p.items {
		old := d.times[it.Need].item
		if old == nil || old.Why.Firm { // she has said no to a move of it
			continue
		}
		to := d.itemOf(it)
		a.Moves = append(a.Moves, Shift{From: *old, To: to})
		soonest = sooner(soonest, sooner(old.Start, to.Start))
	}
	if len(a.Moves) == 0 {
		return nil
	}
	a.Until = sooner(d.now.Add(asking), soonest.Add(-4*time.Hour))
	if a.Until.Before(d.now.Add(2 * time.Hour)) { // too near to be asked by text: the desk calls
		return s.task(tx, org, patient, "task.journey.move", "move/"+a.Moves[0].From.ID+"/"+a.Moves[0].To.Start.Format(time.RFC3339), map[string]string{"at": words.AtValue(a.Moves[0].From.Start, d.person.Zone)})
	}
	a.ID = derived("ask", string(org), string(patient), a.Moves[0].From.ID, a.Moves[0].From.Start.Format(time.RFC3339), a.Moves[0].To.Way, a.Moves[0].To.Start.Format(time.RFC3339))
	var before string
	if found, err := tx.Row("SELECT state FROM journey_ask WHERE org = $1 AND shard = $2 AND patient = $3 AND id = $4", []any{string(org), person.Shard(patient), string(patient), a.ID}, &before); err != nil || found {
		return err // it was asked already, and answered or left
	}
	ref, err := s.promises.Latest(tx, org, MoveLadder)
	if err != nil {
		return err
	}
	a.Promise = promise.ID(a.ID)
	m := a.Moves[0]
	args := map[string]string{"called": d.person.Called, "what": "key:journey.what." + string(m.From.Mode), "at": words.AtValue(m.From.Start, d.person.Zone),
		"new": words.AtValue(m.To.Start, d.person.Zone), "way": "key:journey.what." + string(m.To.Mode)}
	if _, err := s.promises.Make(tx, promise.Promise{Org: org, Patient: patient, ID: a.Promise, Kind: Move, About: a.ID, Severity: promise.Routine, Say: "say.journey.ask", Args: args,
		Keeper: promise.Keeper{Kind: "patient", Who: string(patient)}, From: d.now, By: a.Until, Zone: d.person.Zone, Ladder: ref}); err != nil {
		return err
	}
	return s.putAsk(tx, a)
}

func (s *Service) putAsk(tx *store.Tx, a Ask) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	closed := int64(0)
	if a.State != "open" {
		closed = store.Micros(s.clock.Now())
	}
	tx.Hint("patient", string(a.Org)+"/"+string(a.Patient))
	return tx.Put("journey_ask", []string{"org", "shard", "patient", "id", "item", "state", "made_at", "until_at", "closed_at", "promise", "body"}, 4, 1, func(int) []any {
		return []any{string(a.Org), int64(person.Shard(a.Patient)), string(a.Patient), a.ID, a.Moves[0].From.ID, a.State, store.Micros(a.Made), store.Micros(a.Until), closed, string(a.Promise), string(body)}
	})
}

// Asks answers the open questions to a person.
func (s *Service) Asks(tx *store.Tx, org person.OrgID, patient person.ID) ([]Ask, error) {
	return store.All(tx, "SELECT org, patient, body FROM journey_ask WHERE org = $1 AND shard = $2 AND patient = $3 AND state = 'open' AND until_at > $4 ORDER BY made_at, id",
		[]any{string(org), person.Shard(patient), string(patient), store.Micros(s.clock.Now())}, scanAsk)
}

func scanAsk(scan func(...any) error) (Ask, error) {
	var a Ask
	var org, patient, body string
	if err := scan(&org, &patient, &body); err != nil {
		return a, err
	}
	err := json.Unmarshal([]byte(body), &a)
	a.Org, a.Patient = person.OrgID(org), person.ID(patient)
	for i := range a.Moves {
		for _, it := range []*Item{&a.Moves[i].From, &a.Moves[i].To} {
			it.Org, it.Patient = a.Org, a.Patient
		}
	}
	return a, err
}

// AskOf answers a question by its id, open or not.
func (s *Service) AskOf(tx *store.Tx, org person.OrgID, patient person.ID, id string) (Ask, error) {
	list, err := store.All(tx, "SELECT org, patient, body FROM journey_ask WHERE org = $1 AND shard = $2 AND patient = $3 AND id = $4", []any{string(org), person.Shard(patient), string(patient), id}, scanAsk)
	if err == nil && len(list) == 0 {
		err = fault.NotFoundf("There is no such question.")
	}
	if err != nil {
		return Ask{}, err
	}
	return list[0], nil
}

// AnswerMove takes a yes or a no to a proposed move. With yes everything moves in one transaction; where a time was taken meanwhile, nothing moves.
func (s *Service) AnswerMove(ctx context.Context, v person.Viewer, patient person.ID, id string, yes bool) error {
	return s.db.Write(ctx, func(tx *store.Tx) error { return s.AnswerMoveIn(tx, v, patient, id, yes, "page") })
}

// AnswerMoveIn is AnswerMove inside a caller's transaction; source is where the answer came from.
func (s *Service) AnswerMoveIn(tx *store.Tx, v person.Viewer, patient person.ID, id string, yes bool, source string) error {
	a, err := s.AskOf(tx, v.Org, patient, id)
	if err != nil {
		return err
	}
	if a.State != "open" || !s.clock.Now().Before(a.Until) {
		return fault.Conflictf("That question is closed already. Nothing has moved.")
	}
	for _, m := range a.Moves {
		it, err := s.item(tx, v.Org, patient, m.From.ID)
		if err != nil {
			return err
		}
		if it.State != Promised || !it.Start.Equal(m.From.Start) || it.Way != m.From.Way {
			return fault.Conflictf("That question is closed already. Nothing has moved.")
		}
		if !yes {
			it.Why.Firm = true
			err = s.putItem(tx, it)
		} else {
			err = s.shift(tx, v, it, m.To)
		}
		if err != nil {
			return err
		}
	}
	a.State = map[bool]string{true: "yes", false: "no"}[yes]
	if err := s.putAsk(tx, a); err != nil {
		return err
	}
	if _, err := s.promises.Give(tx, v.Org, patient, a.Promise, promise.Evidence{Kind: "word", At: s.clock.Now(), Source: source, By: string(v.Person), Note: a.State}); err != nil {
		return err
	}
	if err := s.people.Audit(tx, v, patient, "journeys", "answered "+a.State+" to a move"); err != nil {
		return err
	}
	return s.touch(tx, v.Org, patient)
}

// shift moves a promised item to another way or time, with its visit, its promise and its trips.
func (s *Service) shift(tx *store.Tx, v person.Viewer, it, to Item) error {
	kinds, err := s.Kinds(tx, it.Org)
	if err != nil {
		return err
	}
	n, found, err := s.need(tx, it.Org, it.Patient, it.Need)
	if err != nil {
		return err
	}
	var way Way
	if i := slices.IndexFunc(kinds, func(k Kind) bool { return k.ID == it.Why.Kind }); i >= 0 {
		way, _ = kinds[i].Way(to.Way)
	}
	if way.Visit != "" && it.Visit != "" && found {
		typ := n.Type
		if typ == "" {
			typ = way.Visit
		}
		// VisitChanged lets the item, its trip and what goes along follow.
		it.Way, it.Mode, it.Why.Others, it.Why.With = to.Way, to.Mode, to.Why.Others, to.Why.With
		if err := s.putItem(tx, it); err != nil {
			return err
		}
		_, err := s.visits.BookIn(tx, v, appointment.Request{Org: it.Org, Patient: it.Patient, Type: typ, Way: visitWay(to.Mode), Place: to.Place, Start: to.Start, Resources: to.Why.Resources, Follows: it.Visit})
		return err
	}
	if !found {
		return errGone
	}
	if err := s.removeItem(tx, it); err != nil {
		return err
	}
	if err := s.giveBack(tx, v, it, "reason.moved"); err != nil {
		return err
	}
	to.State, to.Trip, to.Why.Kind = Planned, "", it.Why.Kind
	p, err := s.people.Get(tx, it.Org, it.Patient)
	if err != nil {
		return err
	}
	if to.Mode.Out() {
		to.Trip = tripID(p, to.Start)
	}
	if err := s.promise(tx, v, &to); err != nil {
		return err
	}
	if it.Trip == "" && to.Trip == "" {
		return s.follow(tx, v, &Outing{Stops: []Item{it}}, &Outing{Stops: []Item{to}})
	}
	if it.Trip == "" {
		if err := s.follow(tx, v, &Outing{Stops: []Item{it}}, nil); err != nil {
			return err
		}
	}
	if to.Trip == "" {
		if err := s.follow(tx, v, nil, &Outing{Stops: []Item{to}}); err != nil {
			return err
		}
	}
	return s.remake(tx, v, it.Org, it.Patient, it.Trip, to.Trip)
}

// Reply takes a numbered answer to a question of this room: whether something may move, or whether a thing came. It answers what to thank with.
func (s *Service) Reply(tx *store.Tx, ans message.Answer, p promise.Promise) (string, map[string]string, error) {
	who, err := s.people.Get(tx, ans.Org, ans.By)
	if err != nil {
		return "", nil, err
	}
	v := person.Viewer{Org: ans.Org, Person: who.ID, Role: who.Role, Name: who.Name}
	if err := s.people.May(tx, v, person.Act, ans.Patient); err != nil {
		return "", nil, err
	}
	if p.State != promise.Open {
		return "closed", nil, nil
	}
	if p.Kind == Move {
		err := tx.Try(func() error { return s.AnswerMoveIn(tx, v, ans.Patient, p.About, ans.Number == 1, ans.Source) })
		switch {
		case fault.Is(err, fault.Conflict):
			return "thanks.journey.taken", nil, nil
		case err != nil:
			return "", nil, err
		case ans.Number == 1:
			return "thanks.journey.moved", map[string]string{"new": p.Args["new"]}, nil
		}
		return "thanks.journey.stays", nil, nil
	}
	it, err := s.item(tx, ans.Org, ans.Patient, p.About)
	if err != nil {
		return "closed", nil, nil
	}
	if ans.Number == 1 {
		return "thanks.journey.did", nil, s.came(tx, v, it, ans.Source)
	}
	return "thanks.journey.not", nil, s.didNot(tx, v, it, ans.Source)
}

// Answer writes down on the page whether a thing was done: came, was fetched, was written.
func (s *Service) Answer(ctx context.Context, v person.Viewer, patient person.ID, item string, done bool) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		it, err := s.item(tx, v.Org, patient, item)
		if err != nil {
			return err
		}
		if it.State != Promised && it.State != Missed || it.Visit != "" {
			return fault.Conflictf("That is closed already.")
		}
		if done {
			return s.came(tx, v, it, "page")
		}
		return s.didNot(tx, v, it, "page")
	})
}

// came keeps the promise of a thing.
func (s *Service) came(tx *store.Tx, v person.Viewer, it Item, source string) error {
	e := promise.Evidence{Kind: "word", At: s.clock.Now(), Source: source, By: string(v.Person)}
	if v.Role.Staff() {
		e.For = string(it.Patient)
	}
	if _, err := s.promises.Give(tx, it.Org, it.Patient, it.Promise, e); err != nil {
		return err
	}
	if err := s.people.Audit(tx, v, it.Patient, "journeys", "done "+it.ID); err != nil {
		return err
	}
	if err := s.itemDone(tx, it); err != nil {
		return err
	}
	return s.touch(tx, it.Org, it.Patient)
}

// didNot says that a thing did not come: it is planned anew, and the desk looks after it.
func (s *Service) didNot(tx *store.Tx, v person.Viewer, it Item, source string) error {
	if _, err := s.promises.Note(tx, it.Org, it.Patient, it.Promise, promise.Evidence{Kind: "word", At: s.clock.Now(), Source: source, By: string(v.Person), Note: "not"}); err != nil {
		return err
	}
	if err := s.giveBack(tx, v, it, "reason.plan"); err != nil {
		return err
	}
	if err := s.task(tx, it.Org, it.Patient, "task.journey.did", "not/"+it.ID+"/"+it.Start.Format(time.RFC3339), map[string]string{"what": "key:journey.what." + string(it.Mode)}); err != nil {
		return err
	}
	if err := s.removeItem(tx, it); err != nil {
		return err
	}
	if err := s.people.Audit(tx, v, it.Patient, "journeys", "not done "+it.ID); err != nil {
		return err
	}
	return s.touch(tx, it.Org, it.Patient)
}
