package api

import (
	"context"
	"net/http"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/reading/pull"
	"doorstep/internal/store"
)

// site is where a patient's readings are asked for. Its token is never answered.
type site struct {
	Address  string    `json:"address"`
	Token    bool      `json:"token" doc:"There is one."`
	Since    time.Time `json:"since"`
	Minutes  int       `json:"minutes" doc:"How often it is asked while it answers."`
	Read     time.Time `json:"read_until" doc:"Up to where it was read."`
	Asked    time.Time `json:"asked,omitzero"`
	Answered time.Time `json:"answered,omitzero"`
	Failing  time.Time `json:"failing_since,omitzero" doc:"Absent while it answers."`
	Problem  string    `json:"problem,omitempty"`
	Stored   int64     `json:"stored" doc:"Readings that it gave."`
}

func siteOf(x pull.Site) site {
	return site{Address: x.Address, Token: x.Token != "", Since: x.Since, Minutes: int(x.Every / time.Minute), Read: x.Cursor, Asked: x.Asked, Answered: x.Answered,
		Failing: x.Failing, Problem: x.Problem, Stored: x.Stored}
}

func (s *server) siteRoutes() {
	get(s, "get-site", "/patients/{id}/nightscout", "The Nightscout site that is asked for a patient's readings. Staff only.", s.site)
	post(s, "set-site", "/patients/{id}/nightscout", "Asks a Nightscout site for a patient's readings, from now on. A token that was set stays where none is given. Staff only.", http.StatusOK, s.setSite)
	post(s, "end-site", "/patients/{id}/nightscout/end", "Asks no more; what was read stays. Staff only.", http.StatusOK, s.endSite)
}

type siteInput struct {
	ID person.ID `path:"id"`
}

func (s *server) site(ctx context.Context, c *caller, in *siteInput) (out site, err error) {
	if err := staffOnly(c); err != nil {
		return out, err
	}
	p, err := s.enter(ctx, c, person.See, in.ID, "site of readings")
	if err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *store.Tx) error { out, err = s.siteIn(tx, c, p.ID); return err })
	return out, err
}

func (s *server) siteIn(tx *store.Tx, c *caller, patient person.ID) (site, error) {
	x, ok, err := s.Pull.Of(tx, c.Org, patient)
	if err == nil && !ok {
		err = fault.NotFoundf("No site is asked for this person.")
	}
	return siteOf(x), err
}

type setSiteInput struct {
	ID person.ID `path:"id"`
	Write
	Body struct {
		Address string    `json:"address" minLength:"1" maxLength:"300" example:"https://name.example"`
		Token   string    `json:"token,omitempty" maxLength:"200" doc:"An access token that may read, or the site's API secret. It is only written, never answered."`
		Since   time.Time `json:"since,omitzero" doc:"Readings from then on; a day ago when left out, at most 90 days."`
		Minutes int       `json:"minutes,omitempty" minimum:"1" maximum:"1440" doc:"How often it is asked; 5 when left out."`
	}
}

func (s *server) setSite(ctx context.Context, c *caller, in *setSiteInput) (site, error) {
	if err := staffOnly(c); err != nil {
		return site{}, err
	}
	p, err := s.enter(ctx, c, person.Act, in.ID, "set a site of readings")
	if err != nil {
		return site{}, err
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (site, error) {
		err := s.Pull.Set(tx, c.Viewer, pull.Site{Org: c.Org, Patient: p.ID, Address: in.Body.Address, Token: in.Body.Token, Since: in.Body.Since, Every: time.Duration(in.Body.Minutes) * time.Minute})
		if err != nil {
			return site{}, err
		}
		return s.siteIn(tx, c, p.ID)
	})
}

type endSiteInput struct {
	ID person.ID `path:"id"`
	Write
}

func (s *server) endSite(ctx context.Context, c *caller, in *endSiteInput) (site, error) {
	if err := staffOnly(c); err != nil {
		return site{}, err
	}
	p, err := s.enter(ctx, c, person.Act, in.ID, "end a site of readings")
	if err != nil {
		return site{}, err
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (site, error) {
		x, err := s.siteIn(tx, c, p.ID)
		if err != nil {
			return x, err
		}
		return x, s.Pull.End(tx, c.Viewer, c.Org, p.ID)
	})
}
