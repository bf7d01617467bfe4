package bench

import (
	"context"

	"doorstep/internal/app"
	"doorstep/internal/person"
	"doorstep/internal/store"
	"doorstep/internal/transport/road"
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
