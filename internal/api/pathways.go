package api

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"doorstep/internal/pathway"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// definition is one version of a PlanDefinition, ActivityDefinition or Questionnaire.
type definition struct {
	Canonical string    `json:"canonical" doc:"url|version"`
	Kind      string    `json:"kind"`
	Title     string    `json:"title"`
	Loaded    time.Time `json:"loaded,omitzero" doc:"Absent: it comes with the program."`
}

// activity is one thing that a pathway asks for.
type activity struct {
	ID        string    `json:"id"`
	Action    string    `json:"action" doc:"Its place in the plan."`
	Title     string    `json:"title"`
	Kind      string    `json:"kind" doc:"Of the FHIR request."`
	Performer string    `json:"performer,omitempty"`
	Must      bool      `json:"must"`
	From      time.Time `json:"from"`
	By        time.Time `json:"by"`
	State     string    `json:"state" enum:"open,done,missed,withdrawn"`
	How       string    `json:"how,omitempty" doc:"In which way it was arranged."`
	Start     time.Time `json:"start,omitzero" doc:"When it was arranged for."`
	Done      time.Time `json:"done,omitzero"`
}

// episode is a person on a pathway.
type episode struct {
	ID         string     `json:"id"`
	Canonical  string     `json:"canonical" doc:"url|version: pinned."`
	Title      string     `json:"title"`
	Start      time.Time  `json:"start"`
	Until      time.Time  `json:"until"`
	State      string     `json:"state" enum:"active,ended"`
	Activities []activity `json:"activities"`
}

// change is what another version changes.
type change struct {
	From      string     `json:"from"`
	To        string     `json:"to"`
	Added     []activity `json:"added"`
	Moved     []activity `json:"moved"`
	Withdrawn []activity `json:"withdrawn"`
	Kept      int        `json:"kept"`
}

func (s *server) pathwayRoutes() {
	get(s, "list-pathways", "/pathways", "Definitions of pathways that are here. Staff only.", s.pathways)
	post(s, "load-pathway", "/pathways", "Takes a FHIR PlanDefinition, ActivityDefinition or Questionnaire (its JSON is the body); what cannot be followed is refused with the element and the reason. Staff only.", http.StatusCreated, s.loadPathway)
	get(s, "patient-pathways", "/patients/{id}/pathways", "The pathways that a patient is or was on, with what they ask for.", s.patientPathways)
	post(s, "begin-pathway", "/patients/{id}/pathways", "Puts a patient on a pathway; again on the same day changes nothing. Staff only.", http.StatusCreated, s.beginPathway)
	post(s, "move-pathway", "/patients/{id}/pathways/{episode}/version", "Moves a patient to another version, or with preview says what that would change. Staff only.", http.StatusOK, s.movePathway)
	post(s, "end-pathway", "/patients/{id}/pathways/{episode}/end", "Ends a pathway; what is open is withdrawn. Staff only.", http.StatusOK, s.endPathway)
}

func definitionOf(d pathway.Definition) definition {
	return definition{Canonical: d.Canonical(), Kind: d.Kind, Title: d.Title, Loaded: d.Loaded}
}

func (s *server) pathways(ctx context.Context, c *caller, in *Part) (list[definition], error) {
	if err := staffOnly(c); err != nil {
		return list[definition]{}, err
	}
	var all []pathway.Definition
	if err := s.DB.Read(ctx, func(tx *store.Tx) (err error) { all, err = s.Pathway.Definitions(tx, c.Org); return err }); err != nil {
		return list[definition]{}, err
	}
	slices.SortFunc(all, func(a, b pathway.Definition) int { return cmp.Compare(a.Canonical(), b.Canonical()) })
	return cut(all, *in, pathway.Definition.Canonical, func(d pathway.Definition) (definition, error) { return definitionOf(d), nil })
}

type loadPathwayInput struct {
	Write
	Body map[string]json.RawMessage
}

func (s *server) loadPathway(ctx context.Context, c *caller, in *loadPathwayInput) (definition, error) {
	if err := staffOnly(c); err != nil {
		return definition{}, err
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (definition, error) {
		d, err := s.Pathway.Load(tx, c.Org, in.RawBody)
		if err == nil {
			err = s.Person.Audit(tx, c.Viewer, "", "pathway", "load "+d.Canonical())
		}
		return definitionOf(d), err
	})
}

type patientPathwaysInput struct {
	ID person.ID `path:"id"`
}

// episodes are a patient's pathways.
type episodes struct {
	Items []episode `json:"items"`
}

func (s *server) patientPathways(ctx context.Context, c *caller, in *patientPathwaysInput) (out episodes, err error) {
	p, err := s.enter(ctx, c, person.See, in.ID, "pathways")
	if err != nil {
		return out, err
	}
	out.Items = []episode{}
	err = s.DB.Read(ctx, func(tx *store.Tx) error {
		list, err := s.Pathway.Episodes(tx, c.Org, p.ID)
		if err != nil {
			return err
		}
		all, err := s.Pathway.Activities(tx, c.Org, p.ID)
		for _, e := range list {
			out.Items = append(out.Items, episodeOf(e, all, p.Location()))
		}
		return err
	})
	return out, err
}

func episodeOf(e pathway.Episode, all []pathway.Activity, zone *time.Location) episode {
	out := episode{ID: e.ID, Canonical: e.Canonical(), Title: e.Title, Start: local(e.Start, zone), Until: local(e.Until, zone), State: string(e.State), Activities: []activity{}}
	for _, a := range all {
		if a.Episode == e.ID {
			out.Activities = append(out.Activities, activityOf(a, zone))
		}
	}
	return out
}

func activityOf(a pathway.Activity, zone *time.Location) activity {
	return activity{ID: a.ID, Action: a.Action, Title: a.Title, Kind: a.Kind, Performer: a.Performer, Must: a.Must, From: local(a.From, zone), By: local(a.By, zone), State: string(a.State), How: a.How,
		Start: local(a.Start, zone), Done: local(a.Finished, zone)}
}

type beginPathwayInput struct {
	ID person.ID `path:"id"`
	Write
	Body struct {
		Pathway string    `json:"pathway" minLength:"1" maxLength:"500" doc:"url|version, or the url alone for the version that was loaded last."`
		Start   time.Time `json:"start" doc:"Of the pathway: going home, the operation, the diagnosis."`
		Until   time.Time `json:"until,omitempty" doc:"90 days after the start when left out."`
	}
}

func (s *server) beginPathway(ctx context.Context, c *caller, in *beginPathwayInput) (episode, error) {
	if err := staffOnly(c); err != nil {
		return episode{}, err
	}
	p, err := s.enter(ctx, c, person.Act, in.ID, "begin a pathway")
	if err != nil {
		return episode{}, err
	}
	chart, err := s.Pathway.Chart(ctx, c.Org, p.ID)
	if err != nil {
		return episode{}, err
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (episode, error) {
		e, err := s.Pathway.EnrolIn(tx, c.Viewer, p.ID, in.Body.Pathway, in.Body.Start, in.Body.Until, chart)
		if err != nil {
			return episode{}, err
		}
		all, err := s.Pathway.Activities(tx, c.Org, p.ID)
		return episodeOf(e, all, p.Location()), err
	})
}

type movePathwayInput struct {
	ID      person.ID `path:"id"`
	Episode string    `path:"episode"`
	Write
	Body struct {
		Version string `json:"version" minLength:"1" maxLength:"100"`
		Preview bool   `json:"preview,omitempty" doc:"Only say what would change."`
	}
}

func (s *server) movePathway(ctx context.Context, c *caller, in *movePathwayInput) (out change, err error) {
	if err := staffOnly(c); err != nil {
		return out, err
	}
	p, err := s.enter(ctx, c, person.Act, in.ID, "move a pathway")
	if err != nil {
		return out, err
	}
	move := s.Pathway.Migrate // moving twice changes nothing: it needs no name of its own
	if in.Body.Preview {
		move = s.Pathway.Preview
	}
	ch, err := move(ctx, c.Viewer, p.ID, in.Episode, in.Body.Version)
	if err != nil {
		return out, err
	}
	some := func(from []pathway.Activity) []activity {
		to := []activity{}
		for _, a := range from {
			to = append(to, activityOf(a, p.Location()))
		}
		return to
	}
	return change{ch.From, ch.To, some(ch.Added), some(ch.Moved), some(ch.Withdrawn), ch.Kept}, nil
}

type endPathwayInput struct {
	ID      person.ID `path:"id"`
	Episode string    `path:"episode"`
	Write
}

func (s *server) endPathway(ctx context.Context, c *caller, in *endPathwayInput) (out episode, err error) {
	if err := staffOnly(c); err != nil {
		return out, err
	}
	p, err := s.enter(ctx, c, person.Act, in.ID, "end a pathway")
	if err != nil {
		return out, err
	}
	if err := s.Pathway.End(ctx, c.Viewer, p.ID, in.Episode); err != nil { // ending twice changes nothing
		return out, err
	}
	all, err := s.patientPathways(ctx, c, &patientPathwaysInput{p.ID})
	for _, e := range all.Items {
		if e.ID == in.Episode {
			out = e
		}
	}
	return out, err
}
