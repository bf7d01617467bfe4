package api

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/programme"
	"doorstep/internal/store"
)

// facts are what a day's 30-day period and calendar month come to for a patient.
type facts struct {
	Patient person.ID `json:"patient"`
	From    string    `json:"from,omitempty" doc:"YYYY-MM-DD: where the 30 days begin, counted from the first reading; absent before it."`
	Days    int       `json:"days" doc:"Of the 30, with readings that came by themselves."`
	SetUp   bool      `json:"set_up" doc:"The 30 days are the first, with at least 2 days."`
	Minutes int       `json:"minutes" doc:"Worked in the calendar month."`
	Live    bool      `json:"live" doc:"Somebody spoke with the patient in that month."`
	Codes   []string  `json:"codes" doc:"Of remote monitoring in the United States, 2026."`
}

type minutes struct {
	ID      string    `json:"id"`
	Minutes int       `json:"minutes"`
	Live    bool      `json:"live"`
	At      time.Time `json:"at"`
}

func (s *server) programmeRoutes() {
	get(s, "programme", "/programme", "The facts of remote monitoring of every patient of one's teams, on a day. Staff only.", s.programme)
	get(s, "patient-programme", "/patients/{id}/programme", "The facts of remote monitoring of a patient, on a day. Staff only.", s.patientProgramme)
	post(s, "log-minutes", "/patients/{id}/minutes", "Writes down minutes of work for a patient. Staff only.", http.StatusCreated, s.logMinutes)
	post(s, "start-call", "/patients/{id}/calls", "Begins a telephone call with a patient; its time runs by itself. Another call of one's own ends. Staff only.", http.StatusCreated, s.startCall)
	post(s, "end-call", "/patients/{id}/calls/{call}/end", "Ends one's own call and books its minutes.", http.StatusOK, s.endCall)
	post(s, "correct-call", "/patients/{id}/calls/{call}/correction", "Puts the minutes of one's own call right; 0 discards it.", http.StatusOK, s.correctCall)
}

// call is a telephone call with a patient.
type call struct {
	ID      string    `json:"id"`
	State   string    `json:"state" enum:"open,booked,left,discarded" doc:"left: nobody ended it within an hour; nothing counts until it is corrected."`
	At      time.Time `json:"at" doc:"When it began."`
	Ended   time.Time `json:"ended,omitzero"`
	Minutes int       `json:"minutes" doc:"Whole minutes that count."`
	Live    bool      `json:"live"`
}

type programmeInput struct {
	Day string `query:"day" maxLength:"10" doc:"YYYY-MM-DD; today when left out."`
	Part
}

func (s *server) programme(ctx context.Context, c *caller, in *programmeInput) (list[facts], error) {
	var zone *time.Location
	err := s.DB.Read(ctx, func(tx *store.Tx) error {
		self, err := s.self(tx, c)
		zone = self.Location()
		return err
	})
	if err != nil {
		return list[facts]{}, err
	}
	day, err := readDay(in.Day, clock.DayOf(s.Clock.Now(), zone))
	if err != nil {
		return list[facts]{}, err
	}
	all, err := s.Programme.List(ctx, s.DB, c.Viewer, day)
	if err != nil {
		return list[facts]{}, err
	}
	slices.SortFunc(all, func(a, b programme.Facts) int { return cmp.Compare(a.Patient, b.Patient) }) // a cursor holds no names
	return cut(all, in.Part, func(f programme.Facts) string { return string(f.Patient) }, func(f programme.Facts) (facts, error) { return factsOf(f), nil })
}

type patientProgrammeInput struct {
	ID  person.ID `path:"id"`
	Day string    `query:"day" maxLength:"10" doc:"YYYY-MM-DD; today when left out."`
}

func (s *server) patientProgramme(ctx context.Context, c *caller, in *patientProgrammeInput) (facts, error) {
	if err := staffOnly(c); err != nil {
		return facts{}, err
	}
	p, err := s.enter(ctx, c, person.See, in.ID, "programme")
	if err != nil {
		return facts{}, err
	}
	day, err := readDay(in.Day, clock.DayOf(s.Clock.Now(), p.Location()))
	if err != nil {
		return facts{}, err
	}
	var f programme.Facts
	err = s.DB.Read(ctx, func(tx *store.Tx) (err error) { f, err = s.Programme.At(tx, c.Org, p.ID, day); return err })
	return factsOf(f), err
}

type logMinutesInput struct {
	ID person.ID `path:"id"`
	Write
	Body struct {
		Minutes int       `json:"minutes" minimum:"1" maximum:"240"`
		Live    bool      `json:"live,omitempty" doc:"They spoke, by telephone or video or in one room."`
		At      time.Time `json:"at,omitempty" doc:"When the work ended; now when left out."`
		Note    string    `json:"note,omitempty" maxLength:"500"`
	}
}

func (s *server) logMinutes(ctx context.Context, c *caller, in *logMinutesInput) (minutes, error) {
	if err := staffOnly(c); err != nil {
		return minutes{}, err
	}
	p, err := s.enter(ctx, c, person.Act, in.ID, "log minutes")
	if err != nil {
		return minutes{}, err
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (minutes, error) {
		b := in.Body
		m, err := s.Programme.Log(tx, c.Viewer, programme.Minutes{Patient: p.ID, Minutes: b.Minutes, Live: b.Live, At: b.At, Note: b.Note})
		return minutes{ID: m.ID, Minutes: m.Minutes, Live: m.Live, At: local(m.At, p.Location())}, err
	})
}

type startCallInput struct {
	ID person.ID `path:"id"`
	Write
}

type endCallInput struct {
	ID   person.ID `path:"id"`
	Call string    `path:"call"`
	Write
	Body struct {
		Live bool `json:"live" doc:"They spoke."`
	}
}

type correctCallInput struct {
	ID   person.ID `path:"id"`
	Call string    `path:"call"`
	Write
	Body struct {
		Minutes int  `json:"minutes" minimum:"0" maximum:"240"`
		Live    bool `json:"live,omitempty"`
	}
}

func (s *server) startCall(ctx context.Context, c *caller, in *startCallInput) (call, error) {
	return s.call(ctx, c, in.ID, in.Write, func(tx *store.Tx) (programme.Call, error) { return s.Programme.StartCall(tx, c.Viewer, in.ID) })
}

func (s *server) endCall(ctx context.Context, c *caller, in *endCallInput) (call, error) {
	return s.call(ctx, c, in.ID, in.Write, func(tx *store.Tx) (programme.Call, error) {
		return s.Programme.EndCall(tx, c.Viewer, in.ID, in.Call, in.Body.Live)
	})
}

func (s *server) correctCall(ctx context.Context, c *caller, in *correctCallInput) (call, error) {
	return s.call(ctx, c, in.ID, in.Write, func(tx *store.Tx) (programme.Call, error) {
		return s.Programme.CorrectCall(tx, c.Viewer, in.ID, in.Call, in.Body.Minutes, in.Body.Live)
	})
}

func (s *server) call(ctx context.Context, c *caller, patient person.ID, w Write, do func(tx *store.Tx) (programme.Call, error)) (call, error) {
	if err := staffOnly(c); err != nil {
		return call{}, err
	}
	p, err := s.enter(ctx, c, person.Act, patient, "call")
	if err != nil {
		return call{}, err
	}
	return once(ctx, s, c, w, func(tx *store.Tx) (call, error) {
		x, err := do(tx)
		out := call{ID: x.ID, State: string(x.State), At: local(x.At, p.Location()), Minutes: x.Minutes, Live: x.Live}
		if !x.Ended.IsZero() {
			out.Ended = local(x.Ended, p.Location())
		}
		return out, err
	})
}

func readDay(text string, otherwise clock.Day) (clock.Day, error) {
	if text == "" {
		return otherwise, nil
	}
	day, err := clock.ParseDay(text)
	if err != nil {
		err = fault.Invalidf("day: want a date like 2026-03-09.")
	}
	return day, err
}

func factsOf(f programme.Facts) facts {
	out := facts{Patient: f.Patient, Days: f.Days, SetUp: f.SetUp, Minutes: f.Minutes, Live: f.Live, Codes: append([]string{}, f.Codes()...)}
	if !f.From.IsZero() {
		out.From = f.From.String()
	}
	return out
}
