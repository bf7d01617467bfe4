package road

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/sharedtest"
)

var center = person.Point{Lat: 40.8, Lon: -77.86}

// reference answers the quickest ways from a place by Dijkstra over streets in a direction, one after another, each turn held against the map's
// restrictions: it knows neither copies of junctions nor a hierarchy.
type reference struct {
	g    *Graph
	m    *Map
	out  map[point][]int32 // edge<<1|against by where it begins
	bans map[point][]Turn
}

func newReference(g *Graph, m *Map) *reference {
	r := &reference{g: g, m: m, out: map[point][]int32{}, bans: map[point][]Turn{}}
	for i := range g.edges {
		e := &g.edges[i]
		if e.along != none {
			r.out[g.shape[e.first]] = append(r.out[g.shape[e.first]], int32(i)<<1)
		}
		if e.against != none {
			last := g.shape[e.first+e.points-1]
			r.out[last] = append(r.out[last], int32(i)<<1|1)
		}
	}
	for _, t := range m.Turns {
		if g.Profile.keeps(t) {
			r.bans[m.points[t.via]] = append(r.bans[m.points[t.via]], t)
		}
	}
	return r
}

func (r *reference) ms(id int32) uint32 {
	if id&1 == 1 {
		return r.g.edges[id>>1].against
	}
	return r.g.edges[id>>1].along
}

func (r *reference) head(id int32) point {
	e := &r.g.edges[id>>1]
	if id&1 == 1 {
		return r.g.shape[e.first]
	}
	return r.g.shape[e.first+e.points-1]
}

func (r *reference) mayTurn(from, to int32) bool {
	way := func(id int32) int64 { return r.m.Ways[r.g.edges[id>>1].way].ID }
	only, named := false, false
	for _, t := range r.bans[r.head(from)] {
		if t.From != way(from) {
			continue
		}
		hit := t.To == way(to) && (t.To != t.From || to == from^1)
		switch {
		case t.Only:
			only = true
			named = named || hit
		case hit:
			return false
		}
	}
	return !only || named
}

// from answers how long it takes until each street in a direction is come to its beginning, not counting itself.
func (r *reference) from(s Snap) map[int32]uint32 {
	done := map[int32]uint32{}
	var queue heap
	best := map[int32]uint32{}
	reach := func(last int32, ms uint32) { // at the end of last
		for _, next := range r.out[r.head(last)] {
			if old, ok := best[next]; r.mayTurn(last, next) && (!ok || ms < old) {
				best[next] = ms
				queue.push(ms, next)
			}
		}
	}
	for against := range int32(2) {
		id := s.edge<<1 | against
		if r.ms(id) == none {
			continue
		}
		left := 1 - float64(s.at)
		if against == 1 {
			left = float64(s.at)
		}
		reach(id, uint32(math.Round(left*float64(r.ms(id)))))
	}
	for len(queue) > 0 {
		ms, id := queue.pop()
		if _, ok := done[id]; ok {
			continue
		}
		done[id] = ms
		reach(id, ms+r.ms(id))
	}
	return done
}

func (r *reference) leg(done map[int32]uint32, from, to Snap) uint32 {
	ms, _ := r.g.direct(from, to)
	for against := range int32(2) {
		id := to.edge<<1 | against
		if at, ok := done[id]; ok {
			part := float64(to.at)
			if against == 1 {
				part = 1 - part
			}
			ms = min(ms, at+uint32(math.Round(part*float64(r.ms(id)))))
		}
	}
	return ms
}

func check(t *testing.T, m *Map, p Profile, sources, targets int, seed uint64) {
	t.Helper()
	g, err := Build(m, p)
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(seed, 3))
	snaps := func(n int) (out []Snap) {
		for len(out) < n { // streets that lead nowhere have a shape as well, and may lie far from others
			q := g.shape[rnd.IntN(len(g.shape))].person()
			if s := g.Snap(person.Point{Lat: q.Lat + (rnd.Float64()-0.5)*1e-3, Lon: q.Lon + (rnd.Float64()-0.5)*1e-3}); s.Known {
				out = append(out, s)
			}
		}
		return out
	}
	from, to := snaps(sources), snaps(targets)
	to[0], to[1] = from[0], Snap{}
	table := g.Matrix(from, to)
	ref := newReference(g, m)
	known := 0
	for i, s := range from {
		done := ref.from(s)
		for j, d := range to {
			if !d.Known {
				if table[i][j].Known || g.Leg(s, d).Known {
					t.Fatal("a way to nowhere")
				}
				continue
			}
			want := legOf(ref.leg(done, s, d), 0)
			one := g.Leg(s, d)
			if one.Duration != want.Duration || one.Known != want.Known || table[i][j] != one {
				t.Fatalf("%s %d to %d: %v, in the table %v, by Dijkstra %v", p, i, j, one, table[i][j], want)
			}
			if !one.Known {
				continue
			}
			known++
			path := g.Path(s, d)
			if path.Leg.Duration != one.Duration || math.Abs(length(path.Line)-path.Meters) > 2+path.Meters*1e-3 {
				t.Fatalf("%s %d to %d: a line of %g m for %v", p, i, j, length(path.Line), path.Leg)
			}
			if end := path.Line[len(path.Line)-1]; path.Meters > 0 && (path.Line[0].KM(s.Point) > 1e-3 || end.KM(d.Point) > 1e-3) {
				t.Fatalf("%s %d to %d: the line begins %g m and ends %g m away", p, i, j, path.Line[0].KM(s.Point)*1e3, end.KM(d.Point)*1e3)
			}
		}
	}
	if known < sources*targets/2 {
		t.Errorf("%s: only %d of %d ways are known", p, known, sources*targets)
	}
}

func length(line []person.Point) (m float64) {
	for i := 1; i < len(line); i++ {
		m += meters(pointOf(line[i-1]), pointOf(line[i]))
	}
	return m
}

func TestShortestInTowns(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		m := Town(center, 14+int(seed)*4, 17, seed)
		for _, p := range Profiles {
			check(t, m, p, 12, 25, seed)
		}
	}
}

func readShared(t *testing.T, name string) *Map {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := ReadMap(context.Background(), f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestShortestOnRealMaps(t *testing.T) {
	t.Parallel()
	m := readShared(t, "data/maps/andorra.osm.pbf")
	kinds := map[string]int{}
	for _, p := range m.Places {
		kinds[p.Kind]++
	}
	if kinds["pharmacy"] != 17 || kinds["hospital"] < 5 || kinds["groceries"] < 33 || kinds["clinic"] != 3 {
		t.Errorf("%v", kinds)
	}
	for _, p := range Profiles {
		check(t, m, p, 4, 30, 1)
	}
	check(t, readShared(t, "data/maps/porto_alegre/poa_osm.pbf"), Car, 4, 30, 2)
}

// A map that is cut short, or none at all, is refused with where and why, and nothing of it stays.
func TestMapsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(sharedtest.Path(t, "data/maps/andorra.osm.pbf"))
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 0xff
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":     {nil, "no streets"},
		"text":      {[]byte("<osm version='0.6'></osm>"), "cannot be read after byte"},
		"cut short": {whole[:len(whole)/2], "cannot be read after byte"},
		"flipped":   {flipped, "cannot be read after byte"},
	} {
		m, err := ReadMap(context.Background(), bytes.NewReader(c.data))
		if !fault.Is(err, fault.Invalid) || m != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSnapSaysHowFar(t *testing.T) {
	t.Parallel()
	g, err := Build(Town(center, 12, 12, 1), Car)
	if err != nil {
		t.Fatal(err)
	}
	far := g.Snap(person.Point{Lat: center.Lat + 1, Lon: center.Lon})
	if far.Known || g.Leg(far, g.Snap(center)).Known {
		t.Errorf("a degree away: %+v", far)
	}
	rnd := rand.New(rand.NewPCG(5, 5))
	for range 300 {
		p := person.Point{Lat: center.Lat + (rnd.Float64()-0.5)*0.04, Lon: center.Lon + (rnd.Float64()-0.5)*0.05}
		got := g.Snap(p)
		best := math.Inf(1)
		for i := range g.edges {
			s := Snap{Off: Reach}
			if e := &g.edges[i]; e.along != none || e.against != none {
				g.nearer(&s, p, int32(i))
				best = min(best, s.Off)
			}
		}
		if math.Abs(got.Off-best) > 1e-9 || math.Abs(got.Point.KM(p)*1000-got.Off) > 1 {
			t.Fatalf("%v is %g m off, the nearest street %g", p, got.Off, best)
		}
	}
}

func TestTraffic(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("", -5*3600)
	if a, b := Usual.At(time.Date(2026, 3, 2, 8, 0, 0, 0, zone)), Usual.At(time.Date(2026, 3, 1, 8, 0, 0, 0, zone)); a != 1.35 || b != 1 {
		t.Errorf("Monday %g, Sunday %g", a, b)
	}
	if f := (Traffic{}).At(time.Date(2026, 3, 2, 8, 0, 0, 0, zone)); f != 1 {
		t.Errorf("nothing known: %g", f)
	}
}

func TestProfiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tags           string
		along, against float64 // car
		foot, chair    bool
	}{
		{"highway=residential", 26, 26, true, true},
		{"highway=primary maxspeed=50", 45, 45, true, true},
		{"highway=primary maxspeed=30mph oneway=yes", 0.9 * 30 * 1.609344, 0, true, true},
		{"highway=residential oneway=-1", 0, 26, true, true},
		{"highway=tertiary junction=roundabout", 40, 0, true, true},
		{"highway=motorway", 100, 0, false, false},
		{"highway=residential access=private", 0, 0, false, false},
		{"highway=residential access=no foot=yes", 0, 0, true, true},
		{"highway=service motor_vehicle=no", 0, 0, true, true},
		{"highway=steps", 0, 0, true, false},
		{"highway=footway wheelchair=no", 0, 0, true, false},
		{"highway=footway incline=12%", 0, 0, true, false},
		{"highway=footway surface=gravel", 0, 0, true, false},
		{"highway=path", 0, 0, true, false},
		{"highway=path surface=asphalt", 0, 0, true, true},
		{"highway=cycleway foot=no", 0, 0, false, false},
	} {
		tags := map[string]string{}
		for _, kv := range strings.Fields(c.tags) {
			k, v, _ := strings.Cut(kv, "=")
			tags[k] = v
		}
		along, against := Car.speeds(tags)
		foot, _ := Foot.speeds(tags)
		chair, _ := Wheelchair.speeds(tags)
		if math.Abs(along-c.along) > 1e-9 || math.Abs(against-c.against) > 1e-9 || foot > 0 != c.foot || chair > 0 != c.chair {
			t.Errorf("%s: car %g %g, foot %g, wheelchair %g", c.tags, along, against, foot, chair)
		}
	}
}
