package conversation

import (
	"context"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
)

const (
	// CallBack is the kind of the promise that we call somebody back.
	CallBack = "callback"
	// CallLadder is what it climbs.
	CallLadder = "callback"

	callKind   = "call"
	backWithin = 30 * time.Minute // while somebody is on duty
	callGrace  = 30 * time.Minute // after the next shift begins, when nobody is
)

// Call is a telephone call that reached the clinic's number. Nobody waits in a line: it becomes a place among those to be called back.
type Call struct {
	Org  person.OrgID
	From string // E.164
	Ref  string // the provider's: the same call told twice is one
}

// Told is what the caller hears: by when she is called back, in her language.
type Told struct {
	By       time.Time
	Language string
	Zone     *time.Location
	Known    bool // the number is one person's
	Urgent   bool
}

// Called takes a call. A number that is one patient's is a promise to her; any other is a task for the desk, with the number: never a guess.
func (s *Service) Called(ctx context.Context, c Call) (Told, error) {
	from, err := person.Phone(c.From)
	if err != nil {
		return Told{}, err
	}
	if c.Ref == "" {
		return Told{}, fault.Invalidf("A call needs the provider's reference.")
	}
	c.From = from
	var told Told
	err = s.db.Write(ctx, func(tx *store.Tx) (err error) { told, err = s.called(tx, c); return err })
	return told, err
}

func (s *Service) called(tx *store.Tx, c Call) (Told, error) {
	org, err := s.people.Org(tx, c.Org)
	if err != nil {
		return Told{}, err
	}
	zone, err := clock.Zone(org.Zone)
	if err != nil {
		return Told{}, err
	}
	told := Told{Language: org.Language, Zone: zone}
	if told.By, err = s.backBy(tx, org.ID, zone); err != nil {
		return told, err
	}
	who, err := s.caller(tx, c)
	if err != nil {
		return told, err
	}
	if who.ID == "" {
		return told, s.promises.OpenTask(tx, promise.TaskRow{Org: c.Org, ID: clock.DerivedID("call", string(c.Org), c.Ref), Kind: CallBack, Role: person.Desk, Severity: promise.Watch,
			Say: "task.callback.unknown", Args: map[string]string{"phone": c.From, "time": told.By.Format(time.RFC3339)}, Cause: "callback"})
	}
	told.Language, told.Zone, told.Known = who.Language, who.Location(), true
	list, err := s.Of(tx, c.Org, who.ID)
	if err != nil {
		return told, err
	}
	for _, had := range list {
		if had.Kind != callKind || !had.Answered.IsZero() {
			continue
		}
		if had.By.After(s.clock.Now()) { // she calls again: the first time said holds
			told.By = had.By
			return told, nil
		}
		had.By = told.By // it was not kept: a new promise, of the same call
		return told, s.promise(tx, &had, "say.callback")
	}
	x := Conversation{Org: c.Org, Patient: who.ID, ID: clock.DerivedID("call", string(c.Org), c.Ref), Kind: callKind, Role: person.Desk, Opened: s.clock.Now(), By: told.By, Phone: c.From}
	return told, s.promise(tx, &x, "say.callback")
}

// PromiseBack promises a patient that we call her, because a matter of ours (ref) needs it, and answers by when. Where a call back is promised
// already the first time said holds.
func (s *Service) PromiseBack(tx *store.Tx, org person.OrgID, patient person.ID, ref string) (time.Time, error) {
	o, err := s.people.Org(tx, org)
	if err != nil {
		return time.Time{}, err
	}
	zone, err := clock.Zone(o.Zone)
	if err != nil {
		return time.Time{}, err
	}
	list, err := s.Of(tx, org, patient)
	if err != nil {
		return time.Time{}, err
	}
	for _, had := range list {
		if had.Kind == callKind && had.Answered.IsZero() && had.By.After(s.clock.Now()) {
			return had.By, nil
		}
	}
	x := Conversation{Org: org, Patient: patient, ID: clock.DerivedID("call", string(org), ref), Kind: callKind, Role: person.Desk, Opened: s.clock.Now()}
	if x.By, err = s.backBy(tx, org, zone); err != nil {
		return x.By, err
	}
	return x.By, s.promise(tx, &x, "say.callback")
}

// caller answers the patient whose number it is, if there is exactly one.
func (s *Service) caller(tx *store.Tx, c Call) (person.Person, error) {
	contacts, err := s.people.AtAddress(tx, c.Org, person.SMS, c.From)
	if err != nil {
		return person.Person{}, err
	}
	calls, err := s.people.AtAddress(tx, c.Org, person.Voice, c.From)
	if err != nil {
		return person.Person{}, err
	}
	contacts = append(contacts, calls...)
	if len(contacts) == 0 || slices.ContainsFunc(contacts, func(x person.Contact) bool { return x.Person != contacts[0].Person }) {
		return person.Person{}, nil
	}
	p, err := s.people.Get(tx, c.Org, contacts[0].Person)
	if err != nil || p.Role != person.Patient {
		return person.Person{}, err
	}
	return p, nil
}

// backBy answers when a caller can honestly be told that she is called back: soon while somebody is on duty, else once the next shift has begun;
// where no shifts are kept, on weekdays from eight to six.
func (s *Service) backBy(tx *store.Tx, org person.OrgID, zone *time.Location) (time.Time, error) {
	now := s.clock.Now()
	teams, err := s.people.Teams(tx, org)
	if err != nil {
		return now, err
	}
	ids := make([]person.TeamID, len(teams))
	for i, t := range teams {
		ids[i] = t.ID
	}
	for _, role := range []person.Role{person.Desk, person.Nurse} {
		on, err := s.people.OnDuty(tx, org, role, ids, now)
		if err != nil {
			return now, err
		}
		if len(on) > 0 {
			return now.Add(backWithin), nil
		}
	}
	day := clock.DayOf(now, zone)
	for range 8 {
		opens, closes := clock.At(day, clock.WallAt(8, 0), zone), clock.At(day, clock.WallAt(18, 0), zone)
		if w := day.Weekday(); w != time.Saturday && w != time.Sunday && now.Before(closes) {
			if now.Before(opens) {
				return opens.Add(callGrace), nil
			}
			return now.Add(backWithin), nil
		}
		day = day.Add(1)
	}
	return now.Add(24 * time.Hour), nil
}

// Pressing says that a call cannot wait: somebody is called at once.
func (s *Service) Pressing(ctx context.Context, c Call) (Told, error) {
	told, err := s.Called(ctx, c)
	if err != nil {
		return told, err
	}
	err = s.db.Write(ctx, func(tx *store.Tx) error {
		now := s.clock.Now()
		told.Urgent, told.By = true, now.Add(redMinutes*time.Minute)
		who, err := s.caller(tx, Call{Org: c.Org, From: mustPhone(c.From)})
		if err != nil {
			return err
		}
		if who.ID == "" {
			return s.promises.OpenTask(tx, promise.TaskRow{Org: c.Org, ID: clock.DerivedID("call urgent", string(c.Org), c.Ref), Kind: CallBack, Role: person.Nurse, Severity: promise.Urgent,
				Say: "task.callback.unknown", Args: map[string]string{"phone": mustPhone(c.From), "time": told.By.Format(time.RFC3339)}, Cause: "callback"})
		}
		list, err := s.Of(tx, c.Org, who.ID)
		if err != nil {
			return err
		}
		for _, x := range list {
			if x.Kind != callKind || !x.Answered.IsZero() {
				continue
			}
			if x.Red && x.By.After(now) {
				told.By = x.By
				return nil
			}
			if err := s.withdraw(tx, x, "urgent"); err != nil {
				return err
			}
			x.Red, x.Role, x.By = true, person.Nurse, told.By
			return s.promise(tx, &x, "say.callback")
		}
		return nil
	})
	return told, err
}

// mustPhone answers a number that Called has read already.
func mustPhone(text string) string {
	n, err := person.Phone(text)
	if err != nil {
		return text
	}
	return n
}

// Reached writes down that a patient was called back: it keeps what was promised to those who called.
func (s *Service) Reached(tx *store.Tx, v person.Viewer, patient person.ID, at time.Time) error {
	list, err := s.Of(tx, v.Org, patient)
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.Kind != callKind || !c.Answered.IsZero() {
			continue
		}
		c.Answered, c.Owner = at, v.Person
		if err := s.put(tx, c); err != nil {
			return err
		}
		if _, err := s.promises.Give(tx, v.Org, patient, c.Promise, promise.Evidence{Kind: "call", At: at, Source: "desk", By: string(v.Person)}); err != nil {
			return err
		}
	}
	return nil
}

// Closed is told by the ledger when a promise of ours leaves the open state: a task that was done keeps it, and then the conversation is answered.
func (s *Service) Closed(tx *store.Tx, p promise.Promise) error {
	if p.State != promise.Kept {
		return nil
	}
	list, err := s.Of(tx, p.Org, p.Patient)
	if err != nil {
		return err
	}
	for _, c := range list {
		if c.Promise == p.ID && c.Answered.IsZero() {
			c.Answered = p.Closed
			return s.put(tx, c)
		}
	}
	return nil
}

// AskCall promises a patient who asks for it on a page that we call her, at the first of her telephones.
func (s *Service) AskCall(ctx context.Context, v person.Viewer, patient person.ID) (time.Time, error) {
	if err := s.people.Enter(ctx, v, person.Act, patient, "ask for a call"); err != nil {
		return time.Time{}, err
	}
	var by time.Time
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		contacts, err := s.people.Contacts(tx, v.Org, patient)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(contacts, func(c person.Contact) bool { return c.Channel == person.SMS || c.Channel == person.Voice })
		if i < 0 {
			return fault.Invalidf("We have no phone number for you. Please call us, or send a message.")
		}
		list, err := s.Of(tx, v.Org, patient)
		if err != nil {
			return err
		}
		for _, had := range list {
			if had.Kind == callKind && had.Answered.IsZero() && had.By.After(s.clock.Now()) {
				by = had.By
				return nil
			}
		}
		org, err := s.people.Org(tx, v.Org)
		if err != nil {
			return err
		}
		zone, err := clock.Zone(org.Zone)
		if err != nil {
			return err
		}
		if by, err = s.backBy(tx, v.Org, zone); err != nil {
			return err
		}
		x := Conversation{Org: v.Org, Patient: patient, ID: s.ids.New(), Kind: callKind, Role: person.Desk, Opened: s.clock.Now(), By: by, Phone: contacts[i].Address}
		return s.promise(tx, &x, "say.callback")
	})
	return by, err
}
