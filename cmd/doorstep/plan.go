package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/journey/burden"
	"doorstep/internal/journey/weeks"
	"doorstep/internal/person"
)

type planCmd struct {
	File string `arg:"" help:"JSON of one person's needs and the ways to meet them (docs/plan.md); '-' is standard input." type:"path"`
	JSON bool   `help:"Print JSON, which it always does." hidden:""`
}

func (c planCmd) Run(e *env) error {
	read := func(in io.Reader, out *bufio.Writer) error {
		doc, err := readJSON(in, maxPlanFile)
		if err != nil {
			return err
		}
		w, err := readWeeks(doc)
		if err != nil {
			return err
		}
		a, err := w.Plan()
		if err != nil {
			return err
		}
		return writeAnswer(a, out)
	}
	return calculateOr(e, c.File, os.Stdin, read)
}

const maxPlanFile = 64 << 20

// readWeeks reads one person's weeks.
func readWeeks(doc node) (*weeks.Weeks, error) {
	top, err := doc.object("from", "days", "home?", "tz?", "after?", "places?", "travel?", "weights?", "limits?", "prefer?", "needs", "seed?")
	if err != nil {
		return nil, err
	}
	var r readAll
	w := &weeks.Weeks{Weights: burden.Usual(), Days: r.whole(top["days"], 1, weeks.MaxDays, "1 to 400 days"), Zone: time.UTC}
	if zone, ok := top["tz"]; ok {
		w.Zone = r.zone(zone)
	}
	if text := r.text(top["from"]); len(text) > len(time.DateOnly) {
		from := r.instant(top["from"])
		if top["tz"].raw == nil {
			w.Zone = from.Location()
		}
		w.From, w.After = clock.DayOf(from, w.Zone), from
	} else {
		w.From = r.day(top["from"])
	}
	if after, ok := top["after"]; ok {
		w.After = r.instant(after)
	}
	if home, ok := top["home"]; ok {
		w.Home = readPoint(&r, home, "id?")
	}
	if seed, ok := top["seed"]; ok {
		w.Seed = uint64(r.whole(seed, 0, 1<<31-1, "0 or more"))
	}
	for _, n := range r.optionalList(top["places"]) {
		o := r.object(n, "id", "lat?", "lon?")
		w.Places = append(w.Places, weeks.Place{ID: r.text(o["id"]), Point: point(&r, n, o)})
	}
	for _, n := range r.optionalList(top["needs"]) {
		w.Needs = append(w.Needs, readNeed(&r, w, n))
	}
	readMeans(&r, w, top["travel"])
	readWeights(&r, w, top["weights"])
	readLimits(&r, w, top["limits"])
	for _, n := range r.optionalList(top["prefer"]) {
		w.Prefer = append(w.Prefer, readPreference(&r, n))
	}
	if r.err != nil {
		return nil, r.err
	}
	return w, w.Validate()
}

// float reads a number between two bounds.
func (r *readAll) float(n node, low, high float64) (v float64) {
	if r.err != nil {
		return 0
	}
	if err := json.Unmarshal(n.raw, &v); err != nil || string(n.raw) == "null" || !(v >= low && v <= high) {
		r.err = n.wrong("is %s (want a number, %g to %g)", n.shown(), low, high)
		return 0
	}
	return v
}

func readPoint(r *readAll, n node, more ...string) person.Point {
	return point(r, n, r.object(n, append(more, "lat", "lon")...))
}

func point(r *readAll, n node, o map[string]node) (p person.Point) {
	lat, one := o["lat"]
	lon, two := o["lon"]
	if one != two && r.err == nil {
		r.err = n.wrong("has a lat or a lon alone")
	}
	if one && two {
		p = person.Point{Lat: r.float(lat, -90, 90), Lon: r.float(lon, -180, 180)}
	}
	return p
}

// modes are the words for a way's mode.
var modes = map[string]weeks.Mode{
	"message": weeks.Apart, "delivery": weeks.Apart, "kit": weeks.Apart, "mail": weeks.Apart,
	"phone": weeks.Present, "video": weeks.Present, "home": weeks.Present, "home_visit": weeks.Present, "home_draw": weeks.Present,
	"clinic": weeks.Out, "pickup": weeks.Out, "lab": weeks.Out, "pharmacy": weeks.Out, "shop": weeks.Out, "hospital": weeks.Out,
}

func readNeed(r *readAll, w *weeks.Weeks, n node) (need weeks.Need) {
	o := r.object(n, "id", "window?", "minutes?", "after?", "ways", "promised?")
	need.ID = r.text(o["id"])
	if m, ok := o["minutes"]; ok {
		need.Minutes = r.whole(m, 0, 24*60, "0 to 1440 minutes")
	}
	need.Window = slot.Span{From: clock.At(w.From, 0, w.Zone), To: clock.At(w.From.Add(w.Days), 0, w.Zone)}
	if window, ok := o["window"]; ok {
		need.Window = readSpan(r, w.Zone, window)
	}
	for _, a := range r.optionalList(o["after"]) {
		need.After = append(need.After, r.text(a))
	}
	for _, y := range r.list(o["ways"]) {
		need.Ways = append(need.Ways, readWay(r, w, y))
	}
	if p, ok := o["promised"]; ok {
		q := r.object(p, "way", "start", "firm?")
		need.Promised = &weeks.Promised{Way: r.text(q["way"]), Start: r.instant(q["start"])}
		if firm, ok := q["firm"]; ok {
			need.Promised.Never = r.yes(firm)
		}
	}
	return need
}

// yes reads true or false.
func (r *readAll) yes(n node) (v bool) {
	if r.err == nil && (json.Unmarshal(n.raw, &v) != nil || string(n.raw) == "null") {
		r.err = n.wrong("is %s (want true or false)", n.shown())
	}
	return v
}

// readSpan reads [from, to] or {"from", "to"}: times with an offset, or dates, of which the last is included.
func readSpan(r *readAll, zone *time.Location, n node) slot.Span {
	if r.err != nil {
		return slot.Span{}
	}
	var from, to node
	if len(n.raw) > 0 && n.raw[0] == '[' {
		list := r.list(n)
		if r.err == nil && len(list) != 2 {
			r.err = n.wrong("has %d members (want when it begins and when it ends)", len(list))
			return slot.Span{}
		}
		from, to = list[0], list[1]
	} else {
		o := r.object(n, "from", "to")
		from, to = o["from"], o["to"]
	}
	at := func(n node, days int) time.Time {
		if text := r.text(n); len(text) > len(time.DateOnly) {
			return r.instant(n)
		}
		return clock.At(r.day(n).Add(days), 0, zone)
	}
	if r.err != nil {
		return slot.Span{}
	}
	s := slot.Span{From: at(from, 0), To: at(to, 1)}
	if r.err == nil && !s.From.Before(s.To) {
		r.err = n.wrong("does not end after it begins")
	}
	return s
}

func readWay(r *readAll, w *weeks.Weeks, n node) (way weeks.Way) {
	o := r.object(n, "id", "mode", "place?", "minutes?", "wait_min?", "cost?", "openings?", "present?")
	way.ID = r.text(o["id"])
	word := r.text(o["mode"])
	mode, known := modes[word]
	if place, ok := o["place"]; ok {
		way.Place = readPlace(r, w, place)
	}
	switch {
	case way.Place == weeks.Home:
		way.Place = ""
		if mode == weeks.Out {
			mode = weeks.Present
		}
	case way.Place != "":
		mode = weeks.Out
	case r.err == nil && !known:
		r.err = o["mode"].wrong("is %s, which says nothing of where it is (name a place, or one of message, delivery, kit, mail, phone, video, home, home_visit, home_draw)", o["mode"].shown())
	case r.err == nil && mode == weeks.Out:
		r.err = n.wrong("has no place (want the id of a place)")
	}
	way.Mode = mode
	if present, ok := o["present"]; ok && mode != weeks.Out {
		way.Mode = weeks.Apart
		if r.yes(present) {
			way.Mode = weeks.Present
		}
	}
	if m, ok := o["minutes"]; ok {
		way.Minutes = r.whole(m, 0, 24*60, "0 to 1440 minutes")
	}
	if m, ok := o["wait_min"]; ok {
		way.Wait = r.whole(m, 0, 24*60, "0 to 1440 minutes")
	}
	if c, ok := o["cost"]; ok {
		way.Dollars = r.float(c, 0, 99999)
	}
	if open, ok := o["openings"]; ok {
		way.Open = []slot.Span{}
		for _, s := range r.list(open) {
			readOpening(r, w, s, &way)
		}
	}
	return way
}

// readPlace reads the id of a place, or a place in full.
func readPlace(r *readAll, w *weeks.Weeks, n node) string {
	if len(n.raw) > 0 && n.raw[0] == '{' {
		o := r.object(n, "id", "lat", "lon")
		p := weeks.Place{ID: r.text(o["id"]), Point: point(r, n, o)}
		if i := slices.IndexFunc(w.Places, func(q weeks.Place) bool { return q.ID == p.ID }); i < 0 {
			w.Places = append(w.Places, p)
		} else if w.Places[i] != p && r.err == nil {
			r.err = n.wrong("has the id %q of another place", p.ID)
		}
		return p.ID
	}
	return r.text(n)
}

// readOpening reads times by the week, or a span.
func readOpening(r *readAll, w *weeks.Weeks, n node, way *weeks.Way) {
	if !strings.HasPrefix(string(n.raw), "{") || !strings.Contains(string(n.raw), `"days"`) {
		way.Open = append(way.Open, readSpan(r, w.Zone, n))
		return
	}
	if way.Calendar == nil {
		way.Calendar = &slot.Calendar{Zone: w.Zone}
	}
	way.Calendar.Weekly = append(way.Calendar.Weekly, readWeekly(r, n))
}

// readMeans reads ways of getting about: a list with minutes, or figures of the estimate.
func readMeans(r *readAll, w *weeks.Weeks, n node) {
	if n.raw == nil || r.err != nil {
		return
	}
	if n.raw[0] == '[' {
		for _, m := range r.list(n) {
			w.Means = append(w.Means, readLegs(r, m))
		}
		return
	}
	o := r.object(n, "speed_kmh?", "detour?", "door_min?", "dollars_per_km?")
	e := weeks.ByCar
	for key, v := range map[string]*float64{"speed_kmh": &e.Speed, "detour": &e.Detour, "dollars_per_km": &e.PerKM} {
		if f, ok := o[key]; ok {
			low := map[string]float64{"speed_kmh": 1, "detour": 1}[key]
			*v = r.float(f, low, 1000)
		}
	}
	if m, ok := o["door_min"]; ok {
		e.Doors = r.whole(m, 0, 24*60, "0 to 1440 minutes")
	}
	w.Means = []weeks.Means{e.Means("car", w.Home, w.Places)}
}

func readLegs(r *readAll, n node) weeks.Means {
	o := r.object(n, "id", "legs")
	m := weeks.Means{ID: r.text(o["id"]), Legs: map[[2]string]burden.Leg{}}
	for _, l := range r.list(o["legs"]) {
		q := r.object(l, "from", "to", "minutes", "walk_min?", "transfers?", "dollars?", "one_way?")
		leg := burden.Leg{Minutes: r.whole(q["minutes"], 0, 24*60, "0 to 1440 minutes")}
		if v, ok := q["walk_min"]; ok {
			leg.Walk = r.whole(v, 0, 24*60, "0 to 1440 minutes")
		}
		if v, ok := q["transfers"]; ok {
			leg.Transfers = r.whole(v, 0, 50, "0 to 50")
		}
		if v, ok := q["dollars"]; ok {
			leg.Dollars = r.float(v, 0, 9999)
		}
		from, to := r.text(q["from"]), r.text(q["to"])
		m.Legs[[2]string{from, to}] = leg
		if way, ok := q["one_way"]; !ok || !r.yes(way) {
			m.Legs[[2]string{to, from}] = leg
		}
	}
	return m
}

func readWeights(r *readAll, w *weeks.Weeks, n node) {
	if n.raw == nil || r.err != nil {
		return
	}
	fields := map[string]*float64{"contact_day": &w.Weights.ContactDay, "travel": &w.Weights.Travel, "visit": &w.Weights.Visit, "wait": &w.Weights.Wait, "idle": &w.Weights.Idle,
		"walk": &w.Weights.Walk, "mobility": &w.Weights.Mobility, "transfer": &w.Weights.Transfer, "escort": &w.Weights.Escort, "dollar": &w.Weights.Dollar, "move": &w.Weights.Move}
	var names []string
	for name := range fields {
		names = append(names, name+"?")
	}
	slices.Sort(names)
	for name, v := range r.object(n, names...) {
		*fields[name] = r.float(v, 0, 10000)
	}
}

func readLimits(r *readAll, w *weeks.Weeks, n node) {
	if n.raw == nil || r.err != nil {
		return
	}
	o := r.object(n, "out?", "in?", "never_days?", "not?", "away_min?", "stops?", "rest_days?", "escort?")
	if v, ok := o["out"]; ok {
		w.Limits.Out = r.wall(v, false)
	}
	if v, ok := o["in"]; ok {
		w.Limits.In = r.wall(v, true)
	}
	for _, d := range r.optionalList(o["never_days"]) {
		w.Limits.Never = append(w.Limits.Never, time.Weekday(r.whole(d, 1, 7, "1 Monday to 7 Sunday")%7))
	}
	for _, s := range r.optionalList(o["not"]) {
		w.Limits.Not = append(w.Limits.Not, readSpan(r, w.Zone, s))
	}
	if v, ok := o["away_min"]; ok {
		w.Limits.Away = r.whole(v, 1, 24*60, "1 to 1440 minutes")
	}
	if v, ok := o["stops"]; ok {
		w.Limits.Stops = r.whole(v, 1, 20, "1 to 20")
	}
	if v, ok := o["rest_days"]; ok {
		w.Limits.Rest = r.whole(v, 0, 30, "0 to 30 days")
	}
	if v, ok := o["escort"]; ok {
		w.Limits.Escort = r.yes(v)
	}
}

func readPreference(r *readAll, n node) (p weeks.Preference) {
	o := r.object(n, "days?", "start", "end", "minutes")
	for _, d := range r.optionalList(o["days"]) {
		p.Days = append(p.Days, r.whole(d, 1, 7, "1 Monday to 7 Sunday"))
	}
	p.From, p.To, p.Minutes = r.wall(o["start"], false), r.wall(o["end"], true), r.float(o["minutes"], 0, 10000)
	if r.err == nil && p.To <= p.From {
		r.err = o["end"].wrong("is not after start (two preferences cover a night)")
	}
	return p
}

// writeAnswer prints the plan as one line.
func writeAnswer(a weeks.Answer, out io.Writer) error {
	var o object
	o.number("burden", a.Burden)
	o.key("optimal")
	o.b = append(o.b, map[bool]string{false: "false", true: "true"}[a.Optimal]...)
	o.number("bound", a.Bound)
	item := func(it weeks.Item) (i object) {
		i.text("need", it.Need)
		i.text("way", it.Way)
		i.time("start", it.Start)
		i.time("end", it.End)
		if it.Place != "" {
			i.text("place", it.Place)
			i.time("arrive", it.Arrive)
		}
		if it.Moved {
			i.key("moved")
			i.b = append(i.b, "true"...)
		}
		return i
	}
	o.list("items", len(a.Items), func(i int) object { return item(a.Items[i]) })
	o.list("trips", len(a.Trips), func(k int) (t object) {
		trip := a.Trips[k]
		t.time("leave", trip.Leave)
		t.time("return", trip.Return)
		t.text("travel", trip.Means)
		parts(&t, trip.Parts)
		t.list("stops", len(trip.Items), func(i int) object { return item(a.Items[trip.Items[i]]) })
		return t
	})
	o.list("unmet", len(a.Unmet), func(k int) (u object) {
		u.text("need", a.Unmet[k].Need)
		u.key("reasons")
		reasons, _ := json.Marshal(a.Unmet[k].Reasons) // texts always go
		u.b = append(u.b, reasons...)
		return u
	})
	parts(&o, a.Parts)
	return o.end(out)
}

func parts(o *object, p burden.Parts) {
	o.key("parts")
	b, _ := json.Marshal(p) // numbers always go
	o.b = append(o.b, b...)
}
