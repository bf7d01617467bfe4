package transit_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/sharedtest"
	"doorstep/internal/transport/transit"
)

// feed zips files, each a name and its text.
func feed(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(text))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(b []byte) (*transit.Feed, error) { return transit.Read(bytes.NewReader(b), int64(len(b))) }

// small is a feed of two lines that cross at M: A to M to B every half hour, M to C once, and a night bus past midnight.
func small() map[string]string {
	return map[string]string{
		"agency.txt":         "\ufeffagency_id, agency_name, agency_timezone\nx, X, America/New_York\n",
		"stops.txt":          "stop_id,stop_name,stop_lat,stop_lon,wheelchair_boarding\nA,Aspen,40.80,-77.90,1\nM,Main,40.80,-77.86,\nB,Birch,40.80,-77.80,2\nC,Cedar,40.86,-77.86,1\n",
		"routes.txt":         "route_id,route_short_name,route_type\n1,One,3\n2,Two,3\n",
		"calendar.txt":       "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\nW,1,1,1,1,1,0,0,20260101,20261231\n",
		"calendar_dates.txt": "service_id,date,exception_type\nW,20260525,2\nW,20260530,1\n",
		"trips.txt":          "route_id,service_id,trip_id,wheelchair_accessible\n1,W,a,1\n1,W,b,2\n2,W,c,1\n2,W,n,\n",
		"stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\na,8:00:00,8:00:00,A,1\na,,,M,5\na,8:30:00,8:30:00,B,9\n" +
			"b,9:00:00,9:00:00,A,1\nb,,,M,2\nb,9:30:00,9:30:00,B,3\nc,8:40:00,8:40:00,M,1\nc,8:55:00,8:55:00,C,2\nn,24:30:00,24:30:00,M,1\nn,24:45:00,24:45:00,C,2\n",
	}
}

func zone(t testing.TB) *time.Location {
	z, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func network(t testing.TB, files map[string]string) *transit.Network {
	t.Helper()
	f, err := read(feed(t, files))
	if err != nil {
		t.Fatal(err)
	}
	n, err := transit.NewNetwork(f)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var stops = map[string]person.Point{"A": {Lat: 40.80, Lon: -77.90}, "M": {Lat: 40.80, Lon: -77.86}, "B": {Lat: 40.80, Lon: -77.80}, "C": {Lat: 40.86, Lon: -77.86}}

func TestSmallFeed(t *testing.T) {
	t.Parallel()
	n := network(t, small())
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 5, day, hour, minute, 0, 0, zone(t)) }
	for _, c := range []struct {
		name     string
		from, to string
		depart   time.Time
		chair    bool
		want     string // arrivals
	}{
		{"direct", "A", "B", at(26, 7, 50), false, "08:30"},
		{"the next", "A", "B", at(26, 8, 1), false, "09:30"},
		{"too late", "A", "B", at(26, 9, 1), false, ""},
		{"with a change", "A", "C", at(26, 7, 50), false, "08:55"},
		{"no chair on b", "A", "M", at(26, 8, 30), true, ""},
		{"no chair at B", "A", "B", at(26, 7, 50), true, ""},
		{"a chair with a change", "A", "C", at(26, 7, 50), true, "08:55"},
		{"a holiday", "A", "B", at(25, 7, 50), false, ""},
		{"a Saturday that runs", "A", "B", at(30, 7, 50), false, "08:30"},
		{"a Sunday", "A", "B", at(31, 7, 50), false, ""},
		{"after midnight, of the day before", "M", "C", at(27, 0, 5), false, "00:45"},
		{"after midnight, from the evening", "M", "C", at(26, 23, 55), false, "00:45"},
		{"nothing after the last day's night", "M", "C", at(31, 1, 0), false, ""},
	} {
		list, err := n.Journeys(transit.Query{From: stops[c.from], To: stops[c.to], Depart: c.depart, Wheelchair: c.chair})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, j := range list {
			got = append(got, j.Arrive.Format("15:04"))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
	// Over a time: what leaves later or changes less stands beside what arrives first.
	list, _ := n.Journeys(transit.Query{From: stops["A"], To: stops["B"], Depart: at(26, 7, 0), Within: 3 * time.Hour})
	if len(list) != 2 || !list[0].Leave.Equal(at(26, 8, 0)) || !list[1].Leave.Equal(at(26, 9, 0)) {
		t.Errorf("%+v", list)
	}
	// M lies between A and B by its way: a third of the time and a bit.
	list, _ = n.Journeys(transit.Query{From: stops["A"], To: stops["M"], Depart: at(26, 7, 0)})
	if len(list) != 1 || list[0].Arrive.Before(at(26, 8, 11)) || list[0].Arrive.After(at(26, 8, 13)) {
		t.Errorf("%+v", list)
	}
}

func TestFeedsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, file, old, new, want string }{
		{"no stops", "stops.txt", "", "\x00", "stops.txt has no column stop_id"},
		{"a stop off the earth", "stops.txt", "40.86", "140.86", `stops.txt line 5: the stop "C" lies at "140.86"`},
		{"a stop twice", "stops.txt", "C,Cedar", "A,Cedar", "stops.txt line 5"},
		{"a time that is none", "stop_times.txt", "9:00:00,9:00:00", "9:61:00,9:00:00", `stop_times.txt line 5: "9:61:00" is no time`},
		{"a trip from nowhere", "stop_times.txt", "c,8:40", "x,8:40", `stop_times.txt line 8: the trip "x" is not in trips.txt`},
		{"back in time", "stop_times.txt", "8:30:00,8:30:00", "7:30:00,7:30:00", `the trip "a" goes back in time`},
		{"no last time", "stop_times.txt", "9:30:00,9:30:00,", ",,", `the trip "b" has no time at its first or last stop`},
		{"a service of no calendar", "trips.txt", "2,W,n", "2,V,n", `trips.txt line 5: the service "V" is in no calendar`},
		{"a date that is none", "calendar_dates.txt", "20260525", "20260540", `calendar_dates.txt line 2: date is "20260540"`},
		{"a zone that is none", "agency.txt", "America/New_York", "Mars/Base", "agency.txt line 2"},
	} {
		files := small()
		if c.old == "" {
			files[c.file] = c.new
		} else {
			files[c.file] = strings.Replace(files[c.file], c.old, c.new, 1)
		}
		if f, err := read(feed(t, files)); f != nil || !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	files := small()
	delete(files, "trips.txt")
	if _, err := read(feed(t, files)); err == nil || !strings.Contains(err.Error(), "the timetable has no trips.txt") {
		t.Errorf("%v", err)
	}
	if _, err := read([]byte("no zip")); !fault.Is(err, fault.Invalid) {
		t.Errorf("%v", err)
	}
}

// event is a vehicle between two halts, for the reference.
type event struct {
	trip, from, to int
	leave, at      int
}

// The earliest arrival for each number of vehicles is what trying everything finds.
func TestAgainstTryingEverything(t *testing.T) {
	t.Parallel()
	tb := t
	rapid.Check(t, func(t *rapid.T) {
		n := func(low, high int, name string) int { return rapid.IntRange(low, high).Draw(t, name) }
		count := n(3, 7, "stops")
		files := small()
		at := make([]person.Point, count)
		text := "stop_id,stop_lat,stop_lon\n"
		for i := range at {
			at[i] = person.Point{Lat: 40 + float64(n(0, 3, "y"))*0.002, Lon: -77 + float64(n(0, 9, "x"))*0.004}
			text += fmt.Sprintf("%d,%f,%f\n", i, at[i].Lat, at[i].Lon)
		}
		files["stops.txt"] = text
		trips, times := "route_id,service_id,trip_id\n", "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
		var events []event
		for k := range n(1, 8, "trips") {
			trips += fmt.Sprintf("1,W,%d\n", k)
			now, last, left := 8*3600+60*n(0, 60, "begin"), -1, 0
			for seq := range n(2, 5, "calls") {
				stop := n(0, count-1, "stop")
				arrive := now
				now += 60 * n(0, 3, "halt")
				times += fmt.Sprintf("%d,%d:%02d:00,%d:%02d:00,%d,%d\n", k, arrive/3600, arrive/60%60, now/3600, now/60%60, stop, seq)
				if last >= 0 {
					events = append(events, event{k, last, stop, left, arrive})
				}
				last, left = stop, now
				now += 60 * n(1, 15, "run")
			}
		}
		files["trips.txt"], files["stop_times.txt"] = trips, times
		f, err := read(feed(tb, files))
		if err != nil {
			t.Fatal(err)
		}
		net, err := transit.NewNetwork(f)
		if err != nil {
			t.Fatal(err)
		}
		from, to := n(0, count-1, "from"), n(0, count-1, "to")
		depart := 8*3600 + 60*n(0, 30, "depart")
		const vehicles = 3
		want := everything(at, events, at[from], at[to], depart, vehicles)
		day := time.Date(2026, 5, 26, 0, 0, 0, 0, zone(tb))
		list, err := net.Journeys(transit.Query{From: at[from], To: at[to], Depart: day.Add(time.Duration(depart) * time.Second), Changes: vehicles - 1})
		if err != nil {
			t.Fatal(err)
		}
		best := math.MaxInt
		for k := 1; k <= vehicles; k++ {
			best = min(best, want[k])
			got := math.MaxInt
			for _, j := range list {
				rides := 0
				for _, l := range j.Legs {
					if l.Route != "" {
						rides++
					}
				}
				if rides > 0 && rides <= k {
					got = min(got, int(j.Arrive.Sub(day)/time.Second))
				}
			}
			// Journeys that walking beats are left out.
			if walk := depart + onFoot(at[from], at[to]); at[from].KM(at[to])*1000 <= transit.DefaultWalk && walk <= best {
				continue
			}
			if got != best {
				t.Fatalf("%d vehicles from %d to %d at %d: %d, by trying everything %d\n%s%s", k, from, to, depart, got, best, text, times)
			}
		}
	})
}

func onFoot(a, b person.Point) int { return int(math.Ceil(a.KM(b) * 1000 * 1.3 / (4.8 / 3.6))) }

// everything answers the earliest arrival by the number of vehicles, going through all rides again and again.
func everything(at []person.Point, events []event, from, to person.Point, depart, vehicles int) []int {
	out := make([]int, vehicles+1)
	type state struct{ ready, alighted []int } // when one can board, when one got off a vehicle
	fresh := func() state {
		s := state{make([]int, len(at)), make([]int, len(at))}
		for i := range at {
			s.ready[i], s.alighted[i] = math.MaxInt, math.MaxInt
		}
		return s
	}
	now := fresh()
	for i := range at {
		if from.KM(at[i])*1000 <= transit.DefaultWalk {
			now.ready[i] = depart + onFoot(from, at[i])
		}
	}
	for k := 1; k <= vehicles; k++ {
		next := fresh()
		for i, first := range events {
			if now.ready[first.from] > first.leave {
				continue
			}
			for _, e := range events[i:] { // stay aboard
				if e.trip != first.trip {
					break
				}
				next.alighted[e.to] = min(next.alighted[e.to], e.at)
			}
		}
		out[k] = math.MaxInt
		for i := range at {
			if next.alighted[i] == math.MaxInt {
				continue
			}
			if to.KM(at[i])*1000 <= transit.DefaultWalk {
				out[k] = min(out[k], next.alighted[i]+onFoot(at[i], to))
			}
			for j := range at {
				if i == j {
					next.ready[j] = min(next.ready[j], next.alighted[i]+60)
				} else if at[i].KM(at[j])*1000 <= 400 {
					next.ready[j] = min(next.ready[j], next.alighted[i]+max(60, onFoot(at[i], at[j])))
				}
			}
		}
		now = next
	}
	return out
}

func open(t testing.TB, name string) *transit.Feed {
	t.Helper()
	b, err := os.ReadFile(sharedtest.Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	f, err := read(b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// Every trip of both feeds is read, with a time at every stop; bus and train are one network.
func TestRealFeeds(t *testing.T) {
	t.Parallel()
	bus, metro := open(t, "data/maps/porto_alegre/poa_eptc.zip"), open(t, "data/maps/porto_alegre/poa_trensurb.zip")
	count := func(f *transit.Feed) (calls int) {
		for _, trip := range f.Trips {
			calls += len(trip.Calls)
			for k := 1; k < len(trip.Calls); k++ {
				if trip.Calls[k].Arrive < trip.Calls[k-1].Depart {
					t.Fatalf("%s goes back in time", trip.ID)
				}
			}
		}
		return calls
	}
	if len(bus.Trips) != 2374 || count(bus) != 130019 || len(bus.Stops) != 3986 || len(metro.Trips) != 1248 || count(metro) == 0 {
		t.Errorf("%d trips, %d calls; %d trips, %d calls", len(bus.Trips), count(bus), len(metro.Trips), count(metro))
	}
	n, err := transit.NewNetwork(bus, metro)
	if err != nil {
		t.Fatal(err)
	}
	sp, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		t.Fatal(err)
	}
	// From the market to the airport by train.
	list, err := n.Journeys(transit.Query{From: person.Point{Lat: -30.0263, Lon: -51.2283}, To: person.Point{Lat: -29.9946, Lon: -51.1713}, Depart: time.Date(2019, 5, 14, 9, 0, 0, 0, sp), Within: time.Hour, Walk: 1500})
	if err != nil || len(list) == 0 {
		t.Fatalf("%v %v", list, err)
	}
	for i, j := range list {
		if i > 0 && (!j.Arrive.After(list[i-1].Arrive) && j.Changes() >= list[i-1].Changes() || j.Leave.Before(list[i-1].Leave)) {
			t.Errorf("%v beats %v", j, list[i-1])
		}
		for k := 1; k < len(j.Legs); k++ {
			if j.Legs[k].Leave.Before(j.Legs[k-1].Arrive) {
				t.Errorf("%+v leaves before it arrives", j)
			}
		}
	}
}

// Whatever a zip holds, it is read or refused.
func FuzzRead(f *testing.F) {
	f.Add(feed(f, small()))
	f.Add([]byte("PK"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := read(b)
		if (got == nil) == (err == nil) || err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("%v %v", got, err)
		}
		if err == nil {
			if _, err := transit.NewNetwork(got); err != nil {
				t.Fatal(err)
			}
		}
	})
}
