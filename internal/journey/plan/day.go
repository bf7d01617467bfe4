package plan

import (
	"math"
	"slices"
)

// bundle is a set of needs done on one day, in the least burdening way.
type bundle struct {
	set    uint32 // of the chosen needs, by bit
	before uint32 // those that have to be done on an earlier day
	outing bool
	cost   float64
	label  int32 // of its way through the day
}

// label is one way through a part of a day, ending at a place. While she is out, the minute at which she left is not decided yet: leaving at t she
// is ready at max(ready, t+worked), for any t up to leave.
type label struct {
	set, before uint32
	place       int16
	travel      int16 // -1: at home
	outs        int16
	stops       int16
	ready       int32   // the earliest
	worked      int32   // minutes since she left, without any waiting
	leave       int32   // the latest minute to leave
	cost        float64 // without the idle minutes of being out; at home: all
	option      int32   // the last one; -1: none, or on the way home
	prev        int32
}

// burden is what the way has cost so far, leaving as late as it can.
func (l *label) burden(idle float64) float64 {
	if l.travel < 0 {
		return l.cost
	}
	return l.cost + idle*float64(l.out())
}

// out is how long she is out at least.
func (l *label) out() int32 { return max(l.worked, l.ready-l.leave) }

// covers reports whether l makes b needless: whatever follows b could follow l, and would burden no more.
func (l *label) covers(b *label) bool {
	return l.place == b.place && l.travel == b.travel && l.outs <= b.outs && l.before&^b.before == 0 && l.ready <= b.ready && l.worked <= b.worked && l.leave >= b.leave && l.stops <= b.stops && l.cost <= b.cost
}

// dayWork goes through all ways of a day.
type dayWork struct {
	*solver
	day     Day
	options []option
	needs   [][]int32 // options of each need's bit
	after   []uint32  // of each bit, those that come before it
	bound   *dayBound // nil: nothing is known
	limit   float64   // nothing that cannot stay below it is followed
	most    int       // stops on an outing

	labels []label
	sets   [][]int32 // labels of each set that are not needless
}

// run follows every way through the day and answers its bundles: for each set of needs those that no other makes needless.
func (d *dayWork) run() []bundle {
	d.labels = append(d.labels[:0], label{travel: -1, ready: int32(d.day.From), option: -1, prev: -1})
	d.sets[0] = append(d.sets[0], 0)
	var out []bundle
	// A way leads only to larger sets: taken in their order, a set is complete when its turn comes.
	for set, list := range d.sets {
		for _, at := range slices.Clone(list) {
			d.comeHome(at)
		}
		for _, at := range d.sets[set] {
			d.extend(at)
		}
		if set > 0 {
			out = d.bundles(out, uint32(set))
		}
		d.sets[set] = d.sets[set][:0]
	}
	return out
}

// bundles appends what a set can be done for.
func (d *dayWork) bundles(out []bundle, set uint32) []bundle {
	first := len(out)
	for _, at := range d.sets[set] {
		l := &d.labels[at]
		if l.travel >= 0 {
			continue
		}
		b := bundle{set: set, before: l.before, outing: l.outs > 0, cost: l.cost, label: at}
		covers := func(a, b bundle) bool { return a.cost <= b.cost && a.before&^b.before == 0 && (!a.outing || b.outing) }
		if slices.ContainsFunc(out[first:], func(o bundle) bool { return covers(o, b) }) {
			continue
		}
		kept := slices.DeleteFunc(out[first:], func(o bundle) bool { return covers(b, o) })
		out = append(out[:first+len(kept)], b)
	}
	return out
}

func (d *dayWork) extend(at int32) {
	for bit, list := range d.needs {
		b := uint32(1) << bit
		if l := &d.labels[at]; (l.set|l.before)&b != 0 {
			continue
		}
		for _, o := range list {
			l, away := &d.labels[at], d.options[o].place != Home
			switch {
			case !away && l.travel < 0:
				d.stay(at, o)
			case away && l.travel >= 0:
				d.visit(at, o, int(l.travel))
			case away && l.outs == 0:
				for t := range d.Travel {
					d.visit(at, o, t)
				}
			}
		}
	}
}

// stay does something at home.
func (d *dayWork) stay(at, o int32) {
	l, opt := d.labels[at], &d.options[o]
	start := max(l.ready, int32(opt.first))
	if start > int32(opt.last) {
		return
	}
	l.ready = start + int32(opt.minutes)
	l.cost += opt.cost
	d.add(l, at, o)
}

// visit goes to a stop, from home or from the last one.
func (d *dayWork) visit(at, o int32, travel int) {
	l, opt := d.labels[at], &d.options[o]
	leg := d.Travel[travel].Legs[l.place][opt.place]
	if leg.No || int(l.stops) >= d.most {
		return
	}
	if l.travel < 0 {
		l.ready, l.worked, l.leave = max(l.ready, int32(d.day.Out.From)), 0, math.MaxInt32
		l.cost += d.Outing
		l.travel = int16(travel)
	}
	arrive := l.ready + int32(leg.Minutes)
	if arrive > int32(opt.last) {
		return
	}
	l.leave = min(l.leave, int32(opt.last)-l.worked-int32(leg.Minutes))
	l.ready = max(arrive, int32(opt.first)) + int32(opt.minutes)
	l.worked += int32(leg.Minutes + opt.minutes)
	l.cost += leg.Cost + opt.cost - d.Idle*float64(leg.Minutes+opt.minutes)
	l.place = int16(opt.place)
	l.stops++
	if l.out() > int32(d.away) || l.ready > int32(d.day.Out.To) {
		return
	}
	d.add(l, at, o)
}

// comeHome ends an outing. Leaving home as late as the first stops allow, but not later than makes her return later, she is home at the
// earliest and has waited the least: one way home is best in both.
func (d *dayWork) comeHome(at int32) {
	l := d.labels[at]
	if l.travel < 0 {
		return
	}
	leg := d.Travel[l.travel].Legs[l.place][Home]
	l.ready += int32(leg.Minutes)
	l.worked += int32(leg.Minutes)
	l.cost += leg.Cost - d.Idle*float64(leg.Minutes)
	if leg.No || l.ready > int32(d.day.Out.To) || l.out() > int32(d.away) {
		return
	}
	l.cost = l.burden(d.Idle)
	l.travel, l.place, l.worked, l.leave = -1, Home, 0, 0
	l.outs++
	l.option, l.prev = -1, at
	d.keep(l)
}

// add keeps a label that has done one more need.
func (d *dayWork) add(l label, prev, o int32) {
	bit := d.options[o].need
	l.set |= 1 << bit
	l.before |= d.after[bit] &^ l.set
	l.option, l.prev = o, prev
	d.keep(l)
}

// keep keeps a label unless it is needless, or cannot become a part of a good plan.
func (d *dayWork) keep(l label) {
	if d.bound != nil && l.burden(d.Idle)+d.bound.left(l.set, int(l.place)) >= d.limit {
		return
	}
	list := d.sets[l.set]
	for _, at := range list {
		if d.labels[at].covers(&l) {
			return
		}
	}
	list = slices.DeleteFunc(list, func(at int32) bool { return l.covers(&d.labels[at]) })
	d.labels = append(d.labels, l)
	d.sets[l.set] = append(list, int32(len(d.labels)-1))
}
