package bench

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/transport/road"
	"doorstep/internal/transport/transit"
)

// roads answers what a graph of a made-up metropolitan town of 270,000 points takes to build and to ask, and by how many pairs it differs from Dijkstra.
func roads(context.Context, *Runner, func() (*store.DB, string, error)) ([]app.Figure, error) {
	m := road.Town(person.Point{Lat: 40.8, Lon: -77.86}, 240, 240, 1)
	got, err := road.Measure(m, road.Car, 500, 10_000)
	if err != nil {
		return nil, err
	}
	return []app.Figure{
		{Name: "road.build.seconds", Value: got.Build, Unit: "s", N: got.Points},
		{Name: "road.build.vertices", Value: float64(got.Vertices), Unit: "vertices", N: got.Points},
		{Name: "road.build.bytes_per_node", Value: got.BytesPerPoint, Unit: "B", N: got.Points},
		{Name: "road.query.us", Value: got.Query, Unit: "us", N: 2 * got.Side},
		{Name: "road.query.dijkstra_us", Value: got.Dijkstra * 1e3, Unit: "us", N: got.Pairs / 100},
		{Name: "road.query.different", Value: float64(got.Different), Unit: "pairs", N: got.Pairs},
		{Name: "road.matrix.ms", Value: got.Matrix, Unit: "ms", N: got.Side * got.Side},
	}, nil
}

// transitAsked is how many journeys transit.query asks for.
const transitAsked = 300

// transits answers how long a journey by bus and train takes to be found in Porto Alegre on a Tuesday, from stop to stop by chance: the earliest arrival, and all that
// are worth a look within an hour.
func transits(_ context.Context, r *Runner, _ func() (*store.DB, string, error)) ([]app.Figure, error) {
	var feeds []*transit.Feed
	calls := 0
	for _, name := range []string{"poa_eptc.zip", "poa_trensurb.zip"} {
		f, err := openFeed(filepath.Join(r.Shared, "maps", "porto_alegre", name))
		if err != nil {
			return nil, err
		}
		feeds = append(feeds, f)
		for _, t := range f.Trips {
			calls += len(t.Calls)
		}
	}
	n, err := transit.NewNetwork(feeds...)
	if err != nil {
		return nil, err
	}
	out := []app.Figure{{Name: "transit.calls", Value: float64(calls), Unit: "calls", N: len(feeds)}}
	for _, c := range []struct {
		name   string
		within time.Duration
	}{{"transit.query", 0}, {"transit.range", time.Hour}} {
		rnd := rand.New(rand.NewPCG(1, 1))
		var took []float64
		found := 0
		for range transitAsked {
			stop := func() person.Point { return feeds[0].Stops[rnd.IntN(len(feeds[0].Stops))].Point }
			q := transit.Query{From: stop(), To: stop(), Depart: time.Date(2019, 5, 14, 6+rnd.IntN(14), rnd.IntN(60), 0, 0, feeds[0].Zone), Within: c.within}
			start := time.Now()
			list, err := n.Journeys(q)
			if err != nil {
				return nil, err
			}
			took = append(took, time.Since(start).Seconds()*1e3)
			if len(list) > 0 {
				found++
			}
		}
		slices.Sort(took)
		out = append(out, app.Figure{Name: c.name + ".median_ms", Value: took[len(took)/2], Unit: "ms", N: transitAsked}, app.Figure{Name: c.name + ".p99_ms", Value: took[len(took)*99/100], Unit: "ms", N: transitAsked},
			app.Figure{Name: c.name + ".found", Value: float64(found), Unit: "journeys", N: transitAsked})
	}
	return out, nil
}

func openFeed(name string) (*transit.Feed, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return transit.Read(f, st.Size())
}
