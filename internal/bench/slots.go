package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"doorstep/internal/app"
	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/store"
)

const (
	slotWorlds = 200 // small ones, for the same starts
	slotLarge  = 3   // of 50 hosts and 30 days, for the time
	slotRuns   = 3   // of the peer on each of them
)

// slotWorld is one search as both engines get it.
type slotWorld struct {
	From     time.Time  `json:"from"`
	To       time.Time  `json:"to"`
	Duration int        `json:"duration"`
	Grid     int        `json:"grid"`
	Runs     int        `json:"runs"`
	Hosts    []slotHost `json:"hosts"`
}

type slotHost struct {
	TZ        string         `json:"tz"`
	Weekly    []slotHours    `json:"weekly"`
	Overrides []slotOverride `json:"overrides"`
	Busy      [][2]int64     `json:"busy"` // ms since 1970
}

type slotHours struct {
	Days       []int `json:"days"` // 0 Sunday to 6 Saturday
	Start, End int   `json:"-"`
}

// MarshalJSON writes the hours under the peer's names.
func (h slotHours) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"days": h.Days, "start": h.Start, "end": h.End})
}

type slotOverride struct {
	Date       clock.Day
	Start, End int
}

// MarshalJSON writes the override under the peer's names; one that is closed has no length.
func (o slotOverride) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"date": o.Date.String(), "start": o.Start, "end": o.End})
}

// slotZones with the first of the days around a change of clocks in each.
var slotZones = []struct {
	name string
	from string
}{
	{"America/New_York", "2026-03-04"}, {"America/Chicago", "2026-10-28"}, {"America/Los_Angeles", "2026-03-05"}, {"America/Sao_Paulo", "2026-03-05"}, {"Europe/London", "2026-03-25"},
	{"Europe/Berlin", "2026-10-21"}, {"Africa/Johannesburg", "2026-05-04"}, {"Asia/Kolkata", "2026-05-04"}, {"Asia/Kathmandu", "2026-05-04"}, {"America/St_Johns", "2026-03-05"},
}

// farZones are those of some hosts in mixed worlds. They have no overrides: where the working day begins on another date in UTC, the peer keeps
// the weekly hours beside an override.
var farZones = []string{"Australia/Sydney", "Australia/Lord_Howe", "Pacific/Auckland", "Pacific/Apia", "Asia/Tokyo"}

// drawWorld makes a world: hosts with hours by day, booked to four fifths; in a mixed one some are far away.
func drawWorld(random *rand.Rand, hosts, days, duration, grid int, zone, from string, mixed bool) (slotWorld, error) {
	z, err := clock.Zone(zone)
	if err != nil {
		return slotWorld{}, err
	}
	first, err := clock.ParseDay(from)
	if err != nil {
		return slotWorld{}, err
	}
	w := slotWorld{From: clock.At(first, 0, z), To: clock.At(first.Add(days), 0, z), Duration: duration, Grid: grid, Runs: 1}
	for range hosts {
		h, z := slotHost{TZ: zone}, z
		far := mixed && random.IntN(2) == 0
		if far {
			h.TZ = farZones[random.IntN(len(farZones))]
			if z, err = clock.Zone(h.TZ); err != nil {
				return slotWorld{}, err
			}
		}
		start, end := 7*60+15*random.IntN(12), 14*60+15*random.IntN(20)
		h.Weekly = []slotHours{{Days: []int{1, 2, 3, 4, 5}, Start: start, End: end}}
		if random.IntN(3) == 0 {
			h.Weekly = append(h.Weekly, slotHours{Days: []int{0, 6}, Start: 10 * 60, End: 13 * 60})
		}
		if !far && random.IntN(3) == 0 {
			h.Overrides = []slotOverride{{Date: first.Add(random.IntN(days)), Start: 10 * 60, End: 12*60 + 30}}
		}
		if !far && random.IntN(4) == 0 {
			h.Overrides = append(h.Overrides, slotOverride{Date: first.Add(random.IntN(days))})
		}
		for d := range days {
			for at := start - 30; at < end+30; {
				long := 10 + random.IntN(80)
				if random.IntN(5) > 0 {
					b := clock.At(first.Add(d), clock.Wall(at), z)
					h.Busy = append(h.Busy, [2]int64{b.UnixMilli(), b.Add(time.Duration(long) * time.Minute).UnixMilli()})
				}
				at += long
			}
		}
		w.Hosts = append(w.Hosts, h)
	}
	return w, nil
}

// resources answers the hosts as the index takes them.
func (w slotWorld) resources() ([]slot.Resource, error) {
	out := make([]slot.Resource, len(w.Hosts))
	for i, h := range w.Hosts {
		z, err := clock.Zone(h.TZ)
		if err != nil {
			return nil, err
		}
		r := slot.Resource{ID: fmt.Sprint("host", i), Calendar: slot.Calendar{Zone: z}}
		for _, v := range h.Weekly {
			hours := slot.Weekly{Start: clock.Wall(v.Start), End: clock.Wall(v.End)}
			for _, d := range v.Days {
				hours.Days = append(hours.Days, (d+6)%7+1)
			}
			r.Calendar.Weekly = append(r.Calendar.Weekly, hours)
		}
		for _, o := range h.Overrides {
			r.Calendar.Overrides = append(r.Calendar.Overrides, slot.Override{Date: o.Date, Start: clock.Wall(o.Start), End: clock.Wall(o.End)})
		}
		for _, b := range h.Busy {
			r.Busy = append(r.Busy, slot.Span{From: time.UnixMilli(b[0]), To: time.UnixMilli(b[1])})
		}
		out[i] = r
	}
	return out, nil
}

// index puts resources into an index and answers their handles.
func index(over slot.Span, resources []slot.Resource) (*slot.Index, []slot.Handle, error) {
	ix, err := slot.NewIndex(over)
	if err != nil {
		return nil, nil, err
	}
	handles := make([]slot.Handle, len(resources))
	for i, r := range resources {
		if handles[i], err = ix.Set(r); err != nil {
			return nil, nil, err
		}
	}
	return ix, handles, nil
}

func (w slotWorld) query(pool []slot.Handle) slot.Query {
	return slot.Query{Within: slot.Span{From: w.From, To: w.To}, Duration: time.Duration(w.Duration) * time.Minute, Grid: time.Duration(w.Grid) * time.Minute, Pools: [][]slot.Handle{pool}}
}

// slotsFind answers how fast the starts of a visit with any of 50 hosts are found, 30 days with a change of clocks, four fifths booked, and
// on how many worlds they are those of Cal.com's engine, which runs as it is published (internal/bench/peers/calcom).
func slotsFind(ctx context.Context, r *Runner, _ func() (*store.DB, string, error)) ([]app.Figure, error) {
	random := rand.New(rand.NewPCG(4, 2026))
	var worlds []slotWorld
	for range slotWorlds {
		z := slotZones[random.IntN(len(slotZones))]
		w, err := drawWorld(random, 1+random.IntN(10), 5+random.IntN(9), []int{15, 20, 30, 40, 45, 60, 90}[random.IntN(7)], []int{5, 15, 15, 15}[random.IntN(4)], z.name, z.from, random.IntN(2) == 0)
		if err != nil {
			return nil, err
		}
		worlds = append(worlds, w)
	}
	for range slotLarge {
		w, err := drawWorld(random, 50, 30, 30, 15, "America/New_York", "2026-02-20", false)
		if err != nil {
			return nil, err
		}
		w.Runs = slotRuns
		worlds = append(worlds, w)
	}
	theirs, err := r.calcom(ctx, worlds)
	if err != nil {
		return nil, err
	}
	same, starts := 0, 0
	var kept, rebuilt, peer []time.Duration
	var found slot.Starts
	for i, w := range worlds {
		resources, err := w.resources()
		if err != nil {
			return nil, err
		}
		ix, pool, err := index(slot.Span{From: w.From, To: w.To}, resources)
		if err != nil {
			return nil, err
		}
		if err := ix.Find(w.query(pool), &found); err != nil {
			return nil, err
		}
		if theirs != nil {
			ours := make([]int64, 0, found.Len())
			for start := range found.All {
				ours = append(ours, start.UnixMilli())
			}
			if slices.Equal(ours, theirs[i].Starts) {
				same++
				starts += len(ours)
			} else {
				r.Say(fmt.Sprintf("slots.find: world %d (%s) differs", i, w.Hosts[0].TZ))
			}
		}
		if i < slotWorlds {
			continue
		}
		for range 100 {
			begin := time.Now()
			if err := ix.Find(w.query(pool), &found); err != nil {
				return nil, err
			}
			kept = append(kept, time.Since(begin))
		}
		for range 20 {
			begin := time.Now()
			ix, pool, err := index(slot.Span{From: w.From, To: w.To}, resources)
			if err != nil {
				return nil, err
			}
			if err := ix.Find(w.query(pool), &found); err != nil {
				return nil, err
			}
			rebuilt = append(rebuilt, time.Since(begin))
		}
		if theirs != nil {
			for _, ms := range theirs[i].MS {
				peer = append(peer, time.Duration(ms*float64(time.Millisecond)))
			}
		}
	}
	ours, anew := median(kept), median(rebuilt)
	out := []app.Figure{
		{Name: "slots.find.us", Value: ours * 1e3, Unit: "µs", N: len(kept)},
		{Name: "slots.find.anew_us", Value: anew * 1e3, Unit: "µs", N: len(rebuilt)},
	}
	if theirs != nil {
		beside := median(peer)
		out = append(out,
			app.Figure{Name: "slots.find.same", Value: float64(same), Unit: "worlds", N: len(worlds)},
			app.Figure{Name: "slots.find.same_starts", Value: float64(starts), Unit: "starts", N: same},
			app.Figure{Name: "slots.find.peer_ms", Value: beside, Unit: "ms", N: len(peer)},
			app.Figure{Name: "slots.find.ratio", Value: beside / ours, Unit: "times the peer", N: len(peer)},
			app.Figure{Name: "slots.find.anew_ratio", Value: beside / anew, Unit: "times the peer", N: len(peer)})
	}
	return out, nil
}

// median answers the middle of durations in milliseconds.
func median(list []time.Duration) float64 {
	slices.Sort(list)
	return percentile(list, 0.5)
}

// calcomAnswer is what the peer answers for a world.
type calcomAnswer struct {
	Starts []int64   // ms since 1970
	MS     []float64 // of each run
}

// calcom answers what Cal.com's engine finds; nil where node, npm, the folder or the registry is missing.
func (r *Runner) calcom(ctx context.Context, worlds []slotWorld) ([]calcomAnswer, error) {
	source := filepath.Join(r.Peers, "calcom")
	missing := func(what string) ([]calcomAnswer, error) {
		fmt.Fprintln(os.Stderr, "slots.find without Cal.com beside it: "+what)
		return nil, nil
	}
	node, err := exec.LookPath("node")
	if err != nil {
		return missing("node is not installed")
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return missing("npm is not installed")
	}
	dir := filepath.Join(r.dir, "calcom")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for _, name := range []string{"package.json", "package-lock.json"} {
		b, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			return missing(source + " is not there (--peers)")
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return nil, err
		}
	}
	install := exec.CommandContext(ctx, npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")
	install.Dir = dir
	if said, err := install.CombinedOutput(); err != nil {
		return missing(fmt.Sprintf("npm could not install it: %v: %s", err, bytes.TrimSpace(said)))
	}
	now := worlds[0].From
	for _, w := range worlds {
		if w.From.Before(now) {
			now = w.From
		}
	}
	input, err := json.Marshal(map[string]any{"now": now.AddDate(0, 0, -3).UnixMilli(), "worlds": worlds})
	if err != nil {
		return nil, err
	}
	run := exec.CommandContext(ctx, node, filepath.Join(source, "bench.cjs"), dir)
	run.Stdin, run.Stderr = bytes.NewReader(input), os.Stderr
	answer, err := run.Output()
	if err != nil {
		return nil, fmt.Errorf("the engine of Cal.com: %w", err)
	}
	out := make([]calcomAnswer, 0, len(worlds))
	for dec := json.NewDecoder(bytes.NewReader(answer)); dec.More(); {
		var a calcomAnswer
		if err := dec.Decode(&a); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	if len(out) != len(worlds) {
		return nil, fmt.Errorf("the engine of Cal.com answered %d of %d worlds", len(out), len(worlds))
	}
	return out, nil
}

// slotsTeam answers how long it takes to find all starts of a visit with any of 200 clinicians, 20 rooms and 5 interpreters in 30 days,
// and how soon the index is right after a booking; beside reading all the bits of the index once.
func slotsTeam(ctx context.Context, _ *Runner, _ func() (*store.DB, string, error)) ([]app.Figure, error) {
	random := rand.New(rand.NewPCG(4, 225))
	var resources []slot.Resource
	var over slot.Span
	for _, n := range []int{200, 20, 5} {
		w, err := drawWorld(random, n, 30, 30, 15, "America/New_York", "2026-02-20", false)
		if err != nil {
			return nil, err
		}
		more, err := w.resources()
		if err != nil {
			return nil, err
		}
		for i := range more {
			more[i].ID = fmt.Sprint(n, more[i].ID)
		}
		over = slot.Span{From: w.From, To: w.To}
		resources = append(resources, more...)
	}
	ix, all, err := index(over, resources)
	if err != nil {
		return nil, err
	}
	q := slot.Query{Within: over, Duration: 30 * time.Minute, Grid: 15 * time.Minute, Pools: [][]slot.Handle{all[:200], all[200:220], all[220:]}}
	var found slot.Starts
	if err := ix.Find(q, &found); err != nil {
		return nil, err
	}
	const runs = 1000
	times := make([]time.Duration, 0, runs)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		begin := time.Now()
		if err := ix.Find(q, &found); err != nil {
			return nil, err
		}
		times = append(times, time.Since(begin))
	}
	runtime.ReadMemStats(&after)
	choices := make([]time.Duration, 0, runs/10)
	into := make([]slot.Handle, 0, len(all))
	named := 0
	for range runs / 10 {
		begin := time.Now()
		for start := range found.All {
			for p := range q.Pools {
				into = found.Choices(start, p, into[:0])
				named += len(into)
			}
		}
		choices = append(choices, time.Since(begin))
	}
	var booked []time.Duration
	for start := range found.All {
		for range 4 {
			taken := found.Choices(start, 0, into[:0])
			h := taken[random.IntN(len(taken))]
			visit := slot.Span{From: start, To: start.Add(30 * time.Minute)}
			begin := time.Now()
			ix.Book(h, visit)
			right := !ix.Free(h, visit)
			booked = append(booked, time.Since(begin))
			if !right {
				return nil, fmt.Errorf("a booking of %s is not seen", start)
			}
			ix.Release(h, visit)
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	if found.Len() == 0 || named == 0 {
		return nil, fmt.Errorf("the team has no time")
	}
	slices.Sort(booked)
	words := make([]uint64, len(all)*(30*288+63)/64)
	limit := make([]time.Duration, 0, runs)
	sum := uint64(0)
	for range runs {
		begin := time.Now()
		for _, w := range words {
			sum |= w
		}
		limit = append(limit, time.Since(begin))
	}
	runtime.KeepAlive(sum)
	return []app.Figure{
		{Name: "slots.team.us", Value: median(times) * 1e3, Unit: "µs", N: runs},
		{Name: "slots.team.limit_us", Value: median(limit) * 1e3, Unit: "µs", N: runs},
		{Name: "slots.team.allocs", Value: float64(after.Mallocs-before.Mallocs) / runs, Unit: "/search", N: runs},
		{Name: "slots.team.choices_us", Value: median(choices) * 1e3, Unit: "µs, who can serve each start", N: found.Len()},
		{Name: "slots.team.booked_us", Value: median(booked) * 1e3, Unit: "µs", N: len(booked)},
		{Name: "slots.team.booked_p99_us", Value: percentile(booked, 0.99) * 1e3, Unit: "µs", N: len(booked)},
	}, nil
}
