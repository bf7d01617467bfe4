package api

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/journey"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

func (s *server) journeyRoutes() {
	get(s, "patient-journeys", "/patients/{id}/journeys", "A patient's weeks ahead: trips, what is done at home, what has no time yet, what may move, and what it saves.", s.patientJourneys)
	post(s, "accept-journey", "/patients/{id}/journeys/accept", "Promises a trip with all on it, or one thing at home; visits are booked in the same transaction. 409 when somebody was faster.", http.StatusOK, s.acceptJourney)
	post(s, "answer-move", "/patients/{id}/journeys/asks/{ask}", "Says yes or no to a move of what was promised.", http.StatusOK, s.answerJourneyMove)
	get(s, "patient-needs", "/patients/{id}/needs", "What is open on a patient's list, the most pressing first.", s.patientNeeds)
	post(s, "add-need", "/patients/{id}/needs", "Puts a need on a patient's list, or changes the open one with its id.", http.StatusCreated, s.addNeed)
	post(s, "end-need", "/patients/{id}/needs/{need}/end", "Takes a need off a patient's list; what was promised for it is given back.", http.StatusOK, s.endNeed)
	get(s, "patient-burden", "/patients/{id}/burden", "What days burdened a patient, beside the nearest place with one trip for each need, opened to its rows.", s.patientBurden)
	get(s, "burden", "/burden", "What days burdened all patients, beside the same counterfactual. Staff and leaders.", s.allBurden)
	get(s, "kinds-of-need", "/needs/kinds", "The kinds of needs with the ways in which they can be met.", s.needKinds)
	post(s, "save-kind-of-need", "/needs/kinds", "Makes a kind of need, or a new version of the one with its id. Staff only.", http.StatusOK, s.saveNeedKind)
	get(s, "outlets", "/outlets", "Pharmacies, shops and laboratories with their hours. Staff only.", s.outlets)
	post(s, "save-outlet", "/outlets", "Makes an outlet or changes the one with its id. Staff only.", http.StatusOK, s.saveOutlet)
}

// weeksAhead is a person's weeks.
type weeksAhead struct {
	Made    journey.Made   `json:"made"`
	Items   []journeyItem  `json:"items"`
	Trips   []journey.Trip `json:"trips"`
	Asks    []journeyAsk   `json:"asks" doc:"Moves of what was promised that she is asked about."`
	Coming  journey.Sums   `json:"coming" doc:"What is ahead burdens."`
	Instead journey.Sums   `json:"instead" doc:"What it would: the nearest place, one trip for each need."`
}

// journeyItem is a need with its way and time; by a name of its own in the description.
type journeyItem journey.Item

// journeyAsk is a question whether something may move.
type journeyAsk struct {
	ID     string        `json:"id"`
	Made   time.Time     `json:"made"`
	Until  time.Time     `json:"until"`
	Saves  float64       `json:"saves" doc:"Patient-minutes."`
	Forced bool          `json:"forced" doc:"What was promised is no longer possible."`
	Moves  []journeyMove `json:"moves"`
}

type journeyMove struct {
	From journeyItem `json:"from"`
	To   journeyItem `json:"to"`
}

type ofPatient struct {
	ID person.ID `path:"id"`
}

func (s *server) patientJourneys(ctx context.Context, c *caller, in *ofPatient) (weeksAhead, error) {
	if _, err := s.enter(ctx, c, person.See, in.ID, "journeys"); err != nil {
		return weeksAhead{}, err
	}
	if err := s.Journey.Ensure(ctx, c.Org, in.ID); err != nil {
		return weeksAhead{}, err
	}
	return s.ahead(ctx, c, in.ID)
}

func (s *server) ahead(ctx context.Context, c *caller, patient person.ID) (weeksAhead, error) {
	var w journey.Weeks
	err := s.DB.Read(ctx, func(tx *store.Tx) (err error) { w, err = s.Journey.Of(tx, c.Org, patient); return err })
	out := weeksAhead{Made: w.Made, Items: []journeyItem{}, Trips: append([]journey.Trip{}, w.Trips...), Asks: []journeyAsk{}}
	for _, it := range w.Items {
		out.Items = append(out.Items, journeyItem(it))
	}
	for _, a := range w.Asks {
		x := journeyAsk{ID: a.ID, Made: a.Made, Until: a.Until, Saves: a.Saves, Forced: a.Forced}
		for _, m := range a.Moves {
			x.Moves = append(x.Moves, journeyMove{journeyItem(m.From), journeyItem(m.To)})
		}
		out.Asks = append(out.Asks, x)
	}
	out.Coming, out.Instead = journey.Coming(w.Items, w.Trips)
	return out, err
}

func (s *server) acceptJourney(ctx context.Context, c *caller, in *struct {
	Write
	ID   person.ID `path:"id"`
	Body struct {
		What string `json:"what" minLength:"1" maxLength:"120" doc:"The id of a trip, or of a thing at home."`
	}
}) (weeksAhead, error) {
	if _, err := s.enter(ctx, c, person.Act, in.ID, "say yes to a plan"); err != nil {
		return weeksAhead{}, err
	}
	return onceApart(ctx, s, c, in.Write, func() (weeksAhead, error) {
		if err := s.Journey.Accept(ctx, c.Viewer, in.ID, in.Body.What); err != nil {
			return weeksAhead{}, err
		}
		return s.ahead(ctx, c, in.ID)
	})
}

func (s *server) answerJourneyMove(ctx context.Context, c *caller, in *struct {
	Write
	ID   person.ID `path:"id"`
	Ask  string    `path:"ask"`
	Body struct {
		Yes bool `json:"yes"`
	}
}) (weeksAhead, error) {
	if _, err := s.enter(ctx, c, person.Act, in.ID, "answer a move"); err != nil {
		return weeksAhead{}, err
	}
	return onceApart(ctx, s, c, in.Write, func() (weeksAhead, error) {
		if err := s.Journey.AnswerMove(ctx, c.Viewer, in.ID, in.Ask, in.Body.Yes); err != nil {
			return weeksAhead{}, err
		}
		return s.ahead(ctx, c, in.ID)
	})
}

func (s *server) patientNeeds(ctx context.Context, c *caller, in *struct {
	Part
	ID person.ID `path:"id"`
}) (list[journey.Need], error) {
	if _, err := s.enter(ctx, c, person.See, in.ID, "journeys"); err != nil {
		return list[journey.Need]{}, err
	}
	var all []journey.Need
	if err := s.DB.Read(ctx, func(tx *store.Tx) (err error) { all, err = s.Journey.Needs(tx, c.Org, in.ID); return err }); err != nil {
		return list[journey.Need]{}, err
	}
	slices.SortFunc(all, func(a, b journey.Need) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return cut(all, in.Part, func(n journey.Need) string { return string(n.ID) }, func(n journey.Need) (journey.Need, error) { return n, nil })
}

func (s *server) addNeed(ctx context.Context, c *caller, in *struct {
	Write
	ID   person.ID `path:"id"`
	Body struct {
		ID       journey.ID            `json:"id,omitempty" maxLength:"80"`
		Kind     string                `json:"kind" minLength:"1" maxLength:"40"`
		Words    string                `json:"words,omitempty"`
		From     time.Time             `json:"from"`
		By       time.Time             `json:"by"`
		Every    int                   `json:"every,omitempty" doc:"Days until it comes again; 0: once."`
		Until    time.Time             `json:"until,omitzero"`
		Minutes  int                   `json:"minutes,omitempty"`
		Requires []journey.Requirement `json:"requires,omitempty" enum:"hands,imaging,blood,signature,cold_chain"`
		Decides  journey.Decider       `json:"decides,omitempty" doc:"patient, clinician or desk; as usual for its kind when left out."`
		Allowed  []string              `json:"allowed,omitempty" doc:"Ways that whoever decides has allowed."`
		Type     string                `json:"type,omitempty" doc:"Of the visit, for ways that are booked."`
		After    []journey.ID          `json:"after,omitempty"`
		Clinical bool                  `json:"clinical,omitempty" doc:"Due for her health: where no way has a time, the desk is told."`
	}
}) (journey.Need, error) {
	if _, err := s.enter(ctx, c, person.Act, in.ID, "add a need"); err != nil {
		return journey.Need{}, err
	}
	b := in.Body
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (journey.Need, error) {
		return s.Journey.SaveNeed(tx, c.Viewer, journey.Need{Org: c.Org, Patient: in.ID, ID: b.ID, Kind: b.Kind, Source: journey.FromStaff, Words: b.Words, From: b.From, By: b.By, Every: b.Every, Until: b.Until,
			Minutes: b.Minutes, Requires: b.Requires, Decides: b.Decides, Allowed: b.Allowed, Type: b.Type, After: b.After, Clinical: b.Clinical})
	})
}

func (s *server) endNeed(ctx context.Context, c *caller, in *struct {
	Write
	ID   person.ID  `path:"id"`
	Need journey.ID `path:"need"`
}) (struct{}, error) {
	if _, err := s.enter(ctx, c, person.Act, in.ID, "end a need"); err != nil {
		return struct{}{}, err
	}
	return onceApart(ctx, s, c, in.Write, func() (struct{}, error) { return struct{}{}, s.Journey.EndNeed(ctx, c.Viewer, in.ID, in.Need) })
}

// burdenAccount is what days burdened a person.
type burdenAccount struct {
	From          string        `json:"from"`
	To            string        `json:"to" doc:"Not included."`
	Caused        journey.Sums  `json:"caused"`
	Instead       journey.Sums  `json:"instead" doc:"The nearest place, one trip for each need."`
	Avoided       journey.Sums  `json:"avoided"`
	Done          int           `json:"done"`
	AtHome        int           `json:"at_home"`
	Ambulatory    int           `json:"contact_days_ambulatory" doc:"Ganguli et al. 2024, with encounters of the record."`
	Total         int           `json:"contact_days_total"`
	FacilityDays  int           `json:"facility_days"`
	HomeDays      int           `json:"home_days" doc:"Burke et al. 2020: less facility days, emergency visits and visits at home."`
	HomeDaysPlain int           `json:"home_days_plain" doc:"The same without subtracting visits at home."`
	Rows          []burdenEntry `json:"rows"`
}

type burdenEntry struct {
	Day string `json:"day"`
	journey.Row
}

// accountDays is how far back an account looks where nothing is said.
const accountDays = 90

// daysOf reads the days asked for.
func daysOf(x Span, today clock.Day) (from, to clock.Day, err error) {
	from, to = today.Add(1-accountDays), today.Add(1)
	for _, f := range []struct {
		name, text string
		day        *clock.Day
	}{{"from", x.From, &from}, {"to", x.To, &to}} {
		if f.text == "" {
			continue
		}
		if *f.day, err = clock.ParseDay(f.text); err != nil {
			return from, to, fault.Invalidf("%s: %s", f.name, err)
		}
	}
	if !from.Before(to) || to.Sub(from) > 3*366 {
		err = fault.Invalidf("to: the end must come after the beginning, and by no more than three years.")
	}
	return from, to, err
}

func (s *server) patientBurden(ctx context.Context, c *caller, in *struct {
	Span
	ID person.ID `path:"id"`
}) (burdenAccount, error) {
	p, err := s.enter(ctx, c, person.See, in.ID, "burden")
	if err != nil {
		return burdenAccount{}, err
	}
	from, to, err := daysOf(in.Span, clock.DayOf(s.Clock.Now(), p.Location()))
	if err != nil {
		return burdenAccount{}, err
	}
	a, err := s.Journey.Burden(ctx, c.Org, in.ID, from, to)
	out := burdenAccount{From: from.String(), To: to.String(), Caused: a.Caused, Instead: a.Instead, Avoided: a.Avoided, Done: a.Done, AtHome: a.AtHome, Ambulatory: a.ContactAmbulatory, Total: a.ContactTotal,
		FacilityDays: a.FacilityDays, HomeDays: a.HomeDays, HomeDaysPlain: a.HomeDaysPlain, Rows: []burdenEntry{}}
	for _, r := range a.Rows {
		out.Rows = append(out.Rows, burdenEntry{r.Day.String(), r})
	}
	return out, err
}

func (s *server) allBurden(ctx context.Context, c *caller, in *Span) (journey.All, error) {
	if !c.Role.Staff() && c.Role != person.Leader {
		return journey.All{}, fault.Deniedf("This is for the staff of the clinic.")
	}
	var out journey.All
	err := s.DB.Read(ctx, func(tx *store.Tx) error {
		org, err := s.Person.Org(tx, c.Org)
		if err != nil {
			return err
		}
		zone, err := clock.Zone(org.Zone)
		if err != nil {
			return err
		}
		from, to, err := daysOf(*in, clock.DayOf(s.Clock.Now(), zone))
		if err != nil {
			return err
		}
		out, err = s.Journey.BurdenOfAll(tx, c.Org, from, to)
		return err
	})
	return out, err
}

func (s *server) needKinds(ctx context.Context, c *caller, in *Part) (list[journey.Kind], error) {
	var all []journey.Kind
	if err := s.DB.Read(ctx, func(tx *store.Tx) (err error) { all, err = s.Journey.Kinds(tx, c.Org); return err }); err != nil {
		return list[journey.Kind]{}, err
	}
	slices.SortFunc(all, func(a, b journey.Kind) int { return strings.Compare(a.ID, b.ID) })
	return cut(all, *in, func(k journey.Kind) string { return k.ID }, func(k journey.Kind) (journey.Kind, error) { return k, nil })
}

func (s *server) saveNeedKind(ctx context.Context, c *caller, in *struct {
	Write
	Body journey.Kind
}) (journey.Kind, error) {
	if err := staffOnly(c); err != nil {
		return journey.Kind{}, err
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (journey.Kind, error) { return s.Journey.SaveKind(tx, c.Viewer, in.Body) })
}

func (s *server) outlets(ctx context.Context, c *caller, in *Part) (list[journey.Outlet], error) {
	if err := staffOnly(c); err != nil {
		return list[journey.Outlet]{}, err
	}
	var all []journey.Outlet
	if err := s.DB.Read(ctx, func(tx *store.Tx) (err error) { all, err = s.Journey.Outlets(tx, c.Org); return err }); err != nil {
		return list[journey.Outlet]{}, err
	}
	slices.SortFunc(all, func(a, b journey.Outlet) int { return strings.Compare(a.ID, b.ID) })
	return cut(all, *in, func(o journey.Outlet) string { return o.ID }, func(o journey.Outlet) (journey.Outlet, error) { return o, nil })
}

func (s *server) saveOutlet(ctx context.Context, c *caller, in *struct {
	Write
	Body journey.Outlet
}) (journey.Outlet, error) {
	if err := staffOnly(c); err != nil {
		return journey.Outlet{}, err
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (journey.Outlet, error) {
		return in.Body, s.Journey.SaveOutlet(tx, c.Viewer, in.Body)
	})
}
