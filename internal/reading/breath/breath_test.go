package breath_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/reading"
	"doorstep/internal/reading/breath"
	"doorstep/internal/reading/coherence"
	"doorstep/internal/record"
	"doorstep/internal/store"
	"doorstep/internal/store/storetest"
)

var rooms = []storetest.Room{{Name: "person", FS: person.Migrations}, {Name: "record", FS: record.Migrations}, {Name: "reading", FS: reading.Migrations},
	{Name: "breath", FS: breath.Migrations}}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// house is Ruth, who has a record, on real services.
type house struct {
	*testing.T
	*breath.Service
	db       *store.DB
	clock    *clock.Sim
	readings *reading.Service
	record   *record.Service
	org      person.Org
	ruth     person.Person
}

func each(t *testing.T, fn func(h *house)) {
	storetest.Each(t, rooms, func(t *testing.T, db *store.DB) {
		c := clock.NewSim(noon)
		ids := clock.SeededIDs(c, 1)
		people := person.New(db, c, ids)
		h := &house{T: t, db: db, clock: c, readings: reading.New(db, c, ids), record: record.New(db, c, ids), org: person.Org{ID: "clinic", Name: "Elm", Zone: "UTC", Language: "en"}}
		h.Service = breath.New(db, c, people, h.readings, h.record)
		h.must(db.Write(t.Context(), func(tx *store.Tx) error {
			h.must(people.SaveOrg(tx, h.org))
			var err error
			h.ruth, err = people.Save(tx, person.Person{Org: "clinic", Role: person.Patient, Name: "Ruth Abbott", BirthYear: 1947, Language: "en", Zone: "UTC", Record: "ruth-1"})
			return err
		}))
		fn(h)
	})
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// breathing is so many seconds of intervals that swing with the breath, in 1/1024 s as straps tell them.
func breathing(perMinute, swing, noise, seconds float64, seed uint64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	var out []float64
	for t := 0.0; t < seconds; {
		ms := math.Round((850+swing*math.Sin(2*math.Pi*perMinute/60*t)+noise*r.NormFloat64())*1.024) / 1.024
		out = append(out, ms)
		t += ms / 1000
	}
	return out
}

// batches cuts beats as a page sends them, every few seconds.
func (h *house) batches(session string, pace float64, rr []float64) []breath.Batch {
	var list []breath.Batch
	at, size := 0.0, 6
	for n := 0; len(rr) > 0; n++ {
		k := min(size, len(rr))
		for _, ms := range rr[:k] {
			at += ms
		}
		list = append(list, breath.Batch{Org: h.org, Patient: h.ruth.ID, By: h.ruth.ID, Session: session, N: n, Ago: time.Duration(at) * time.Millisecond, Pace: pace,
			Source: breath.Page, RR: rr[:k], Ends: at})
		rr = rr[k:]
	}
	return list
}

// send posts batches while time passes, and answers the last progress.
func (h *house) send(list []breath.Batch) (p breath.Progress) {
	h.Helper()
	before := time.Duration(0)
	for _, b := range list {
		h.clock.Advance(b.Ago - before)
		before = b.Ago
		var err error
		p, err = h.Add(h.Context(), b)
		h.must(err)
	}
	return p
}

func (h *house) sessions() (list []breath.Session, own breath.Own) {
	h.Helper()
	h.must(h.db.Read(h.Context(), func(tx *store.Tx) (err error) {
		if list, err = h.Sessions(tx, "clinic", h.ruth.ID, 100); err == nil {
			own, err = h.Own(tx, "clinic", h.ruth.ID)
		}
		return err
	}))
	return list, own
}

func (h *house) stored() (rr []float64) {
	h.Helper()
	list, err := h.readings.Samples(h.Context(), "clinic", string(h.ruth.ID), "8637-1", noon.AddDate(0, 0, -1), noon.AddDate(0, 1, 0))
	h.must(err)
	for _, s := range list {
		if s.Device != breath.Page || s.Unit != "ms" {
			h.Fatalf("stored as %+v", s)
		}
		rr = append(rr, s.Value)
	}
	return rr
}

// TestASession: the figures are those of the same beats, before and after the store has packed them.
func TestASession(t *testing.T) {
	t.Parallel()
	each(t, func(h *house) {
		rr := breathing(6, 50, 20, 200, 1)
		rr[40] = 4100 // the strap did not hear for a while: kept, but no beat
		list := h.batches("session-1", 6, rr)
		p := h.send(list[:len(list)-3])
		h.must(second(h.readings.Compact(h.Context())))
		p = h.send2(list[len(list)-3:])
		clean := append(append([]float64{}, rr[:40]...), rr[41:]...)
		if p.Next != len(list) || p.Score != coherence.Live(clean) || !p.Score.Ready() {
			t.Errorf("%+v, want %+v", p, coherence.Live(clean))
		}
		x, err := h.Finish(t.Context(), "clinic", h.ruth.ID, "session-1", len(list))
		h.must(err)
		want := coherence.Sum(clean)
		if !reflect.DeepEqual(x.Session, want) || x.SDNN < 20 || x.Pace != 6 || x.Source != breath.Page || x.By != h.ruth.ID || x.Trial.Enough {
			t.Errorf("%+v\nwant %+v", x, want)
		}
		if got := h.stored(); !reflect.DeepEqual(got, rr) {
			t.Errorf("%d beats stored of %d", len(got), len(rr))
		}
		if list, _ := h.sessions(); len(list) != 1 || !reflect.DeepEqual(list[0], x) {
			t.Errorf("listed as %+v", list)
		}
	})
}

func second[T any](_ T, err error) error { return err }

// send2 posts batches at one instant.
func (h *house) send2(list []breath.Batch) (p breath.Progress) {
	h.Helper()
	for _, b := range list {
		var err error
		p, err = h.Add(h.Context(), b)
		h.must(err)
	}
	return p
}

// TestSentTwice: whatever is sent again changes nothing; what comes too early says what is missing.
func TestSentTwice(t *testing.T) {
	t.Parallel()
	each(t, func(h *house) {
		rr := breathing(6, 50, 5, 90, 2)
		list := h.batches("session-2", 5.5, rr)
		early, err := h.Add(t.Context(), list[0])
		h.must(err)
		if early.Next != 1 || early.Score.Ready() {
			t.Errorf("%+v", early)
		}
		if p, err := h.Add(t.Context(), list[2]); !fault.Is(err, fault.Conflict) || p.Next != 1 {
			t.Errorf("too early: %+v, %v", p, err)
		}
		if _, err := h.Finish(t.Context(), "clinic", h.ruth.ID, "session-2", len(list)); !fault.Is(err, fault.Conflict) {
			t.Errorf("finished too early: %v", err)
		}
		var all sync.WaitGroup
		for _, b := range list[1:] { // each from three places at once
			for range 3 {
				all.Go(func() {
					if _, err := h.Add(t.Context(), b); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
		}
		changed := list[3]
		changed.RR, changed.Ends = []float64{500}, 500
		if p, err := h.Add(t.Context(), changed); err != nil || p.Next != len(list) {
			t.Errorf("a number that came before, with other beats: %+v, %v", p, err)
		}
		first, err := h.Finish(t.Context(), "clinic", h.ruth.ID, "session-2", len(list))
		h.must(err)
		h.send2(list)
		again, err := h.Finish(t.Context(), "clinic", h.ruth.ID, "session-2", len(list))
		h.must(err)
		if !reflect.DeepEqual(first, again) || !reflect.DeepEqual(first.Session, coherence.Sum(rr)) || !reflect.DeepEqual(h.stored(), rr) {
			t.Errorf("%+v\nthen %+v", first, again)
		}
		next := list[0]
		next.N = len(list)
		next.Ends = list[len(list)-1].Ends + 10_000
		if _, err := h.Add(t.Context(), next); !fault.Is(err, fault.Conflict) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// TestWrongInput: each is refused with its reason, and leaves nothing behind.
func TestWrongInput(t *testing.T) {
	t.Parallel()
	each(t, func(h *house) {
		good := h.batches("session-3", 6, []float64{800, 810, 820})[0]
		for name, change := range map[string]func(b *breath.Batch){
			"no name":           func(b *breath.Batch) { b.Session = "" },
			"a strange name":    func(b *breath.Batch) { b.Session = "../../etc/x" },
			"below 0":           func(b *breath.Batch) { b.N = -1 },
			"from the future":   func(b *breath.Batch) { b.Ago = -time.Second },
			"too old":           func(b *breath.Batch) { b.Ago = 25 * time.Hour },
			"no pace":           func(b *breath.Batch) { b.Pace = 0 },
			"pace NaN":          func(b *breath.Batch) { b.Pace = math.NaN() },
			"a pace of no try":  func(b *breath.Batch) { b.Finding, b.Pace = true, 7 },
			"too many":          func(b *breath.Batch) { b.RR = make([]float64, 601) },
			"an interval of 0":  func(b *breath.Batch) { b.RR = []float64{800, 0} },
			"NaN":               func(b *breath.Batch) { b.RR = []float64{math.NaN()} },
			"before it began":   func(b *breath.Batch) { b.Ends = 100 },
			"too long":          func(b *breath.Batch) { b.Ends = 40 * 60_000 },
			"another's device":  func(b *breath.Batch) { b.Source, b.RR = "nobody's", nil },
			"beats of a device": func(b *breath.Batch) { b.Source = "nobody's" },
		} {
			b := good
			change(&b)
			if _, err := h.Add(t.Context(), b); !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.TooMuch) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := h.Finish(t.Context(), "clinic", h.ruth.ID, "session-3", 0); !fault.Is(err, fault.NotFound) {
			t.Errorf("a session that never was: %v", err)
		}
		h.send2([]breath.Batch{good})
		for name, change := range map[string]func(b *breath.Batch){
			"another pace": func(b *breath.Batch) { b.Pace = 5 },
			"overlapping":  func(b *breath.Batch) { b.Ends = 2500 },
		} {
			b := good
			b.N = 1
			change(&b)
			if p, err := h.Add(t.Context(), b); err == nil {
				t.Errorf("%s: %+v", name, p)
			}
		}
		x, err := h.Finish(t.Context(), "clinic", h.ruth.ID, "session-3", 1)
		h.must(err)
		if x.Ready() || x.Mean != 0 || !reflect.DeepEqual(h.stored(), good.RR) {
			t.Errorf("%+v", x)
		}
	})
}

// TestPublished: a session is four Observations in the record, once.
func TestPublished(t *testing.T) {
	t.Parallel()
	each(t, func(h *house) {
		list := h.batches("session-4", 6, breathing(6, 50, 5, 120, 3))
		h.send(list)
		x, err := h.Finish(t.Context(), "clinic", h.ruth.ID, "session-4", len(list))
		h.must(err)
		all, err := h.record.Patient(t.Context(), "clinic", "ruth-1", "Observation")
		h.must(err)
		values := map[string]float64{}
		members := 0
		for _, r := range all {
			var o struct {
				Code struct {
					Coding []struct{ System, Code string }
				}
				ValueQuantity struct{ Value float64 }
				HasMember     []any
				Component     []struct {
					Code struct {
						Coding []struct{ Code string }
					}
					ValueQuantity struct{ Value float64 }
				}
				EffectivePeriod struct{ Start string }
			}
			h.must(json.Unmarshal(r.Body, &o))
			values[o.Code.Coding[0].Code] = o.ValueQuantity.Value
			for _, c := range o.Component {
				values[c.Code.Coding[0].Code] = c.ValueQuantity.Value
			}
			members += len(o.HasMember)
			if o.EffectivePeriod.Start != x.Began.UTC().Format(time.RFC3339) {
				t.Errorf("from %s", o.EffectivePeriod.Start)
			}
		}
		for code, want := range map[string]float64{"8867-4": x.HeartRate, "80404-7": x.SDNN, "hrv-rmssd": x.RMSSD, "breathing-pace": 6, "doorstep-coherence": x.Mean} {
			if values[code] != want || want == 0 {
				t.Errorf("%s is %v, want %v", code, values[code], want)
			}
		}
		if len(all) != 4 || members != 3 {
			t.Errorf("%d observations, %d members", len(all), members)
		}
	})
}

// TestNobodyEnds: a session whose page was closed is ended and kept; one without a beat is not shown.
func TestNobodyEnds(t *testing.T) {
	t.Parallel()
	each(t, func(h *house) {
		rr := breathing(6, 50, 5, 80, 4)
		h.send(h.batches("session-5", 6, rr))
		h.send2([]breath.Batch{{Org: h.org, Patient: h.ruth.ID, Session: "session-6", Pace: 6, Source: breath.Page}})
		if n, err := h.CloseIdle(t.Context()); n != 0 || err != nil {
			t.Fatal(n, err)
		}
		h.clock.Advance(11 * time.Minute)
		if n, err := h.CloseIdle(t.Context()); n != 2 || err != nil {
			t.Fatal(n, err)
		}
		if list, _ := h.sessions(); len(list) != 1 || !reflect.DeepEqual(list[0].Session, coherence.Sum(rr)) {
			t.Errorf("%+v", list)
		}
	})
}

// TestOwnPace: five tries, one of them too short and made again, on two days; the best is kept as the person's own.
func TestOwnPace(t *testing.T) {
	t.Parallel()
	each(t, func(h *house) {
		try := func(name string, pace, swing, seconds float64) {
			list := h.batches(name, pace, breathing(pace, swing, 10, seconds, uint64(pace*10)))
			for i := range list {
				list[i].Finding = true
			}
			h.send(list)
			_, err := h.Finish(t.Context(), "clinic", h.ruth.ID, name, len(list))
			h.must(err)
		}
		try("try-65-00", 6.5, 30, 122)
		try("try-60-00", 6, 90, 40)
		if _, own := h.sessions(); !reflect.DeepEqual(own.Left(), []float64{6, 5.5, 5, 4.5}) || own.Pace != 0 {
			t.Errorf("%+v", own)
		}
		h.clock.Advance(24 * time.Hour)
		try("try-60-01", 6, 42, 122)
		try("try-55-00", 5.5, 60, 122)
		try("try-50-00", 5, 45, 122)
		try("try-45-00", 4.5, 28, 122)
		_, own := h.sessions()
		if own.Pace != 5.5 || len(own.Tried) != 0 || own.Swing < 5 || !own.Found.Equal(h.clock.Now()) {
			t.Errorf("%+v", own)
		}
		h.clock.Advance(time.Hour)
		try("try-65-01", 6.5, 30, 122)
		if _, own := h.sessions(); own.Pace != 5.5 || !reflect.DeepEqual(own.Tried, []float64{6.5}) {
			t.Errorf("a new search: %+v", own)
		}
	})
}

// TestFromADevice: the beats of a strap that a relay sends are the session's, in the order in which they came.
func TestFromADevice(t *testing.T) {
	t.Parallel()
	each(t, func(h *house) {
		id, key, err := h.readings.Register(t.Context(), "clinic", "strap")
		h.must(err)
		h.must(h.readings.Assign(t.Context(), "clinic", id, string(h.ruth.ID), noon.Add(-time.Hour), time.Time{}))
		dev, err := h.readings.SignIn(t.Context(), id, key)
		h.must(err)
		rr := breathing(6, 50, 5, 150, 5)
		beat := 0
		hear := func(n int) { // a notification tells the beats since the one before
			for range n {
				ms := rr[beat]
				beat++
				h.clock.Advance(time.Duration(ms * float64(time.Millisecond)))
				h.must(second(h.readings.Ingest(t.Context(), dev, []reading.Reading{{At: h.clock.Now(), Series: "8637-1", Value: ms, Unit: "ms"}})))
			}
		}
		hear(10)
		tick := breath.Batch{Org: h.org, Patient: h.ruth.ID, By: h.ruth.ID, Session: "relay-001", Pace: 6, Source: id}
		h.clock.Advance(10 * time.Millisecond)
		h.must(second(h.Add(t.Context(), tick)))
		var p breath.Progress
		for tick.N = 1; beat < len(rr)-6; tick.N++ {
			hear(6)
			p, err = h.Add(t.Context(), tick)
			h.must(err)
		}
		mine := rr[10:beat]
		if p.Score != coherence.Live(mine) || len(p.RR) < 60 || len(p.RR) > 90 || p.RR[len(p.RR)-1] != mine[len(mine)-1] {
			t.Errorf("%+v", p)
		}
		h.clock.Advance(10 * time.Millisecond)
		x, err := h.Finish(t.Context(), "clinic", h.ruth.ID, "relay-001", tick.N)
		h.must(err)
		hear(len(rr) - beat)
		if !reflect.DeepEqual(x.Session, coherence.Sum(mine)) || x.Source != id {
			t.Errorf("%+v", x)
		}
		h.must(h.readings.Unassign(t.Context(), "clinic", id, h.clock.Now()))
		tick.Session, tick.N = "relay-002", 0
		if _, err := h.Add(t.Context(), tick); !fault.Is(err, fault.Invalid) {
			t.Errorf("a device that is not hers any more: %v", err)
		}
	})
}
