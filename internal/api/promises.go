package api

import (
	"context"
	"net/http"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/medication"
	"doorstep/internal/person"
	"doorstep/internal/promise"
	"doorstep/internal/store"
	"doorstep/internal/words"
)

// promised is a promise as programs see one: what was said, what became of it, and what was done meanwhile.
type promised struct {
	ID       promise.ID `json:"id"`
	Patient  person.ID  `json:"patient"`
	Kind     string     `json:"kind" doc:"dose, reading, call, answer, …"`
	About    string     `json:"about,omitempty" doc:"The domain's own id of the thing."`
	Sentence string     `json:"sentence" doc:"What was said, in the viewer's language."`
	Keeper   keeper     `json:"keeper"`
	From     time.Time  `json:"from" doc:"Due from."`
	By       time.Time  `json:"by" doc:"Broken when nothing has come by then."`
	Zone     string     `json:"zone" doc:"In which it was said."`
	Severity string     `json:"severity"`
	State    string     `json:"state" enum:"open,kept,broken,released"`
	Reason   string     `json:"reason,omitempty"`
	Made     time.Time  `json:"made"`
	Closed   time.Time  `json:"closed,omitzero"`
	Ladder   ladder     `json:"ladder"`
	Evidence []evidence `json:"evidence"`
	Rungs    []rung     `json:"rungs" doc:"Those that were climbed, in order."`
	NextRung time.Time  `json:"next_rung,omitzero" doc:"When the next is due, or the promise breaks, while it is open."`
}

type keeper struct {
	Kind string `json:"kind"`
	Who  string `json:"who,omitempty"`
}

type ladder struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
}

type evidence struct {
	Kind   string    `json:"kind"`
	At     time.Time `json:"at"`
	Source string    `json:"source"`
	By     string    `json:"by,omitempty"`
	For    string    `json:"for,omitempty" doc:"Done for this person by the other."`
	Note   string    `json:"note,omitempty"`
	Late   bool      `json:"late,omitempty" doc:"Came after the promise was broken."`
}

type rung struct {
	Rung    int       `json:"rung"`
	At      time.Time `json:"at"`
	Do      string    `json:"do" enum:"tell,light,task,page"`
	To      string    `json:"to"`
	Say     string    `json:"say" doc:"Key of what was said."`
	Skipped bool      `json:"skipped,omitempty" doc:"Left out: too late to be of use."`
}

func promisedOf(v promise.View, lang string) promised {
	zone, err := clock.Zone(v.Zone)
	if err != nil {
		zone = time.UTC
	}
	out := promised{ID: v.ID, Patient: v.Patient, Kind: v.Kind, About: v.About, Sentence: words.Tell(lang, v.Say, v.Args, zone), Keeper: keeper(v.Keeper),
		From: local(v.From, zone), By: local(v.By, zone), Zone: v.Zone, Severity: v.Severity.String(), State: v.State.String(), Reason: said(lang, v.Reason),
		Made: local(v.Made, zone), Closed: local(v.Closed, zone), Ladder: ladder(v.Ladder), Evidence: []evidence{}, Rungs: []rung{}, NextRung: local(v.RungAt, zone)}
	for _, e := range v.Evidence {
		out.Evidence = append(out.Evidence, evidence{Kind: e.Kind, At: local(e.At, zone), Source: e.Source, By: e.By, For: e.For, Note: said(lang, e.Note), Late: e.Late})
	}
	for _, r := range v.Climbed {
		out.Rungs = append(out.Rungs, rung{Rung: r.Rung, At: local(r.At, zone), Do: string(r.Do), To: r.To, Say: r.Say, Skipped: r.Skipped})
	}
	return out
}

// said puts a reason that is a catalog key into words; own words stay as they are.
func said(lang, reason string) string {
	if words.Has(reason) {
		return words.Say(lang, reason, nil)
	}
	return reason
}

func (s *server) promiseRoutes() {
	get(s, "list-promises", "/patients/{id}/promises", "What a patient was promised that is due in [from, to); thirty days around now when left out.", s.promises)
	post(s, "give-evidence", "/promises/{id}/evidence", "A tap or a word on a promise, by the viewer.", http.StatusOK, s.giveEvidence)
}

// around is how far a list reaches to each side of now when nothing is said.
const around = 30 * 24 * time.Hour

type promisesInput struct {
	ID person.ID `path:"id"`
	Span
	Part
}

func (s *server) promises(ctx context.Context, c *caller, in *promisesInput) (list[promised], error) {
	var out list[promised]
	p, err := s.enter(ctx, c, person.See, in.ID, "promises")
	if err != nil {
		return out, err
	}
	now := s.Clock.Now()
	from, to, err := in.Span.read(p.Location(), now.Add(-around), now.Add(around))
	if err != nil {
		return out, err
	}
	if from, err = in.resume(from); err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		self, err := s.self(tx, c)
		if err != nil {
			return err
		}
		views, err := s.Promise.Of(tx, c.Org, p.ID, from, to)
		if err != nil {
			return err
		}
		out, err = cut(views, in.Part, func(v promise.View) string { return timeKey(v.From) + "/" + string(v.ID) },
			func(v promise.View) (promised, error) { return promisedOf(v, self.Language), nil })
		return err
	})
	return out, err
}

type evidenceInput struct {
	ID promise.ID `path:"id"`
	Write
	Body struct {
		Patient person.ID `json:"patient" minLength:"1" doc:"Whose promise it is: it is looked up under this chart only."`
		Kind    string    `json:"kind,omitempty" enum:"tap,word" doc:"How it was said; a word when said for somebody else, else a tap."`
		Taken   *bool     `json:"taken,omitempty" doc:"False: not done, for the reason. True when left out."`
		Reason  string    `json:"reason,omitempty" maxLength:"500"`
		At      time.Time `json:"at,omitzero" doc:"When it happened; now when left out."`
	}
}

// clocksApart is how far ahead of ours a caller's clock may be.
const clocksApart = 5 * time.Minute

func (s *server) giveEvidence(ctx context.Context, c *caller, in *evidenceInput) (promised, error) {
	b := in.Body
	p, err := s.enter(ctx, c, person.Act, b.Patient, "answer a promise")
	if err != nil {
		return promised{}, err
	}
	now := s.Clock.Now()
	if b.At.IsZero() {
		b.At = now
	}
	if b.At.After(now.Add(clocksApart)) {
		return promised{}, fault.Invalidf("at: that time is still to come.")
	}
	w := medication.Word{Org: c.Org, Patient: p.ID, Promise: in.ID, Taken: b.Taken == nil || *b.Taken, Reason: b.Reason, By: c.Person, Kind: b.Kind, Source: "api", At: b.At}
	usual := "tap"
	if c.Person != p.ID {
		w.For, usual = p.ID, "word"
	}
	if w.Kind == "" {
		w.Kind = usual
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (promised, error) {
		before, err := s.Promise.Get(tx, c.Org, p.ID, in.ID)
		if err != nil {
			return promised{}, err
		}
		if err := s.take(tx, c, before, w); err != nil {
			return promised{}, err
		}
		self, err := s.self(tx, c)
		if err != nil {
			return promised{}, err
		}
		views, err := s.Promise.Of(tx, c.Org, p.ID, before.From, before.From.Add(time.Microsecond))
		for _, v := range views {
			if v.ID == in.ID {
				return promisedOf(v, self.Language), nil
			}
		}
		return promised{}, err
	})
}

// take gives a word to a promise. What the clinic has to keep is kept by the clinic's word; anybody else's is noted beside it.
func (s *server) take(tx *store.Tx, c *caller, p promise.Promise, w medication.Word) error {
	if p.Kind == medication.Kind {
		return s.Medication.Say(tx, w)
	}
	e := promise.Evidence{Kind: w.Kind, At: w.At, Source: w.Source, By: string(w.By), For: string(w.For), Note: w.Reason}
	ours := p.Keeper.Kind == "patient" || p.Keeper.Kind == "caregiver" || c.Role.Staff()
	var err error
	if w.Taken && ours {
		_, err = s.Promise.Give(tx, w.Org, w.Patient, w.Promise, e)
	} else {
		_, err = s.Promise.Note(tx, w.Org, w.Patient, w.Promise, e)
	}
	return err
}
