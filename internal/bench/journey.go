package bench

import (
	"context"

	"doorstep/internal/app"
	"doorstep/internal/journey/policy"
	"doorstep/internal/stat"
	"doorstep/internal/store"
)

// journeySeeds is how many towns are simulated, each with the same people under both policies.
const journeySeeds = 8

// journeyPolicy simulates a town as assumed, and with what is assumed of what can come home taken for less: no nurses, half as many talks at a distance, no deliveries.
func journeyPolicy(ctx context.Context, _ *Runner, _ func() (*store.DB, string, error)) ([]app.Figure, error) {
	var out []app.Figure
	for _, x := range []struct {
		name   string
		seeds  int
		change func(*policy.World)
	}{
		{"", journeySeeds, func(*policy.World) {}},
		{".less", 3, func(w *policy.World) {
			w.Nurses, w.Remote, w.Delivers, w.Shop = w.Nurses/4, w.Remote/2, w.Delivers/2, w.Shop/2
		}},
		{".nothing", 3, func(w *policy.World) { w.Nurses, w.Remote, w.Delivers, w.Shop = 0, 0, 0, 0 }},
	} {
		w := policy.Usual()
		x.change(&w)
		s, err := policy.Run(ctx, w, 1, x.seeds)
		if err != nil {
			return nil, err
		}
		name := "journey.policy" + x.name
		for _, f := range []struct {
			what string
			i    stat.Interval
		}{{"contact_less", s.Contact}, {"hours_less", s.Hours}, {"trips_less", s.Trips}, {"miles_less", s.Miles}} {
			out = append(out, app.Figure{Name: name + "." + f.what, Value: f.i.Value, Unit: "%", N: f.i.N}, app.Figure{Name: name + "." + f.what + ".low", Value: f.i.Low, Unit: "%", N: f.i.N},
				app.Figure{Name: name + "." + f.what + ".high", Value: f.i.High, Unit: "%", N: f.i.N})
		}
		out = append(out, app.Figure{Name: name + ".nearest.contact", Value: s.Nearest.Contact, Unit: "days", N: x.seeds}, app.Figure{Name: name + ".journey.contact", Value: s.Journey.Contact, Unit: "days", N: x.seeds},
			app.Figure{Name: name + ".nearest.hours", Value: s.Nearest.Hours, Unit: "h", N: x.seeds}, app.Figure{Name: name + ".journey.hours", Value: s.Journey.Hours, Unit: "h", N: x.seeds},
			app.Figure{Name: name + ".nearest.missed", Value: float64(s.Nearest.Missed), Unit: "needs", N: s.Nearest.Due}, app.Figure{Name: name + ".journey.missed", Value: float64(s.Journey.Missed), Unit: "needs", N: s.Journey.Due})
	}
	return out, nil
}
