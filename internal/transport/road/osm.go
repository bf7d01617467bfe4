package road

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"slices"

	"github.com/paulmach/osm"
	"github.com/paulmach/osm/osmpbf"

	"doorstep/internal/fault"
	"doorstep/internal/person"
)

// Map is what a file of OpenStreetMap says of streets and of the places that care asks for. Data of OpenStreetMap is © its contributors (ODbL).
type Map struct {
	Ways   []Way
	Places []Place
	Turns  []Turn

	points  []point
	blocked map[int32]osm.Tags // points with something in the way
}

// Way is a street or a path: its tags and its points.
type Way struct {
	ID   int64
	Tags map[string]string

	points []int32 // of Map.points
}

// Place is a pharmacy, a hospital, a clinic, a doctor, a shop for groceries, a laboratory.
type Place struct {
	Kind       string
	Name       string
	Wheelchair string // yes, limited, no; empty: nobody has said
	person.Point
}

// Turn is a restriction at a junction.
type Turn struct {
	From, To int64 // ways
	Only     bool  // no other way than To may be taken; else To may not
	Except   []string

	via int32
}

// ReadMap reads an extract in PBF. Streets that no profile can use are passed over. The file is read twice.
func ReadMap(ctx context.Context, in io.ReadSeeker) (*Map, error) {
	m := &Map{blocked: map[int32]osm.Tags{}}
	index := map[osm.NodeID]int32{}
	var buildings []building
	var turns []osmTurn
	err := scan(ctx, in, func(s *osmpbf.Scanner) { s.SkipNodes = true }, func(o osm.Object) {
		switch o := o.(type) {
		case *osm.Way:
			if o.Tags.Find("highway") != "" && usable(o.Tags) {
				m.addWay(o, index)
			} else if kind := placeKind(o.Tags); kind != "" && len(o.Nodes) > 0 {
				buildings = append(buildings, building{place(kind, o.Tags), o.Nodes[0].ID})
			}
		case *osm.Relation:
			if t, ok := turnOf(o); ok {
				turns = append(turns, t)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	if len(m.Ways) == 0 {
		return nil, fault.Invalidf("the map has no streets (want an OpenStreetMap extract, .osm.pbf)")
	}
	m.points = make([]point, len(index))
	seen := make([]bool, len(index))
	at := map[osm.NodeID]person.Point{}
	for _, b := range buildings {
		at[b.corner] = person.Point{}
	}
	err = scan(ctx, in, func(s *osmpbf.Scanner) { s.SkipWays, s.SkipRelations = true, true }, func(o osm.Object) {
		n, ok := o.(*osm.Node)
		if !ok {
			return
		}
		p := person.Point{Lat: n.Lat, Lon: n.Lon}
		if i, ok := index[n.ID]; ok {
			m.points[i], seen[i] = pointOf(p), true
			if n.Tags.Find("barrier") != "" || n.Tags.Find("kerb") != "" {
				m.blocked[i] = slices.Clone(n.Tags)
			}
		}
		if _, ok := at[n.ID]; ok {
			at[n.ID] = p
		}
		if kind := placeKind(n.Tags); kind != "" {
			q := place(kind, n.Tags)
			q.Point = p
			m.Places = append(m.Places, q)
		}
	})
	if err != nil {
		return nil, err
	}
	m.cutAt(seen)
	for _, b := range buildings {
		if b.Point = at[b.corner]; b.Known() {
			m.Places = append(m.Places, b.Place)
		}
	}
	for _, t := range turns {
		if via, ok := index[t.via]; ok {
			t.Turn.via = via
			m.Turns = append(m.Turns, t.Turn)
		}
	}
	return m, nil
}

// scan goes once through the file.
func scan(ctx context.Context, in io.ReadSeeker, set func(*osmpbf.Scanner), each func(osm.Object)) error {
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return err
	}
	s := osmpbf.New(ctx, in, max(1, runtime.GOMAXPROCS(0)))
	defer s.Close()
	set(s)
	for s.Scan() {
		each(s.Object())
	}
	if err := s.Err(); err != nil {
		return fault.New(fault.Invalid, "the map cannot be read after byte %d (want an OpenStreetMap extract, .osm.pbf): %w", s.FullyScannedBytes(), err)
	}
	return nil
}

func (m *Map) addWay(o *osm.Way, index map[osm.NodeID]int32) {
	w := Way{ID: int64(o.ID), Tags: map[string]string{}, points: make([]int32, 0, len(o.Nodes))}
	for _, t := range o.Tags {
		if slices.Contains(tagsRead, t.Key) {
			w.Tags[t.Key] = t.Value
		}
	}
	for _, n := range o.Nodes {
		i, ok := index[n.ID]
		if !ok {
			i = int32(len(index))
			index[n.ID] = i
		}
		if k := len(w.points); k == 0 || w.points[k-1] != i {
			w.points = append(w.points, i)
		}
	}
	m.Ways = append(m.Ways, w)
}

// cutAt ends ways where the extract does: at points that it does not hold.
func (m *Map) cutAt(seen []bool) {
	if !slices.Contains(seen, false) {
		return
	}
	var out []Way
	for _, w := range m.Ways {
		from := 0
		for i := 0; i <= len(w.points); i++ {
			if i < len(w.points) && seen[w.points[i]] {
				continue
			}
			if i-from > 1 {
				part := w
				part.points = w.points[from:i]
				out = append(out, part)
			}
			from = i + 1
		}
	}
	m.Ways = out
}

// building is a place that is drawn by its walls.
type building struct {
	Place
	corner osm.NodeID
}

func place(kind string, tags osm.Tags) Place {
	return Place{Kind: kind, Name: tags.Find("name"), Wheelchair: tags.Find("wheelchair")}
}

// placeKind answers the kind of place that care asks for, or "".
func placeKind(tags osm.Tags) string {
	switch tags.Find("amenity") {
	case "pharmacy":
		return "pharmacy"
	case "hospital":
		return "hospital"
	case "clinic", "doctors":
		return "clinic"
	}
	switch tags.Find("shop") {
	case "supermarket", "convenience", "grocery":
		return "groceries"
	}
	if tags.Find("healthcare") == "laboratory" {
		return "laboratory"
	}
	return ""
}

type osmTurn struct {
	Turn
	via osm.NodeID
}

// turnOf reads a restriction whose middle is a junction. Those that span a whole way in the middle are left to the driver.
func turnOf(r *osm.Relation) (t osmTurn, ok bool) {
	if r.Tags.Find("type") != "restriction" {
		return t, false
	}
	kind := r.Tags.Find("restriction")
	if kind == "" {
		kind = r.Tags.Find("restriction:motorcar")
	}
	switch {
	case len(kind) > 3 && kind[:3] == "no_":
	case len(kind) > 5 && kind[:5] == "only_":
		t.Only = true
	default:
		return t, false
	}
	for _, m := range r.Members {
		switch {
		case m.Role == "from" && m.Type == osm.TypeWay && t.From == 0:
			t.From = m.Ref
		case m.Role == "to" && m.Type == osm.TypeWay && t.To == 0:
			t.To = m.Ref
		case m.Role == "via" && m.Type == osm.TypeNode:
			t.via = osm.NodeID(m.Ref)
		}
	}
	t.Except = splitList(r.Tags.Find("except"))
	return t, t.From != 0 && t.To != 0 && t.via != 0
}

// String says what the map holds, for logs.
func (m *Map) String() string {
	return fmt.Sprintf("%d ways, %d points, %d places, %d turn restrictions", len(m.Ways), len(m.points), len(m.Places), len(m.Turns))
}
