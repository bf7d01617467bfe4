package api

import (
	"context"
	"math"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/medication"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// adherence is how a patient's own doses went. A share that has no meaning is null, never 0.
type adherence struct {
	From        string   `json:"from" doc:"First day, as the patient's days begin and end."`
	To          string   `json:"to" doc:"Last full day."`
	Doses       int      `json:"doses" doc:"Due on scored days: the n of taking and on_time."`
	Days        int      `json:"days" doc:"Scored, with something due: the n of correct_dosing."`
	DaysAway    int      `json:"days_away" doc:"In hospital: not scored."`
	Taking      *float64 `json:"taking" doc:"Doses done of those due; a day's doses count up to what was due."`
	Correct     *float64 `json:"correct_dosing" doc:"Share of days with exactly what was due."`
	OnTime      *float64 `json:"on_time" doc:"Share of due doses done at most an hour before or after."`
	Persistence int      `json:"persistence_days" doc:"From the first dose to the last, both included; 0 without any."`
	Holidays    []period `json:"drug_holidays" doc:"Three days or more in a row without a dose, before the last one."`
	Said        int      `json:"said" doc:"Of what was done, by a person's word."`
	Likely      int      `json:"likely" doc:"Given out, or the box got lighter."`
	Seen        int      `json:"seen" doc:"Opened, nothing more is known."`
	Covered     []cover  `json:"covered" doc:"Proportion of days covered, from what was handed out."`
	Pattern     *pattern `json:"pattern" doc:"Where doses are missed, if anywhere stands out."`
}

type period struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type cover struct {
	Regimen string   `json:"regimen"`
	Name    string   `json:"name"`
	PDC     *float64 `json:"pdc"`
	Fills   int      `json:"fills"`
}

type pattern struct {
	Part   string `json:"part" enum:",morning,noon,evening,night" doc:"Empty: the whole day."`
	When   string `json:"when" enum:"always,weekday,weekend"`
	Missed int    `json:"missed"`
	Due    int    `json:"due"`
}

func (s *server) adherenceRoutes() {
	get(s, "get-adherence", "/patients/{id}/adherence", "How a patient's own doses went: the EMERGE measures, and days covered. Four weeks until yesterday when left out.", s.adherence)
}

type adherenceInput struct {
	ID   person.ID `path:"id"`
	From string    `query:"from" maxLength:"10" doc:"YYYY-MM-DD"`
	To   string    `query:"to" maxLength:"10" doc:"YYYY-MM-DD, included"`
}

func (s *server) adherence(ctx context.Context, c *caller, in *adherenceInput) (adherence, error) {
	var out adherence
	p, err := s.enter(ctx, c, person.See, in.ID, "adherence")
	if err != nil {
		return out, err
	}
	to := p.DayOf(s.Clock.Now()).Add(-1)
	if in.To != "" {
		if to, err = clock.ParseDay(in.To); err != nil {
			return out, fault.Invalidf("to: want a date like 2026-03-09.")
		}
	}
	from := to.Add(-27)
	if in.From != "" {
		if from, err = clock.ParseDay(in.From); err != nil {
			return out, fault.Invalidf("from: want a date like 2026-03-09.")
		}
	}
	if to.Before(from) {
		return out, fault.Invalidf("to: it lies before from.")
	}
	var m medication.Measures
	if err := s.DB.Read(ctx, func(tx *store.Tx) (err error) { m, err = s.Medication.Adherence(tx, p, from, to); return err }); err != nil {
		return out, err
	}
	out = adherence{From: m.From.String(), To: m.To.String(), Doses: m.Doses, Days: m.Days, DaysAway: m.Away, Taking: share(m.Taking), Correct: share(m.Correct), OnTime: share(m.OnTime),
		Persistence: m.Kept.Days, Holidays: []period{}, Said: m.Said, Likely: m.Likely, Seen: m.Seen, Covered: []cover{}}
	for _, h := range m.Holidays {
		out.Holidays = append(out.Holidays, period{h.From.String(), h.To.String()})
	}
	for _, x := range m.Covered {
		out.Covered = append(out.Covered, cover{x.Regimen, x.Name, share(x.PDC), x.Fills})
	}
	if part, when, missed, due, ok := m.Pattern(); ok {
		out.Pattern = &pattern{part, when, missed, due}
	}
	return out, nil
}

// share answers null for what has no meaning.
func share(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}
