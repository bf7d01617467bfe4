package plan

import (
	"cmp"
	"math"
	"slices"

	"doorstep/internal/fault"
)

// Check says which limit of a problem a plan breaks, or that its burden is not what it says. It recomputes everything from the minutes of the plan.
func (p *Problem) Check(plan Plan) error {
	met := make([]int, len(p.Needs))
	burden := 0.0
	var present []Span // when she is busy at home or out
	for i, it := range plan.Items {
		if it.Need < 0 || it.Need >= len(p.Needs) || it.Way < 0 || it.Way >= len(p.Needs[it.Need].Ways) {
			return fault.Invalidf("item %d is not of the problem", i)
		}
		n := &p.Needs[it.Need]
		w := &n.Ways[it.Way]
		met[it.Need]++
		if it.Opening < 0 || it.Opening >= len(w.Openings) {
			return fault.Invalidf("item %d is not of the problem", i)
		}
		o := w.Openings[it.Opening]
		if it.Start < o.From || it.Start+w.Minutes > o.To {
			return fault.Invalidf("need %q begins at %d, outside its opening", n.ID, it.Start)
		}
		burden += w.Cost + o.Extra
		if (w.Place == Home) != (it.Trip < 0) {
			return fault.Invalidf("need %q is done at the wrong place", n.ID)
		}
		if it.Trip < 0 {
			if !slices.ContainsFunc(p.Days, func(d Day) bool { return d.From <= it.Start && it.Start < d.To }) {
				return fault.Invalidf("need %q is on none of the days", n.ID)
			}
			if w.length() > 0 {
				present = append(present, Span{it.Start, it.Start + w.length()})
			}
		}
		for _, a := range n.After {
			j := slices.IndexFunc(plan.Items, func(o Item) bool { return o.Need == a })
			if j < 0 || plan.Items[j].Start+p.Needs[a].Ways[plan.Items[j].Way].length() > it.Start {
				return fault.Invalidf("need %q comes before %q", n.ID, p.Needs[a].ID)
			}
		}
	}
	for _, i := range plan.Unmet {
		met[i]++
	}
	if i := slices.IndexFunc(met, func(m int) bool { return m != 1 }); i >= 0 {
		return fault.Invalidf("need %q is planned %d times", p.Needs[i].ID, met[i])
	}
	last := -p.Rest - 1
	for _, t := range plan.Trips {
		cost, err := p.checkTrip(plan, t)
		if err != nil {
			return err
		}
		if t.Day <= last+p.Rest {
			return fault.Invalidf("the outing of day %d comes too soon after that of day %d", t.Day, last)
		}
		last = t.Day
		burden += cost
		present = append(present, Span{t.Leave, t.Return})
	}
	slices.SortFunc(present, func(a, b Span) int { return cmp.Or(a.From-b.From, a.To-b.To) })
	for i := 1; i < len(present); i++ {
		if present[i].From < present[i-1].To {
			return fault.Invalidf("she is at two places at minute %d", present[i].From)
		}
	}
	if math.Abs(burden-plan.Burden) > 1e-6*(1+burden) || plan.Bound > plan.Burden+1e-6 {
		return fault.Invalidf("the burden is %g (bound %g), not %g", burden, plan.Bound, plan.Burden)
	}
	return nil
}

// checkTrip answers the burden of an outing besides its items'.
func (p *Problem) checkTrip(plan Plan, t Trip) (float64, error) {
	day := p.Days[t.Day]
	if len(t.Items) == 0 || t.Leave < day.Out.From || t.Return > day.Out.To || p.Away > 0 && t.Return-t.Leave > p.Away {
		return 0, fault.Invalidf("the outing of day %d is empty or too long", t.Day)
	}
	stops := p.Stops
	if stops == 0 {
		stops = defaultStops
	}
	if len(t.Items) > stops {
		return 0, fault.Invalidf("the outing of day %d has %d stops", t.Day, len(t.Items))
	}
	cost, now, place := p.Outing, t.Leave, Home
	legs := p.Travel[t.Travel].Legs
	for _, i := range t.Items {
		it := plan.Items[i]
		w := &p.Needs[it.Need].Ways[it.Way]
		leg := legs[place][w.Place]
		now += leg.Minutes
		if leg.No || it.Arrive != now || it.Start < now {
			return 0, fault.Invalidf("need %q begins at %d, before she can be there at %d", p.Needs[it.Need].ID, it.Start, now)
		}
		cost += leg.Cost + p.Idle*float64(it.Start-now)
		now, place = it.Start+w.Minutes, w.Place
	}
	leg := legs[place][Home]
	if leg.No || now+leg.Minutes != t.Return {
		return 0, fault.Invalidf("the outing of day %d returns at %d, not %d", t.Day, now+leg.Minutes, t.Return)
	}
	return cost + leg.Cost, nil
}
