package weeks

import (
	"doorstep/internal/journey/burden"
	"doorstep/internal/journey/plan"
)

// answer makes a plan into instants, with the parts of its burden.
func (b *problem) answer(p plan.Plan) Answer {
	a := Answer{Burden: p.Burden, Bound: p.Bound, Optimal: p.Optimal}
	for _, it := range p.Items {
		n := b.Weeks.Needs[it.Need]
		y := n.Ways[it.Way]
		item := Item{Need: n.ID, Way: y.ID, Start: b.instant(it.Start), Arrive: b.instant(it.Arrive), End: b.instant(it.Start + b.takes(n, y)), Trip: it.Trip, Parts: b.itemParts(n, y)}
		if y.Mode == Out {
			item.Place = y.Place
		}
		item.Moved = n.Promised != nil && (n.Promised.Way != y.ID || !n.Promised.Start.Equal(item.Start))
		a.Items = append(a.Items, item)
		a.Parts = a.Parts.Plus(item.Parts)
	}
	for _, t := range p.Trips {
		trip := b.trip(p, t)
		a.Trips = append(a.Trips, trip)
		a.Parts = a.Parts.Plus(trip.Parts)
	}
	for _, i := range p.Unmet {
		a.Unmet = append(a.Unmet, b.unmet(i))
	}
	return a
}

// trip answers an outing with what it burdens besides its items.
func (b *problem) trip(p plan.Plan, t plan.Trip) Trip {
	m := b.means[t.Travel]
	out := Trip{Leave: b.instant(t.Leave), Return: b.instant(t.Return), Means: m.ID, Items: t.Items, Parts: burden.Parts{ContactDays: 1}}
	at := Home
	leg := func(to string) {
		if at != to {
			out.Parts = out.Parts.Plus(m.Legs[[2]string{at, to}].Parts(b.Limits.Escort))
		}
		at = to
	}
	for _, i := range t.Items {
		it := p.Items[i]
		leg(b.Weeks.Needs[it.Need].Ways[it.Way].Place)
		out.Parts = out.Parts.Plus(burden.Idle(it.Start-it.Arrive, b.Limits.Escort))
	}
	leg(Home)
	return out
}

// unmet says for each way of a need why it found no time.
func (b *problem) unmet(i int) Unmet {
	n := b.Weeks.Needs[i]
	u := Unmet{Need: n.ID, Reasons: map[string]string{}}
	for w, y := range n.Ways {
		_, why := b.open(n, y)
		if why == "" {
			why = b.alone(i, w)
		}
		u.Reasons[y.ID] = why
	}
	return u
}

// alone says why a way that is open found no time: by itself, or beside everything else.
func (b *problem) alone(i, w int) string {
	p := b.Problem
	n := p.Needs[i]
	n.Ways, n.After = n.Ways[w:w+1], nil
	p.Needs = []plan.Need{n}
	if len(p.Solve().Unmet) == 0 {
		return "it does not fit beside what else is planned"
	}
	if b.Weeks.Needs[i].Ways[w].Mode == Out {
		return "she cannot be there and back within her limits"
	}
	return "it has no time on these days"
}
