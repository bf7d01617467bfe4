package road

import (
	"context"

	"doorstep/internal/fault"
	"doorstep/internal/person"
)

// Source answers ways: our own graph, a server elsewhere, or the estimate.
type Source interface {
	// Table answers the ways from every place to every other. A Leg that is not Known has no way.
	Table(ctx context.Context, p Profile, from, to []person.Point) (Table, error)
}

// Local answers from graphs of one map.
type Local struct {
	Map    *Map
	graphs map[Profile]*Graph
}

// NewLocal builds the graphs of all profiles.
func NewLocal(m *Map) (*Local, error) {
	l := &Local{Map: m, graphs: map[Profile]*Graph{}}
	for _, p := range Profiles {
		g, err := Build(m, p)
		if err != nil {
			return nil, err
		}
		l.graphs[p] = g
	}
	return l, nil
}

// Graph answers the graph of a profile; nil where there is none.
func (l *Local) Graph(p Profile) *Graph { return l.graphs[p] }

// Table answers from the graph. A place that lies off every street is gone to from the nearest one at walking pace.
func (l *Local) Table(_ context.Context, p Profile, from, to []person.Point) (Table, error) {
	g := l.graphs[p]
	if g == nil {
		return nil, fault.Invalidf("%q is no profile (want car, foot or wheelchair)", p)
	}
	a, b := g.snaps(from), g.snaps(to)
	table := g.Matrix(a, b)
	walk := Estimate{1, chairKMH}
	for i := range table {
		for j := range table[i] {
			if leg := &table[i][j]; leg.Known {
				off := walk.off(a[i].Off + b[j].Off)
				leg.Duration += off.Duration
				leg.Meters += off.Meters
			}
		}
	}
	return table, nil
}

func (g *Graph) snaps(list []person.Point) []Snap {
	out := make([]Snap, len(list))
	for i, p := range list {
		out[i] = g.Snap(p)
	}
	return out
}

// Crow answers the estimates, where there is no map.
type Crow struct{}

// Table answers the estimate of each way.
func (Crow) Table(_ context.Context, p Profile, from, to []person.Point) (Table, error) {
	e, ok := Estimates[p]
	if !ok {
		return nil, fault.Invalidf("%q is no profile (want car, foot or wheelchair)", p)
	}
	out := make(Table, len(from))
	for i, a := range from {
		for _, b := range to {
			out[i] = append(out[i], e.Leg(a, b))
		}
	}
	return out, nil
}
