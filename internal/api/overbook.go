package api

import (
	"context"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

type overbookPrice struct {
	ID       string         `json:"id"`
	Resource string         `json:"resource"`
	Type     string         `json:"type"`
	Share    float64        `json:"share"`
	Made     time.Time      `json:"made"`
	By       person.ID      `json:"by"`
	Slots    int            `json:"visits_a_day"`
	Minutes  int            `json:"minutes"`
	Own      bool           `json:"own_chances" doc:"Chances of missed visits come from the clinic's own visits, else from the published curve."`
	Lines    []overbookLine `json:"lines"`
}

// overbookLine is the price at a load, each number the difference to the same clinic without it.
type overbookLine struct {
	Load     float64  `json:"load"`
	Sooner   measured `json:"sooner_days"`
	Wait     measured `json:"wait_more_minutes"`
	Overtime measured `json:"overtime_more_minutes"`
	Beside   measured `json:"beside_a_day"`
}

type overbookOn struct {
	Resource string    `json:"resource"`
	Type     string    `json:"type"`
	Share    float64   `json:"share"`
	Price    string    `json:"price"`
	By       person.ID `json:"by"`
	At       time.Time `json:"at"`
}

type overbookOut struct {
	On     []overbookOn    `json:"on"`
	Prices []overbookPrice `json:"prices"`
}

func overbookPriceOf(p appointment.Price) overbookPrice {
	out := overbookPrice{ID: p.ID, Resource: p.Resource, Type: p.Type, Share: p.Share, Made: p.Made, By: p.By, Slots: p.World.Slots, Minutes: p.World.Minutes, Own: p.World.Own, Lines: []overbookLine{}}
	for _, l := range p.Lines {
		out.Lines = append(out.Lines, overbookLine{l.Load, measuredOf(l.Sooner), measuredOf(l.Wait), measuredOf(l.Overtime), measuredOf(l.Beside)})
	}
	return out
}

func (s *server) overbooking(ctx context.Context, c *caller, _ *struct{}) (out overbookOut, err error) {
	if err := staffOnly(c); err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *store.Tx) error { out, err = s.overbookState(tx, c); return err })
	return out, err
}

func (s *server) overbookState(tx *store.Tx, c *caller) (overbookOut, error) {
	out := overbookOut{On: []overbookOn{}, Prices: []overbookPrice{}}
	types, err := s.Appointment.Types(tx, c.Org)
	if err != nil {
		return out, err
	}
	resources, err := s.Appointment.Resources(tx, c.Org)
	if err != nil {
		return out, err
	}
	for _, r := range resources {
		for _, t := range types {
			if x, on := r.Overbook[t.ID]; on {
				out.On = append(out.On, overbookOn{r.ID, t.ID, x.Share, x.Price, x.By, x.At})
			}
		}
	}
	prices, err := s.Appointment.Prices(tx, c.Org, s.Clock.Now().AddDate(0, 0, -30))
	for _, p := range prices {
		out.Prices = append(out.Prices, overbookPriceOf(p))
	}
	return out, err
}

func (s *server) priceOverbooking(ctx context.Context, c *caller, in *struct {
	Write
	Body struct {
		Resource string  `json:"resource" minLength:"1"`
		Type     string  `json:"type" minLength:"1"`
		Share    float64 `json:"share" exclusiveMinimum:"0" maximum:"0.8" doc:"Of the visits expected to be missed."`
	}
}) (overbookPrice, error) {
	if err := staffOnly(c); err != nil {
		return overbookPrice{}, err
	}
	return onceApart(ctx, s, c, in.Write, func() (overbookPrice, error) {
		p, err := s.Appointment.SimulatePrice(ctx, c.Viewer, c.Org, in.Body.Resource, in.Body.Type, in.Body.Share)
		return overbookPriceOf(p), err
	})
}

func (s *server) switchOverbooking(ctx context.Context, c *caller, in *struct {
	Write
	Body struct {
		Price    string `json:"price,omitempty" doc:"To switch on: that of a simulation."`
		Resource string `json:"resource,omitempty" doc:"To switch off: of whom, with type."`
		Type     string `json:"type,omitempty"`
	}
}) (overbookOut, error) {
	if err := staffOnly(c); err != nil {
		return overbookOut{}, err
	}
	b := in.Body
	if (b.Price == "") == (b.Resource == "" || b.Type == "") {
		return overbookOut{}, fault.Invalidf("Give a price to switch it on, or resource and type to switch it off.")
	}
	return once(ctx, s, c, in.Write, func(tx *store.Tx) (overbookOut, error) {
		var err error
		if b.Price != "" {
			err = s.Appointment.Overbook(tx, c.Viewer, c.Org, b.Price)
		} else {
			err = s.Appointment.EndOverbook(tx, c.Viewer, c.Org, b.Resource, b.Type)
		}
		if err != nil {
			return overbookOut{}, err
		}
		return s.overbookState(tx, c)
	})
}
