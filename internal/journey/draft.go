package journey

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"doorstep/internal/appointment"
	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/journey/weeks"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// draft is one person's weeks while they are planned: what was read, the problem, and what its ids stand for.
type draft struct {
	s       *Service
	now     time.Time
	person  person.Person
	version int64
	self    Self
	home    person.Home
	places  []person.Place
	outlets []Outlet
	kinds   map[string]Kind
	needs   []Need
	items   []Item
	trips   []Trip
	booked  []appointment.Appointment
	types   []appointment.Type
	perDay  map[string]int // way's key and day: how many of other people have it
	legs    roadmap
	weeks   weeks.Weeks
	times   map[string]*occurring // by occurrence
	options map[string][]appointment.Option
	cell    func(resource string, at time.Time) int // of shared capacity; nil while one person is planned alone
}

// occurring is one time of a need with its ways.
type occurring struct {
	need    Need
	kind    Kind
	window  Window
	item    *Item // as it was promised; nil: it was not
	why     map[string]string
	ways    map[string]choice // by the planner's id of the way
	instead *Instead
}

// choice is one way at one place.
type choice struct {
	way   Way
	place string
	spans []slot.Span // when it can be had, for what has a window
}

// outside is the kind of what was booked without a need.
const outside = "visit"

// read reads what a person's weeks are made of.
func (s *Service) read(tx *store.Tx, org person.OrgID, patient person.ID) (*draft, error) {
	d := &draft{s: s, now: s.clock.Now(), kinds: map[string]Kind{}, times: map[string]*occurring{}, options: map[string][]appointment.Option{}, perDay: map[string]int{}}
	var err error
	if d.person, err = s.people.Get(tx, org, patient); err != nil {
		return nil, err
	}
	if _, err = tx.Row("SELECT version FROM journey_plan WHERE org = $1 AND shard = $2 AND patient = $3", []any{string(org), person.Shard(patient), string(patient)}, &d.version); err != nil {
		return nil, err
	}
	if d.self, err = s.SelfOf(tx, org, patient); err != nil {
		return nil, err
	}
	if d.home, err = s.people.HomeOf(tx, org, patient); err != nil {
		return nil, err
	}
	if d.places, err = s.people.Places(tx, org); err != nil {
		return nil, err
	}
	if d.outlets, err = s.Outlets(tx, org); err != nil {
		return nil, err
	}
	kinds, err := s.Kinds(tx, org)
	if err != nil {
		return nil, err
	}
	for _, k := range kinds {
		d.kinds[k.ID] = k
	}
	if d.needs, err = s.Needs(tx, org, patient); err != nil {
		return nil, err
	}
	if d.items, err = s.items(tx, org, patient); err != nil {
		return nil, err
	}
	if d.trips, err = s.trips(tx, org, patient); err != nil {
		return nil, err
	}
	all, err := s.visits.Of(tx, org, patient)
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if a.State == appointment.Booked && a.Start.After(d.now) && a.Start.Before(d.now.AddDate(0, 0, Ahead)) {
			d.booked = append(d.booked, a)
		}
	}
	if d.types, err = s.visits.Types(tx, org); err != nil {
		return nil, err
	}
	return d, d.count(tx)
}

// count reads how many of each way that has a number a day other people have.
func (d *draft) count(tx *store.Tx) error {
	limited := false
	for _, k := range d.kinds {
		limited = limited || slices.ContainsFunc(k.Ways, func(w Way) bool { return w.PerDay > 0 })
	}
	if !limited {
		return nil
	}
	return tx.Rows(`SELECT i.way, i.place, i.start_at FROM journey_item i WHERE i.org = $1 AND i.start_at >= $2 AND i.start_at < $3 AND i.state = 'promised' AND i.patient <> $4`,
		[]any{string(d.person.Org), store.Micros(d.now), store.Micros(d.now.AddDate(0, 0, Ahead+1)), string(d.person.ID)}, func(scan func(...any) error) error {
			var way, place string
			var at int64
			err := scan(&way, &place, &at)
			d.perDay[way+" "+place+" "+clock.DayOf(store.Time(at), d.person.Location()).String()]++
			return err
		})
}

// make builds the weeks of what was read: it asks the clinic for its openings and the roads for the ways.
func (d *draft) make(ctx context.Context) error {
	zone := d.person.Location()
	first := clock.DayOf(d.now, zone)
	end := clock.At(first.Add(Ahead), 0, zone)
	d.weeks = weeks.Weeks{From: first, Days: Ahead, Zone: zone, After: d.now, Home: d.home.Point, Weights: d.self.Weights, Limits: d.self.limits(), Prefer: d.self.prefer(), Seed: 1}
	if err := d.roads(ctx); err != nil {
		return err
	}
	promised := map[string]*Item{}
	bound := map[appointment.ID]bool{}
	for i := range d.items {
		it := &d.items[i]
		if it.State == Promised {
			promised[it.ID] = it
		}
		if it.State != Planned {
			bound[it.Visit] = true
		}
	}
	for _, n := range d.needs {
		k, ok := d.kinds[n.Kind]
		if !ok {
			continue // staff took the kind away: it shows as unmet on the list
		}
		for _, w := range n.Times(d.now, end) {
			id := n.occurrence(w)
			if i := slices.IndexFunc(d.items, func(it Item) bool { return it.ID == id && (it.State == ItemDone || it.State == Missed) }); i >= 0 {
				continue
			}
			o := &occurring{need: n, kind: k, window: w, item: promised[id], why: map[string]string{}, ways: map[string]choice{}}
			if o.item == nil { // a visit that she booked by herself meets it
				if a := d.meets(o, bound); a != nil {
					bound[a.ID] = true
					it := Item{Org: n.Org, Patient: n.Patient, ID: id, Need: n.ID, Way: d.wayOf(k, a.Way), Mode: modeOf(a.Way), Place: a.Place, Start: a.Start, End: a.End, State: Promised, Visit: a.ID, Why: Why{Kind: k.ID, From: w.From, By: w.By}}
					o.item = &it
				}
			}
			if o.item != nil && !o.item.Start.After(d.now) {
				continue // it is under way
			}
			d.times[id] = o
		}
	}
	for _, a := range d.booked { // what was booked without a need of ours holds its place in the weeks
		if bound[a.ID] {
			continue
		}
		id := "visit-" + string(a.ID)
		if it := promised[id]; it != nil {
			continue
		}
		it := Item{Org: a.Org, Patient: a.Patient, ID: id, Way: string(modeOf(a.Way)), Mode: modeOf(a.Way), Place: a.Place, Start: a.Start, End: a.End, State: Promised, Visit: a.ID, Why: Why{Kind: outside, From: a.Start, By: a.End}}
		d.times[id] = d.standing(it)
	}
	for _, it := range promised { // what was promised for no need that is open
		if d.times[it.ID] == nil && it.Start.After(d.now) && it.Start.Before(end) {
			d.times[it.ID] = d.standing(*it)
		}
	}
	if err := d.openings(ctx, end); err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(d.times)) {
		d.weeks.Needs = append(d.weeks.Needs, d.need(id, d.times[id], end))
	}
	return d.weeks.Validate()
}

// standing is something promised that is planned around and never moved by us.
func (d *draft) standing(it Item) *occurring {
	return &occurring{need: Need{Org: it.Org, Patient: it.Patient, ID: it.Need, Minutes: int(it.End.Sub(it.Start) / time.Minute)}, kind: Kind{ID: it.Why.Kind, Minutes: int(it.End.Sub(it.Start) / time.Minute)},
		window: Window{it.Start, it.End}, item: &it, why: map[string]string{}, ways: map[string]choice{}}
}

// meets answers a visit that was booked elsewhere and does what a need asks: of its type, within its window.
func (d *draft) meets(o *occurring, bound map[appointment.ID]bool) *appointment.Appointment {
	for i, a := range d.booked {
		if bound[a.ID] || a.Start.Before(o.window.From) || a.End.After(o.window.By) || d.wayOf(o.kind, a.Way) == "" {
			continue
		}
		for _, w := range o.kind.Ways {
			if w.Visit != "" && cmp.Or(o.need.Type, w.Visit) == a.Type {
				return &d.booked[i]
			}
		}
	}
	return nil
}

// wayOf answers the way of a kind that is held as visits are.
func (d *draft) wayOf(k Kind, w appointment.Way) string {
	for _, x := range k.Ways {
		if x.Visit != "" && visitWay(x.Mode) == w {
			return x.ID
		}
	}
	return ""
}

// visitWay answers how the clinic holds visits of a mode.
func visitWay(m Mode) appointment.Way {
	switch m {
	case ByMessage:
		return appointment.Message
	case ByPhone:
		return appointment.Phone
	case ByVideo:
		return appointment.Video
	case HomeVisit, HomeDraw:
		return appointment.Home
	case Clinic:
		return appointment.Clinic
	}
	return ""
}

// modeOf answers the mode of a way in which the clinic holds visits.
func modeOf(w appointment.Way) Mode {
	switch w {
	case appointment.Message:
		return ByMessage
	case appointment.Phone:
		return ByPhone
	case appointment.Video:
		return ByVideo
	case appointment.Home:
		return HomeVisit
	}
	return Clinic
}

// roads measures the ways between home and all spots.
func (d *draft) roads(ctx context.Context) error {
	var spots []spot
	var clinics []person.Point
	for _, p := range d.places {
		if p.Known() {
			spots, clinics = append(spots, spot{p.ID, p.Point, true}), append(clinics, p.Point)
		}
	}
	kinds := map[string]bool{}
	for _, o := range d.outlets {
		kinds[o.Kind] = true
	}
	keep := []Outlet{}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		keep = append(keep, nearestSpots(d.outlets, kind, d.home.Point, clinics)...)
	}
	for _, o := range keep {
		spots = append(spots, spot{o.ID, o.Point(), false})
	}
	d.outlets = keep
	for _, p := range d.places { // one whose point nobody has entered is as far as we assume
		if !p.Known() {
			spots = append(spots, spot{id: p.ID, clin: true})
		}
	}
	var err error
	d.legs, err = d.s.roadmap(ctx, d.home.Point, spots, d.self.Means)
	means := weeks.Means{ID: d.self.Means, Legs: d.legs.legs}
	d.weeks.Means = []weeks.Means{means}
	for _, p := range spots {
		d.weeks.Places = append(d.weeks.Places, weeks.Place{ID: p.id, Point: p.point})
	}
	return err
}

// openings asks the clinic for what is free, once for each type of visit.
func (d *draft) openings(ctx context.Context, end time.Time) error {
	asked := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(d.times)) {
		o := d.times[id]
		for _, w := range o.kind.Ways {
			typ := cmp.Or(o.need.Type, w.Visit)
			if w.Visit == "" || asked[typ] || !slices.ContainsFunc(d.types, func(t appointment.Type) bool { return t.ID == typ && t.Active }) {
				continue
			}
			asked[typ] = true
			found, err := d.s.visits.Find(ctx, appointment.Search{Org: d.person.Org, Patient: d.person.ID, Type: typ, From: d.now, To: end})
			if err != nil {
				return err
			}
			d.options[typ] = found.Options
		}
	}
	return nil
}

// need makes an occurrence into what the planner takes, and keeps why ways are not possible.
func (d *draft) need(id string, o *occurring, end time.Time) weeks.Need {
	n := weeks.Need{ID: id, Minutes: minutesOf(o.kind, o.need, Way{}), Window: slot.Span{From: later(o.window.From, d.now), To: sooner(o.window.By, end)}}
	for _, a := range o.need.After {
		for other, x := range d.times {
			if x.need.ID == a && x.need.ID != "" {
				n.After = append(n.After, other)
			}
		}
	}
	slices.Sort(n.After)
	nearest := d.nearestClinic()
	for _, w := range o.kind.Ways {
		if why := w.eligible(o.kind, o.need, d.self, nearest, d.legs.known); why != "" {
			o.why[w.ID] = why
			continue
		}
		list, why := d.ways(o, w, end)
		if len(list) == 0 {
			o.why[w.ID] = why
		}
		n.Ways = append(n.Ways, list...)
	}
	if x, ok := d.legs.instead(o.kind, o.need, d.self.Means, d.self.Means == Family, func(w Way) []string { return d.spotsOf(o, w) }); ok {
		o.instead = &x
	}
	if it := o.item; it != nil {
		d.hold(&n, o, *it)
	}
	return n
}

// hold puts what was promised among the ways of a need.
func (d *draft) hold(n *weeks.Need, o *occurring, it Item) {
	key := wayKey(it.Way, it.Place)
	if !it.Mode.Out() {
		key = wayKey(it.Way, it.Place)
	}
	window := slot.Span{From: sooner(n.Window.From, it.Start), To: later(n.Window.To, it.End)}
	n.Window = window
	held := weeks.Way{ID: key, Minutes: int(it.End.Sub(it.Start) / time.Minute), Open: []slot.Span{{From: it.Start, To: it.End}}, Fixed: true, Mode: weeks.Apart}
	switch {
	case it.Mode.Out():
		held.Mode, held.Place = weeks.Out, it.Place
	case it.Mode.Present():
		held.Mode = weeks.Present
	}
	if _, known := o.ways[key]; !known {
		o.ways[key] = choice{way: Way{ID: it.Way, Mode: it.Mode}, place: it.Place}
	}
	i := slices.IndexFunc(n.Ways, func(w weeks.Way) bool { return w.ID == key })
	if i < 0 {
		n.Ways = append(n.Ways, held)
	} else { // its time is hers, and so no longer among what is free
		w := &n.Ways[i]
		long := time.Duration(w.Wait+cmp.Or(w.Minutes, n.Minutes)) * time.Minute
		if w.Fixed {
			w.Open = append(w.Open, slot.Span{From: it.Start, To: it.Start.Add(long)})
			n.Window.To = later(n.Window.To, it.Start.Add(long))
		}
	}
	n.Promised = &weeks.Promised{Way: key, Start: it.Start, Never: it.Why.Firm || it.Need == "" || it.Start.Sub(d.now) < settled}
	if n.Promised.Never { // nothing else is looked at
		n.Ways = slices.DeleteFunc(n.Ways, func(w weeks.Way) bool { return w.ID != key })
	}
}

// settled is how long before its time what was promised is not moved any more for the sake of less burden.
const settled = 48 * time.Hour

func wayKey(way, place string) string {
	if place == "" {
		return way
	}
	return way + ":" + place
}

// nearestClinic answers the km to the nearest place of the clinic.
func (d *draft) nearestClinic() float64 {
	best := -1.0
	for _, p := range d.places {
		if km := d.home.KM(p.Point); p.Known() && (best < 0 || km < best) {
			best = km
		}
	}
	return max(best, 0)
}

// spotsOf answers where a way that leads out can be had at all.
func (d *draft) spotsOf(o *occurring, w Way) []string {
	var out []string
	if w.Outlet != "" {
		for _, x := range d.outlets {
			if x.Kind == w.Outlet {
				out = append(out, x.ID)
			}
		}
		return out
	}
	typ := cmp.Or(o.need.Type, w.Visit)
	for _, x := range d.options[typ] {
		if x.Way == visitWay(w.Mode) && x.Place != "" && !slices.Contains(out, x.Place) {
			out = append(out, x.Place)
		}
	}
	if len(out) == 0 { // where it would be, were anything free
		for _, p := range d.places {
			out = append(out, p.ID)
		}
	}
	return out
}

// ways answers a way at each place where it can be had, or why it cannot.
func (d *draft) ways(o *occurring, w Way, end time.Time) (list []weeks.Way, why string) {
	from := later(later(o.window.From, d.now), w.lead(d.now))
	to := sooner(o.window.By, end)
	base := weeks.Way{Minutes: w.Minutes, Wait: w.Wait, Dollars: w.Dollars, Mode: weeks.Apart}
	switch {
	case w.Mode.Out():
		base.Mode = weeks.Out
	case w.Mode.Present():
		base.Mode = weeks.Present
	}
	if w.Visit != "" {
		return d.visitWays(o, w, base, from, to)
	}
	put := func(place string, spans []slot.Span) {
		spans = d.free(w, place, spans)
		if len(spans) == 0 {
			return
		}
		x := base
		x.ID, x.Open = wayKey(w.ID, place), spans
		if w.Mode.Out() {
			x.Place = place
		}
		o.ways[x.ID] = choice{w, place, spans}
		list = append(list, x)
	}
	if w.Outlet == "" {
		put("", d.daytime(from, to))
		return list, WhyClosed
	}
	why = WhyNotHeld
	for _, x := range d.outlets {
		if x.Kind != w.Outlet {
			continue
		}
		hours := x.Hours
		if w.Mode == Delivery {
			hours = x.Delivers
		}
		if len(hours) > 0 {
			why = WhyClosed
		}
		var spans []slot.Span
		for _, h := range hours {
			c, err := h.Hours()
			if err == nil && from.Before(to) {
				spans = append(spans, c.Calendar.Spans(from, to)...)
			}
		}
		put(x.ID, slot.Merge(spans))
	}
	return list, why
}

// visitWays answers what the clinic has free, a way for each place.
func (d *draft) visitWays(o *occurring, w Way, base weeks.Way, from, to time.Time) ([]weeks.Way, string) {
	typ := cmp.Or(o.need.Type, w.Visit)
	i := slices.IndexFunc(d.types, func(t appointment.Type) bool { return t.ID == typ && t.Active })
	if i < 0 {
		return nil, WhyNotHeld
	}
	offer, held := d.types[i].Offer(visitWay(w.Mode))
	if !held {
		return nil, WhyNotHeld
	}
	base.Minutes = offer.Min
	at := map[string][]slot.Span{}
	for _, x := range d.options[typ] {
		if x.Way == visitWay(w.Mode) && !x.Beside && !x.Start.Before(from) && !x.End.After(to) {
			at[x.Place] = append(at[x.Place], slot.Span{From: x.Start, To: x.End.Add(time.Duration(w.Wait) * time.Minute)})
		}
	}
	var list []weeks.Way
	for _, place := range slices.Sorted(maps.Keys(at)) {
		x := base
		x.ID, x.Open, x.Fixed = wayKey(w.ID, place), at[place], true
		if w.Mode.Out() {
			x.Place = place
		}
		if d.cell != nil {
			x.Cells = d.cells(typ, w, place)
		}
		o.ways[x.ID] = choice{way: w, place: place}
		list = append(list, x)
	}
	return list, WhyClosed
}

// option answers who and what it takes to be seen at a time.
func (d *draft) option(o *occurring, w Way, place string, start time.Time) (appointment.Option, bool) {
	for _, x := range d.options[cmp.Or(o.need.Type, w.Visit)] {
		if x.Way == visitWay(w.Mode) && x.Place == place && x.Start.Equal(start) {
			return x, true
		}
	}
	return appointment.Option{}, false
}

// daytime answers nine to five of every day, by her clock: for what can be done at any time.
func (d *draft) daytime(from, to time.Time) []slot.Span {
	c := slot.Calendar{Zone: d.person.Location(), Weekly: []slot.Weekly{{Days: []int{1, 2, 3, 4, 5, 6, 7}, Start: clock.WallAt(9, 0), End: clock.WallAt(17, 0)}}}
	return c.Spans(from, to)
}

// free leaves out the days on which a way's number a day is taken.
func (d *draft) free(w Way, place string, spans []slot.Span) []slot.Span {
	if w.PerDay == 0 {
		return spans
	}
	return slices.DeleteFunc(slices.Clone(spans), func(x slot.Span) bool {
		return d.perDay[w.ID+" "+place+" "+clock.DayOf(x.From, d.person.Location()).String()] >= w.PerDay
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func sooner(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// wordFor makes the planner's reason into one of ours.
func wordFor(reason string) string {
	switch {
	case strings.HasPrefix(reason, "it does not fit"):
		return WhyFit
	case strings.HasPrefix(reason, "she cannot"):
		return WhyLimits
	}
	return WhyClosed
}
