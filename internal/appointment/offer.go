package appointment

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"doorstep/internal/appointment/policy"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/message"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

const (
	// Offered is the kind of the promise that an offer is: the time is yours if you say so first.
	Offered = "offer"
	// OfferLadder asks once.
	OfferLadder = "offer"
)

// Freed is a time that was given back.
type Freed struct {
	Org       person.OrgID
	ID        string
	Type      string
	Way       Way
	Place     string
	Start     time.Time
	End       time.Time
	Resources []string
	At        time.Time // when it was given back
	Next      time.Time // when to offer it again
	Rounds    int
	Offers    int
	State     string // open; filled by the list, booked by somebody else, lapsed
}

// Offer states.
const (
	offerOpen     = "open"
	offerTaken    = "taken"
	offerDeclined = "declined"
	offerExpired  = "expired"
	offerGone     = "gone" // somebody else was first
)

// OfferRow is one time offered to one person.
type OfferRow struct {
	Org      person.OrgID
	Patient  person.ID
	ID       string
	Entry    string
	Freed    string
	State    string
	Sent     time.Time
	Until    time.Time
	Answered time.Time
	Promise  string
}

const freedSelect = "SELECT org, id, type, way, place, start_at, end_at, resources, freed_at, next_at, rounds, offers, state FROM freed"

func scanFreed(scan func(...any) error) (Freed, error) {
	var f Freed
	var res string
	var start, end, at, next int64
	err := scan(&f.Org, &f.ID, &f.Type, &f.Way, &f.Place, &start, &end, &res, &at, &next, &f.Rounds, &f.Offers, &f.State)
	f.Start, f.End, f.At, f.Next, f.Resources = store.Time(start), store.Time(end), store.Time(at), store.Time(next), strings.Fields(res)
	return f, err
}

func (s *Service) putFreed(tx *store.Tx, f Freed) error {
	return tx.Put("freed", []string{"org", "id", "type", "way", "place", "start_at", "end_at", "resources", "freed_at", "next_at", "rounds", "offers", "state"}, 2, 1,
		func(int) []any {
			return []any{string(f.Org), f.ID, f.Type, string(f.Way), f.Place, store.Micros(f.Start), store.Micros(f.End), strings.Join(f.Resources, " "),
				store.Micros(f.At), store.Micros(f.Next), int64(f.Rounds), int64(f.Offers), f.State}
		})
}

// free puts the time of an appointment that was given back before those who wait.
func (s *Service) free(tx *store.Tx, a Appointment) error {
	now := s.clock.Now()
	if a.Start.Sub(now) < policy.TooLate {
		return nil
	}
	return s.putFreed(tx, Freed{Org: a.Org, ID: clock.DerivedID("freed", string(a.ID)), Type: a.Type, Way: a.Way, Place: a.Place, Start: a.Start, End: a.End,
		Resources: a.Resources, At: now, Next: now, State: "open"})
}

const offerSelect = "SELECT org, patient, id, entry, freed, state, sent_at, until_at, answered_at, promise FROM offer"

func scanOffer(scan func(...any) error) (OfferRow, error) {
	var o OfferRow
	var sent, until, answered int64
	err := scan(&o.Org, &o.Patient, &o.ID, &o.Entry, &o.Freed, &o.State, &sent, &until, &answered, &o.Promise)
	o.Sent, o.Until, o.Answered = store.Time(sent), store.Time(until), store.Time(answered)
	return o, err
}

func (s *Service) putOffer(tx *store.Tx, o OfferRow) error {
	tx.Hint("patient", string(o.Org)+"/"+string(o.Patient))
	return tx.Put("offer", []string{"org", "patient", "id", "entry", "freed", "state", "sent_at", "until_at", "answered_at", "promise"}, 3, 1, func(int) []any {
		return []any{string(o.Org), string(o.Patient), o.ID, o.Entry, o.Freed, o.State, store.Micros(o.Sent), store.Micros(o.Until), store.Micros(o.Answered), o.Promise}
	})
}

// FillDue offers freed times to those who wait, a batch at a time, and lets offers run out. It answers how many offers went out.
func (s *Service) FillDue(ctx context.Context) (int, error) {
	if err := s.expireOffers(ctx); err != nil {
		return 0, err
	}
	var due []Freed
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		due, err = store.All(tx, freedSelect+" WHERE state = 'open' AND next_at <= $1 ORDER BY start_at, org, id", []any{store.Micros(s.clock.Now())}, scanFreed)
		return err
	}); err != nil {
		return 0, err
	}
	sent := 0
	for _, f := range due {
		n := 0
		if err := s.db.Write(ctx, func(tx *store.Tx) (err error) { n, err = s.fill(tx, f.Org, f.ID); return err }); err != nil {
			return sent, err
		}
		sent += n
	}
	return sent, nil
}

// lockFreed answers a freed time, kept from other changes.
func (s *Service) lockFreed(tx *store.Tx, org person.OrgID, id string) (Freed, error) {
	query := freedSelect + " WHERE org = $1 AND id = $2"
	if tx.Engine() == store.Postgres {
		query += " FOR UPDATE"
	}
	list, err := store.All(tx, query, []any{string(org), id}, scanFreed)
	if err == nil && len(list) == 0 {
		err = fault.NotFoundf("There is no such offer.")
	}
	if err != nil {
		return Freed{}, err
	}
	return list[0], nil
}

// fill makes the next batch of offers of one freed time.
func (s *Service) fill(tx *store.Tx, org person.OrgID, id string) (int, error) {
	f, err := s.lockFreed(tx, org, id)
	now := s.clock.Now()
	if err != nil || f.State != "open" || f.Next.After(now) {
		return 0, err
	}
	left := f.Start.Sub(now)
	if left < policy.TooLate {
		f.State = "lapsed"
		return 0, s.putFreed(tx, f)
	}
	taken, err := s.taken(tx, f)
	if err != nil {
		return 0, err
	}
	if taken {
		f.State = "booked"
		return 0, s.close(tx, f, "")
	}
	who, quiet, err := s.eligible(tx, f, now)
	if err != nil {
		return 0, err
	}
	yes, all, err := s.answered(tx, org)
	if err != nil {
		return 0, err
	}
	n := min(policy.BatchSize(policy.Acceptance(yes, all), left, f.Offers), len(who))
	f.Next = now.Add(policy.LookAgain)
	if n == 0 { // nobody else is to be asked now: whoever searches may have it
		if err := s.unkeep(tx, f); err != nil {
			return 0, err
		}
	}
	switch {
	case f.Offers >= policy.OffersMost:
		f.State = "lapsed" // enough people were asked; it stays in the search
		return 0, s.putFreed(tx, f)
	case n == 0:
		if !quiet.IsZero() && quiet.After(f.Next) {
			f.Next = quiet
		}
		return 0, s.putFreed(tx, f)
	}
	until := now.Add(min(policy.AnswerWithin(left), left-policy.TooLate/2))
	if kept, err := s.keepFor(tx, f, until); err != nil || !kept {
		return 0, err
	}
	for _, e := range who[:n] {
		if err := s.offer(tx, f, e, now, until); err != nil {
			return 0, err
		}
	}
	f.Next, f.Rounds, f.Offers = until, f.Rounds+1, f.Offers+n
	return n, s.putFreed(tx, f)
}

// taken reports whether somebody else has any of what a freed time takes.
func (s *Service) taken(tx *store.Tx, f Freed) (bool, error) {
	var n int
	_, err := tx.Row(`SELECT COUNT(*) FROM claim WHERE org = $1 AND resource IN (SELECT value FROM `+tx.List("$2")+` ids) AND from_at < $3 AND until_at > $4
		AND (hold_until = 0 OR hold_until > $5) AND appointment <> $6`,
		[]any{string(f.Org), asJSON(f.Resources), store.Micros(f.End), store.Micros(f.Start), store.Micros(s.clock.Now()), f.ID}, &n)
	return n > 0, err
}

// answered answers how many of the organization's last offers were accepted, and how many there were.
func (s *Service) answered(tx *store.Tx, org person.OrgID) (yes, all int, err error) {
	_, err = tx.Row(`SELECT COALESCE(SUM(CASE WHEN state = 'taken' THEN 1 ELSE 0 END), 0), COUNT(*) FROM
		(SELECT state FROM offer WHERE org = $1 AND state IN ('taken', 'declined', 'expired') ORDER BY until_at DESC LIMIT 200) late`, []any{string(org)}, &yes, &all)
	return yes, all, err
}

// eligible answers who can be offered a freed time now, by turns, and in each who asked first comes first; and, when some are asleep, when the first of
// them wakes.
func (s *Service) eligible(tx *store.Tx, f Freed, now time.Time) (who []Entry, quiet time.Time, err error) {
	list, err := s.Waitlist(tx, f.Org, f.Type)
	if err != nil {
		return nil, quiet, err
	}
	org, err := s.people.Org(tx, f.Org)
	if err != nil {
		return nil, quiet, err
	}
	name := org.Zone
	if f.Place != "" {
		if name, err = s.zoneOf(tx, f.Org, f.Place, org.Zone); err != nil {
			return nil, quiet, err
		}
	}
	zone, err := clock.Zone(name)
	if err != nil {
		return nil, quiet, err
	}
	asked := map[person.ID]bool{} // of this time already, or of another that is still open
	if err := tx.Rows("SELECT patient FROM offer WHERE org = $1 AND (freed = $2 OR state = 'open')", []any{string(f.Org), f.ID}, func(scan func(...any) error) error {
		var p person.ID
		err := scan(&p)
		asked[p] = true
		return err
	}); err != nil {
		return nil, quiet, err
	}
	for _, e := range list {
		if asked[e.Patient] || !e.Wish.fits(f, zone, now) || f.Start.After(e.Until) {
			continue
		}
		busy, err := s.hasNear(tx, e, f)
		if err != nil {
			return nil, quiet, err
		}
		if busy {
			continue
		}
		p, err := s.people.Get(tx, e.Org, e.Patient)
		if err != nil {
			return nil, quiet, err
		}
		if asleep, wakes := p.Quiet(now); asleep {
			if quiet.IsZero() || wakes.Before(quiet) {
				quiet = wakes
			}
			continue
		}
		who = append(who, e)
	}
	silent, err := s.silent(tx, f.Org)
	slices.SortStableFunc(who, func(a, b Entry) int { return policy.Turn(silent[a.Patient]) - policy.Turn(silent[b.Patient]) })
	return who, quiet, err
}

// hasNear reports whether a freed time is of no use to a person: she has another visit then, or one that is hardly later.
func (s *Service) hasNear(tx *store.Tx, e Entry, f Freed) (bool, error) {
	list, err := s.Of(tx, e.Org, e.Patient)
	if err != nil {
		return false, err
	}
	for _, a := range list {
		if !a.State.Live() {
			continue
		}
		if a.ID == e.Has && a.Start.Sub(f.Start) < policy.Sooner || a.ID != e.Has && a.Start.Before(f.End) && a.End.After(f.Start) {
			return true, nil
		}
	}
	return false, nil
}

// offer asks one person.
func (s *Service) offer(tx *store.Tx, f Freed, e Entry, now, until time.Time) error {
	ref, err := s.promises.Latest(tx, f.Org, OfferLadder)
	if err != nil {
		return err
	}
	a := Appointment{Org: f.Org, Patient: e.Patient, Way: f.Way, Place: f.Place, Start: f.Start, Resources: f.Resources}
	if a.Zone, err = s.zoneFor(tx, a); err != nil {
		return err
	}
	args, err := s.said(tx, a)
	if err != nil {
		return err
	}
	args["until"] = until.Format(time.RFC3339)
	o := OfferRow{Org: f.Org, Patient: e.Patient, ID: clock.DerivedID("offer", f.ID, e.ID), Entry: e.ID, Freed: f.ID, State: offerOpen, Sent: now, Until: until}
	o.Promise = clock.DerivedID("offer promise", o.ID)
	if _, err = s.promises.Make(tx, promise.Promise{Org: f.Org, Patient: e.Patient, ID: promise.ID(o.Promise), Kind: Offered, About: o.ID, Severity: promise.Routine, Say: "say.offer", Args: args,
		Keeper: promise.Keeper{Kind: "patient", Who: string(e.Patient)}, From: now, By: until.Add(time.Hour), Zone: a.Zone, Ladder: ref}); err != nil {
		return err
	}
	return s.putOffer(tx, o)
}

// zoneFor answers the zone in which a visit is said.
func (s *Service) zoneFor(tx *store.Tx, a Appointment) (string, error) {
	org, err := s.people.Org(tx, a.Org)
	if err != nil || a.Place == "" {
		return org.Zone, err
	}
	return s.zoneOf(tx, a.Org, a.Place, org.Zone)
}

// OfferByID answers one offer and its time.
func (s *Service) OfferByID(tx *store.Tx, org person.OrgID, id string) (OfferRow, Freed, error) {
	list, err := store.All(tx, offerSelect+" WHERE org = $1 AND id = $2", []any{string(org), id}, scanOffer)
	if err == nil && len(list) == 0 {
		err = fault.NotFoundf("There is no such offer.")
	}
	if err != nil {
		return OfferRow{}, Freed{}, err
	}
	freed, err := store.All(tx, freedSelect+" WHERE org = $1 AND id = $2", []any{string(org), list[0].Freed}, scanFreed)
	if err != nil || len(freed) == 0 {
		return list[0], Freed{}, err
	}
	return list[0], freed[0], nil
}

// OffersOf answers a patient's offers that still stand, soonest first.
func (s *Service) OffersOf(tx *store.Tx, org person.OrgID, patient person.ID) ([]OfferRow, error) {
	return store.All(tx, offerSelect+" WHERE org = $1 AND patient = $2 AND state = 'open' ORDER BY until_at, id", []any{string(org), string(patient)}, scanOffer)
}

// Answer takes a yes or a no to an offer. A yes that comes second answers ErrGone, and the person keeps her place; a late yes
// is as good as any while nobody else has the time.
func (s *Service) Answer(ctx context.Context, v person.Viewer, org person.OrgID, patient person.ID, id string, yes bool) (Appointment, error) {
	if err := s.people.Enter(ctx, v, person.Act, patient, "answer an offer"); err != nil {
		return Appointment{}, err
	}
	var a Appointment
	var gone error
	err := s.db.Write(ctx, func(tx *store.Tx) (err error) {
		a, err = s.answer(tx, v, org, patient, id, yes)
		if gone = nil; err == ErrGone { // what was written of it stays
			gone, err = err, nil
		}
		return err
	})
	if err == nil {
		err = gone
	}
	return a, err
}

// ErrGone is what the second hears who says yes to one time.
var ErrGone = &fault.Error{Kind: fault.Conflict, Say: "Just taken. You keep your place on the list."}

func (s *Service) answer(tx *store.Tx, v person.Viewer, org person.OrgID, patient person.ID, id string, yes bool) (Appointment, error) {
	o, f, err := s.OfferByID(tx, org, id)
	if err != nil {
		return Appointment{}, err
	}
	if o.Patient != patient {
		return Appointment{}, fault.NotFoundf("There is no such offer.")
	}
	if f, err = s.lockFreed(tx, org, f.ID); err != nil {
		return Appointment{}, err
	}
	if o, _, err = s.OfferByID(tx, org, id); err != nil { // as it is now that nobody else can change it
		return Appointment{}, err
	}
	now := s.clock.Now()
	entry, err := s.entry(tx, org, patient, o.Entry)
	if err != nil {
		return Appointment{}, err
	}
	if o.State == offerTaken && !yes {
		return Appointment{}, fault.Conflictf("You have that time already. To give it back, cancel the visit.")
	}
	if o.State == offerTaken {
		return s.Get(tx, org, entry.Took)
	}
	o.Answered = now
	if !yes {
		if o.State != offerOpen {
			return Appointment{}, nil
		}
		return Appointment{}, s.decline(tx, v, o, f)
	}
	if f.State == "filled" || f.State == "booked" || entry.State != Waiting || !f.Start.After(now) {
		return Appointment{}, s.gone(tx, v, o)
	}
	if err := s.unkeep(tx, f); err != nil {
		return Appointment{}, err
	}
	if entry.Has != "" { // given back or held in the meantime: there is nothing to give up
		if old, err := s.own(tx, org, patient, entry.Has); err != nil {
			return Appointment{}, err
		} else if old.State != Booked {
			entry.Has = ""
		}
	}
	var a Appointment
	err = tx.Try(func() (err error) {
		a, err = s.BookIn(tx, v, Request{Org: org, Patient: patient, Type: f.Type, Way: f.Way, Place: f.Place, Start: f.Start, Resources: f.Resources,
			Asked: entry.Asked, Follows: entry.Has, offered: true})
		return err
	})
	if errors.Is(err, ErrTaken) {
		f.State = "booked"
		if err := s.gone(tx, v, o); err != ErrGone {
			return a, err
		}
		if err := s.close(tx, f, o.ID); err != nil {
			return a, err
		}
		return a, ErrGone
	}
	if err != nil {
		return a, err
	}
	entry.State, entry.Took, entry.Closed = Filled, a.ID, now
	if err := s.putEntry(tx, entry); err != nil {
		return a, err
	}
	o.State = offerTaken
	if err := s.putOffer(tx, o); err != nil {
		return a, err
	}
	if _, err := s.promises.Give(tx, org, patient, promise.ID(o.Promise), promise.Evidence{Kind: "word", At: now, Source: "answer", By: string(v.Person)}); err != nil {
		return a, err
	}
	f.State = "filled"
	return a, s.close(tx, f, o.ID)
}

func (s *Service) entry(tx *store.Tx, org person.OrgID, patient person.ID, id string) (Entry, error) {
	list, err := store.All(tx, entrySelect+" WHERE org = $1 AND patient = $2 AND id = $3", []any{string(org), string(patient), id}, scanEntry)
	if err == nil && len(list) == 0 {
		err = fault.NotFoundf("You are not on this waitlist any more.")
	}
	if err != nil {
		return Entry{}, err
	}
	return list[0], nil
}

// gone tells a person that somebody else was first: it answers ErrGone once that is written.
func (s *Service) gone(tx *store.Tx, v person.Viewer, o OfferRow) error {
	if o.State == offerOpen || o.State == offerExpired {
		o.State = offerGone
		if err := s.putOffer(tx, o); err != nil {
			return err
		}
		if err := s.withdraw(tx, v, o, "gone"); err != nil {
			return err
		}
	}
	return ErrGone
}

func (s *Service) decline(tx *store.Tx, v person.Viewer, o OfferRow, f Freed) error {
	o.State = offerDeclined
	if err := s.putOffer(tx, o); err != nil {
		return err
	}
	if err := s.withdraw(tx, v, o, "declined"); err != nil {
		return err
	}
	var open int
	if _, err := tx.Row("SELECT COUNT(*) FROM offer WHERE org = $1 AND freed = $2 AND state = 'open'", []any{string(f.Org), f.ID}, &open); err != nil || open > 0 || f.State != "open" {
		return err
	}
	f.Next = s.clock.Now() // everybody has answered: ask the next at once
	return s.putFreed(tx, f)
}

// withdraw takes back the promise that an offer is.
func (s *Service) withdraw(tx *store.Tx, v person.Viewer, o OfferRow, reason string) error {
	p, err := s.promises.Get(tx, o.Org, o.Patient, promise.ID(o.Promise))
	if err != nil || p.State != promise.Open {
		return err
	}
	_, err = s.promises.Release(tx, v, o.Org, o.Patient, p.ID, reason, false)
	return err
}

// close ends a freed time: every other open offer of it is gone, and its person keeps her place. Who has not answered is not
// disturbed again; who answers hears it.
func (s *Service) close(tx *store.Tx, f Freed, winner string) error {
	if err := s.unkeep(tx, f); err != nil {
		return err
	}
	if err := s.putFreed(tx, f); err != nil {
		return err
	}
	open, err := store.All(tx, offerSelect+" WHERE org = $1 AND freed = $2 AND state = 'open' ORDER BY patient, id", []any{string(f.Org), f.ID}, scanOffer)
	if err != nil {
		return err
	}
	for _, o := range open {
		if o.ID == winner {
			continue
		}
		if err := s.gone(tx, person.SystemViewer(f.Org), o); err != ErrGone {
			return err
		}
	}
	return nil
}

// expireOffers closes offers that nobody answered.
func (s *Service) expireOffers(ctx context.Context) error {
	now := store.Micros(s.clock.Now())
	var due []OfferRow
	if err := s.db.Read(ctx, func(tx *store.Tx) (err error) {
		due, err = store.All(tx, offerSelect+" WHERE state = 'open' AND until_at <= $1 ORDER BY org, patient, id", []any{now}, scanOffer)
		return err
	}); err != nil || len(due) == 0 {
		return err
	}
	return s.db.Write(ctx, func(tx *store.Tx) error {
		for _, was := range due {
			if _, err := s.lockFreed(tx, was.Org, was.Freed); err != nil {
				return err
			}
			o, _, err := s.OfferByID(tx, was.Org, was.ID)
			if err != nil {
				return err
			}
			if o.State != offerOpen {
				continue
			}
			o.State = offerExpired
			if err := s.putOffer(tx, o); err != nil {
				return err
			}
			if err := s.withdraw(tx, person.SystemViewer(o.Org), o, "expired"); err != nil {
				return err
			}
		}
		return nil
	})
}

// ReplyOffer takes a numbered answer to an offer: 1 takes it, 2 waits on.
func (s *Service) ReplyOffer(tx *store.Tx, ans message.Answer, p promise.Promise) (string, map[string]string, error) {
	v := replier(ans)
	if err := s.people.May(tx, v, person.Act, ans.Patient); err != nil {
		return "", nil, err
	}
	a, err := s.answer(tx, v, ans.Org, ans.Patient, p.About, ans.Number == 1)
	switch {
	case err == ErrGone:
		return "thanks.offer.gone", nil, nil
	case fault.Is(err, fault.Conflict): // she has it already
		return "closed", nil, nil
	case err != nil:
		return "", nil, err
	case ans.Number != 1:
		return "thanks.offer.no", nil, nil
	}
	return "thanks.offer.yes", map[string]string{"way": "key:way." + string(a.Way), "at": words.AtValue(a.Start, a.Zone)}, nil
}

// replier is who answers by text.
func replier(ans message.Answer) person.Viewer {
	v := person.Viewer{Org: ans.Org, Person: ans.By, Role: person.Patient}
	if ans.By != ans.Patient {
		v.Role = person.Caregiver
	}
	return v
}
