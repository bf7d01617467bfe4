package api

import (
	"context"
	"math"
	"net/http"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/appointment/noshow"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/stat"
	"doorstep/internal/store"
)

// measured is a number with its 95 % interval and what it was counted from; null where it has no meaning.
type measured struct {
	Value *float64 `json:"value"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
	N     int      `json:"n"`
}

func measuredOf(i stat.Interval) measured {
	return measured{number(i.Value), number(i.Low), number(i.High), i.N}
}

// number answers nil for what is no number.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

type accessOut struct {
	From  time.Time     `json:"from"`
	To    time.Time     `json:"to"`
	Seen  accessSeen    `json:"seen"`
	Third []accessThird `json:"third_next_available" doc:"One sample a day for each clinician, type and way, the latest day first."`

	Missed    map[appointment.Way]measured `json:"missed" doc:"Share of visits that were missed, by way."`
	Confirmed measured                     `json:"confirmed"`
	Accepted  measured                     `json:"offers_accepted" doc:"Of offers that were taken, declined, or ran out."`
	Gone      int                          `json:"offers_gone" doc:"That somebody else was first to take."`
	Filled    measured                     `json:"freed_filled" doc:"Share of freed times that somebody has, of those whose time has come."`
	PerFill   float64                      `json:"messages_per_fill"`
	Model     accessModel                  `json:"noshow_model"`
	Groups    []accessGroup                `json:"groups" doc:"How offers went by age, language and distance; a group of fewer than ten is hidden, and one from which it could be worked out."`
}

type accessSeen struct {
	N          int      `json:"n"`
	Ended      int      `json:"seen"`
	MedianDays *float64 `json:"median_days" doc:"By Kaplan and Meier: those who still wait are counted. null: less than half have been seen."`
	MeanDays   measured `json:"mean_days" doc:"Of waits cut at cut_days."`
	CutDays    float64  `json:"cut_days"`
}

type accessThird struct {
	Day      string          `json:"day"`
	Type     string          `json:"type"`
	Way      appointment.Way `json:"way"`
	Resource string          `json:"resource"`
	Days     *float64        `json:"days" doc:"null: fewer than three times are free."`
}

type accessModel struct {
	Own     bool        `json:"own" doc:"Whether chances come from the clinic's own visits; else from the prior curve."`
	Source  string      `json:"source,omitempty" doc:"Of the prior curve, when that is used."`
	Visits  int         `json:"visits"`
	Missed  int         `json:"missed"`
	Lacking int         `json:"visits_lacking" doc:"Before the model may be learnt."`
	Brier   *float64    `json:"brier,omitempty" doc:"On visits later than all it learnt from."`
	ECE     *float64    `json:"ece,omitempty"`
	Bins    []accessBin `json:"bins,omitempty"`
}

type accessBin struct {
	Said   float64  `json:"said"`
	Missed measured `json:"missed"`
}

type accessGroup struct {
	By      appointment.By `json:"by" enum:"age,language,distance"`
	Name    string         `json:"name" doc:"Empty: not known."`
	Hidden  bool           `json:"hidden"`
	People  int            `json:"people"`
	Offered measured       `json:"offered"`
	Took    measured       `json:"took"`
	Days    measured       `json:"days_gained"`
}

func (s *server) accessRoutes() {
	get(s, "overbooking", "/overbooking", "The simulated prices of booking beside others of the last 30 days, and where it is switched on. Staff only.", s.overbooking)
	post(s, "simulate-overbooking", "/overbooking/prices", "Simulates what booking beside others would cost one clinician and type. Takes seconds; nothing is switched on. Staff only.", http.StatusCreated, s.priceOverbooking)
	post(s, "switch-overbooking", "/overbooking", "Switches it on at a price that was simulated in the last 30 days, or off (resource and type). Staff only.", http.StatusOK, s.switchOverbooking)
	get(s, "access", "/access", "How soon people are seen, with those still waiting counted, and how offers of sooner times went. For staff and leaders; nobody is named.", s.access)
}

func (s *server) access(ctx context.Context, c *caller, in *struct {
	From time.Time `query:"from" doc:"90 days ago when left out."`
	To   time.Time `query:"to" doc:"Now when left out."`
}) (out accessOut, err error) {
	if !c.Role.Staff() && c.Role != person.Leader {
		return out, fault.Deniedf("This is for the staff of the clinic and its leaders.")
	}
	now := s.Clock.Now()
	if in.To.IsZero() {
		in.To = now
	}
	if in.From.IsZero() {
		in.From = in.To.AddDate(0, 0, -90)
	}
	if !in.From.Before(in.To) {
		return out, fault.Invalidf("The span ends before it begins. Please choose the days again.")
	}
	var a appointment.Access
	var thirds []appointment.Third
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		if a, err = s.Appointment.Access(tx, c.Org, in.From, in.To); err != nil {
			return err
		}
		thirds, err = s.Appointment.Thirds(tx, c.Org, clock.DayOf(in.From, time.UTC))
		return err
	})
	if err != nil {
		return out, err
	}
	out = accessOut{From: in.From, To: in.To, Third: []accessThird{}, Missed: map[appointment.Way]measured{}, Confirmed: measuredOf(a.Confirmed), Accepted: measuredOf(a.Accepted),
		Gone: a.Gone, Filled: measuredOf(a.Filled), PerFill: a.PerFill, Groups: []accessGroup{},
		Seen: accessSeen{a.Seen.N, a.Seen.Ended, number(a.Seen.Median), measuredOf(a.Seen.Mean), a.Seen.Until}, Model: accessModelOf(a.Model)}
	for w, i := range a.Missed {
		out.Missed[w] = measuredOf(i)
	}
	for _, t := range thirds {
		x := accessThird{t.Day, t.Type, t.Way, t.Resource, nil}
		if t.Days >= 0 {
			x.Days = &t.Days
		}
		out.Third = append(out.Third, x)
	}
	for _, g := range a.Groups {
		out.Groups = append(out.Groups, accessGroup{g.By, g.Name, g.Hidden, g.People, measuredOf(g.Offered), measuredOf(g.Took), measuredOf(g.Days)})
	}
	return out, nil
}

func accessModelOf(m noshow.Model) accessModel {
	out := accessModel{Own: m.Own(), Visits: m.Visits, Missed: m.Missed}
	visits, missed, held := m.Lacking()
	out.Lacking = max(visits, missed, held)
	if !out.Own {
		out.Source = noshow.PriorSource
	}
	if m.Weights != nil {
		out.Brier, out.ECE = number(m.Check.Brier), number(m.Check.ECE)
		for _, b := range m.Check.Bins {
			out.Bins = append(out.Bins, accessBin{b.Said, measuredOf(b.Missed)})
		}
	}
	return out
}
