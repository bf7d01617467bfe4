package api

import (
	"context"
	"slices"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/reading/watch"
	"doorstep/internal/store"
)

// alertWeek is what alerts asked of a team's nurses in seven days.
type alertWeek struct {
	From     time.Time    `json:"from"`
	Until    time.Time    `json:"until"`
	Nurses   int          `json:"nurses"`
	Alerts   int          `json:"alerts"`
	PerNurse float64      `json:"per_nurse"`
	Judged   int          `json:"judged" doc:"Calls of which somebody said whether they needed action."`
	Needed   int          `json:"needed"`
	Spent    []alertSpend `json:"spent"`
}

type alertSpend struct {
	Set      string `json:"set,omitempty" doc:"Of rules; absent for a rule of the person's own."`
	Series   string `json:"series"`
	Kind     string `json:"kind" enum:"limit,silence"`
	Alerts   int    `json:"alerts"`
	Patients int    `json:"patients"`
	Judged   int    `json:"judged"`
	Needed   int    `json:"needed"`
}

// alertBudget is what a team's alerts came to, the latest week first, and its budget.
type alertBudget struct {
	Team     person.TeamID `json:"team"`
	PerNurse *int          `json:"per_nurse" doc:"Alerts for each nurse in a week that the team set out to ask; null: nobody has set one."`
	Weeks    []alertWeek   `json:"weeks"`
}

func (s *server) alertRoutes() {
	get(s, "get-alert-budget", "/teams/{team}/alerts", "What alerts asked of a team's nurses, beside its budget. Staff of the team only.", s.alertBudget)
}

type alertBudgetInput struct {
	Team  person.TeamID `path:"team"`
	Weeks int           `query:"weeks" minimum:"1" maximum:"53" default:"6"`
}

func (s *server) alertBudget(ctx context.Context, c *caller, in *alertBudgetInput) (out alertBudget, err error) {
	if err := staffOnly(c); err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		self, err := s.self(tx, c)
		if err != nil {
			return err
		}
		if !slices.Contains(self.Teams, in.Team) {
			return fault.Deniedf("That is not one of your teams.")
		}
		out = alertBudget{Team: in.Team, Weeks: []alertWeek{}}
		b, err := s.Watch.BudgetOf(tx, c.Org, in.Team)
		if err != nil {
			return err
		}
		if b.PerNurse > 0 {
			out.PerNurse = &b.PerNurse
		}
		weeks, err := s.Watch.Weeks(tx, c.Org, in.Team, s.Clock.Now(), in.Weeks)
		for _, w := range weeks {
			out.Weeks = append(out.Weeks, alertWeekOf(w, self.Location()))
		}
		return err
	})
	return out, err
}

func alertWeekOf(w watch.Week, zone *time.Location) alertWeek {
	out := alertWeek{From: local(w.From, zone), Until: local(w.Until, zone), Nurses: w.Nurses, Alerts: w.Alerts, PerNurse: w.PerNurse, Judged: w.Judged, Needed: w.Needed, Spent: []alertSpend{}}
	for _, x := range w.Spends {
		out.Spent = append(out.Spent, alertSpend{x.Name, x.Series, x.Kind, x.Alerts, x.Patients, x.Judged, x.Needed})
	}
	return out
}
