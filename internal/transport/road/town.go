package road

import (
	"fmt"
	"math/rand/v2"

	"doorstep/internal/person"
)

// Town is a made-up town around a point, the same for the same seed: streets in uneven blocks of about 170 m, wider ones between quarters, one-way streets,
// dead ends, paths with steps, junctions at which one must not turn, and the places that care asks for. It serves where there is no real map: the
// simulated clinic and the measurements.
func Town(center person.Point, rows, cols int, seed uint64) *Map {
	t := &town{r: rand.New(rand.NewPCG(seed, 7)), rows: rows, cols: cols, m: &Map{}}
	const step = 0.0016
	for y := range rows {
		for x := range cols {
			p := person.Point{Lat: center.Lat + (float64(y-rows/2)+t.r.Float64()*0.5)*step, Lon: center.Lon + (float64(x-cols/2)+t.r.Float64()*0.5)*step*1.3}
			t.m.points = append(t.m.points, pointOf(p))
		}
	}
	for y := range rows {
		t.line(y, func(x int) int32 { return int32(y*cols + x) }, cols)
	}
	for x := range cols {
		t.line(x, func(y int) int32 { return int32(y*cols + x) }, rows)
	}
	t.turns()
	t.places()
	return t.m
}

type town struct {
	r          *rand.Rand
	rows, cols int
	m          *Map
}

// line lays the streets of one row or column of junctions.
func (t *town) line(number int, at func(i int) int32, n int) {
	kind, speed := "residential", ""
	switch {
	case number%24 == 12:
		kind, speed = "primary", "80"
	case number%8 == 4:
		kind, speed = "secondary", "60"
	}
	for i := 0; i+1 < n; i++ {
		chance := t.r.Float64()
		if kind == "residential" && chance < 0.08 {
			continue // a park, a river
		}
		tags := map[string]string{"highway": kind, "name": fmt.Sprintf("Street %d", number)}
		if speed != "" {
			tags["maxspeed"] = speed
		}
		switch {
		case kind != "residential":
		case chance < 0.14:
			tags["oneway"] = "yes"
		case chance < 0.17:
			tags["highway"] = "footway"
		case chance < 0.18:
			tags["highway"] = "steps"
		}
		t.way(at(i), at(i+1), tags)
	}
}

// way lays a street between two junctions, with bends.
func (t *town) way(a, b int32, tags map[string]string) {
	w := Way{ID: int64(len(t.m.Ways) + 1), Tags: tags, points: []int32{a}}
	p, q := t.m.points[a], t.m.points[b]
	for _, part := range []float64{0.35, 0.7} {
		bend := func(from, to int32) int32 {
			return from + int32(part*float64(to-from)) + int32(t.r.IntN(1201)-600)
		}
		w.points = append(w.points, int32(len(t.m.points)))
		t.m.points = append(t.m.points, point{bend(p.lat, q.lat), bend(p.lon, q.lon)})
	}
	w.points = append(w.points, b)
	t.m.Ways = append(t.m.Ways, w)
}

// turns forbids a turn at one junction of fifty, and allows a single one at one of two hundred.
func (t *town) turns() {
	at := map[int32][]int64{}
	for _, w := range t.m.Ways {
		for _, p := range []int32{w.points[0], w.points[len(w.points)-1]} {
			at[p] = append(at[p], w.ID)
		}
	}
	for p := range int32(t.rows * t.cols) {
		ways := at[p]
		if len(ways) < 3 || t.r.IntN(40) > 0 {
			continue
		}
		from := t.r.IntN(len(ways))
		to := (from + 1 + t.r.IntN(len(ways)-1)) % len(ways)
		t.m.Turns = append(t.m.Turns, Turn{From: ways[from], To: ways[to], Only: t.r.IntN(4) == 0, via: p})
	}
}

func (t *town) places() {
	for _, k := range []struct {
		kind  string
		share int // of so many junctions one
	}{{"pharmacy", 400}, {"groceries", 250}, {"clinic", 700}, {"hospital", 4000}, {"laboratory", 1500}} {
		for i := range max(1, t.rows*t.cols/k.share) {
			p := t.m.points[t.r.IntN(t.rows*t.cols)].person()
			t.m.Places = append(t.m.Places, Place{Kind: k.kind, Name: fmt.Sprintf("%s %d", k.kind, i+1), Wheelchair: "yes", Point: person.Point{Lat: p.Lat + 1e-4, Lon: p.Lon + 1e-4}})
		}
	}
}
