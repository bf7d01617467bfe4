package transit

import (
	"archive/zip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/person"
)

// Read reads a feed in GTFS from a zip. A row that cannot be read refuses the feed as a whole, naming file and line.
func Read(in io.ReaderAt, size int64) (*Feed, error) {
	z, err := zip.NewReader(in, size)
	if err != nil {
		return nil, fault.New(fault.Invalid, "the timetable is not a zip file: %w", err)
	}
	r := &reader{zip: z, feed: &Feed{}, stops: map[string]int{}, routes: map[string]int{}, trips: map[string]int{}, services: map[string]int{}}
	for _, step := range []func() error{r.agency, r.stopsFile, r.routesFile, r.calendar, r.calendarDates, r.tripsFile, r.stopTimes, r.frequencies, r.transfers} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return r.feed, nil
}

type reader struct {
	zip                            *zip.Reader
	feed                           *Feed
	stops, routes, trips, services map[string]int
	order                          [][]int // sequence numbers of each trip's calls
}

// table reads a file's rows; one that is not there answers no rows, unless it is needed.
func (r *reader) table(name string, needed bool, columns []string, each func(row row) error) error {
	var f *zip.File
	for _, x := range r.zip.File {
		if path.Base(x.Name) == name && (f == nil || len(x.Name) < len(f.Name)) {
			f = x
		}
	}
	if f == nil {
		if needed {
			return fault.Invalidf("the timetable has no %s", name)
		}
		return nil
	}
	body, err := f.Open()
	if err != nil {
		return fault.New(fault.Invalid, "%s cannot be read: %w", name, err)
	}
	defer body.Close()
	c := csv.NewReader(body)
	c.FieldsPerRecord, c.LazyQuotes, c.ReuseRecord, c.TrimLeadingSpace = -1, true, true, true
	head, err := c.Read()
	if err != nil && !errors.Is(err, io.EOF) {
		return fault.New(fault.Invalid, "%s: the head cannot be read: %w", name, err)
	}
	at := map[string]int{}
	for i, h := range head {
		at[strings.TrimSpace(strings.TrimPrefix(h, "\ufeff"))] = i
	}
	for _, col := range columns {
		if _, ok := at[col]; !ok {
			return fault.Invalidf("%s has no column %s", name, col)
		}
	}
	for {
		fields, err := c.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		line, _ := c.FieldPos(0)
		if err != nil {
			return fault.New(fault.Invalid, "%s cannot be read: %w", name, err)
		}
		if len(fields) == 1 && strings.TrimSpace(fields[0]) == "" {
			continue
		}
		if err := each(row{fields, at}); err != nil {
			return fault.New(fault.Invalid, "%s line %d: %w", name, line, err)
		}
	}
}

type row struct {
	fields []string
	at     map[string]int
}

func (r row) text(col string) string {
	i, ok := r.at[col]
	if !ok || i >= len(r.fields) {
		return ""
	}
	return strings.TrimSpace(r.fields[i])
}

// copy answers a text that outlives the row.
func (r row) copy(col string) string { return strings.Clone(r.text(col)) }

func (r row) number(col string) (int, error) {
	s := r.text(col)
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, fmt.Errorf("%s is %q (want a whole number)", col, s)
	}
	return n, nil
}

func (r row) day(col string) (clock.Day, error) {
	t, err := time.Parse("20060102", r.text(col))
	if err != nil {
		return clock.Day{}, fmt.Errorf("%s is %q (want a date like 20260302)", col, r.text(col))
	}
	return clock.DayOf(t, time.UTC), nil
}

func (r row) access(col string) Access {
	switch r.text(col) {
	case "1":
		return Yes
	case "2":
		return No
	}
	return Unknown
}

// seconds reads H:MM:SS, also past 24 hours; given is false for an empty one.
func seconds(s string) (v int32, given bool, err error) {
	if s == "" {
		return 0, false, nil
	}
	part := strings.Split(s, ":")
	if len(part) == 3 {
		h, e1 := strconv.Atoi(part[0])
		m, e2 := strconv.Atoi(part[1])
		x, e3 := strconv.Atoi(part[2])
		if e1 == nil && e2 == nil && e3 == nil && h >= 0 && h < 100 && m >= 0 && m < 60 && x >= 0 && x < 60 {
			return int32(h*3600 + m*60 + x), true, nil
		}
	}
	return 0, false, fmt.Errorf("%q is no time (want 8:05:00)", s)
}

func (r *reader) agency() error {
	err := r.table("agency.txt", true, []string{"agency_timezone"}, func(row row) error {
		zone, err := clock.Zone(row.text("agency_timezone"))
		if err == nil && r.feed.Zone == nil {
			r.feed.Zone = zone
		}
		return err
	})
	if err == nil && r.feed.Zone == nil {
		return fault.Invalidf("agency.txt names no agency")
	}
	return err
}

func (r *reader) stopsFile() error {
	err := r.table("stops.txt", true, []string{"stop_id"}, func(row row) error {
		s := Stop{ID: row.copy("stop_id"), Name: row.copy("stop_name"), Wheelchair: row.access("wheelchair_boarding"), parent: row.copy("parent_station")}
		if _, twice := r.stops[s.ID]; twice || s.ID == "" {
			return fmt.Errorf("the stop %q is empty or there twice", s.ID)
		}
		if kind := row.text("location_type"); kind == "" || kind == "0" || kind == "1" {
			lat, e1 := strconv.ParseFloat(row.text("stop_lat"), 64)
			lon, e2 := strconv.ParseFloat(row.text("stop_lon"), 64)
			s.Point = person.Point{Lat: lat, Lon: lon}
			if e1 != nil || e2 != nil || s.Point.Validate() != nil {
				return fmt.Errorf("the stop %q lies at %q, %q", s.ID, row.text("stop_lat"), row.text("stop_lon"))
			}
		}
		r.stops[s.ID] = len(r.feed.Stops)
		r.feed.Stops = append(r.feed.Stops, s)
		return nil
	})
	if err != nil {
		return err
	}
	for i := range r.feed.Stops { // a stop of which nothing is said is as its station is
		s := &r.feed.Stops[i]
		if p, ok := r.stops[s.parent]; ok && s.Wheelchair == Unknown {
			s.Wheelchair = r.feed.Stops[p].Wheelchair
		}
	}
	return nil
}

func (r *reader) routesFile() error {
	return r.table("routes.txt", true, []string{"route_id", "route_type"}, func(row row) error {
		kind, err := row.number("route_type")
		if err != nil {
			return err
		}
		id := row.copy("route_id")
		if _, twice := r.routes[id]; twice {
			return fmt.Errorf("the route %q is there twice", id)
		}
		name := row.copy("route_short_name")
		if name == "" {
			name = row.copy("route_long_name")
		}
		r.routes[id] = len(r.feed.Routes)
		r.feed.Routes = append(r.feed.Routes, Route{ID: id, Name: name, Kind: kind})
		return nil
	})
}

// serviceOf answers the service of an id, a new one if need be.
func (r *reader) serviceOf(id string) *service {
	i, ok := r.services[id]
	if !ok {
		i = len(r.feed.services)
		r.services[strings.Clone(id)] = i
		r.feed.services = append(r.feed.services, service{also: map[clock.Day]bool{}})
	}
	return &r.feed.services[i]
}

func (r *reader) calendar() error {
	days := []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}
	return r.table("calendar.txt", false, append([]string{"service_id", "start_date", "end_date"}, days...), func(row row) (err error) {
		s := r.serviceOf(row.text("service_id"))
		for i, d := range days {
			s.days[i] = row.text(d) == "1"
		}
		if s.from, err = row.day("start_date"); err != nil {
			return err
		}
		s.to, err = row.day("end_date")
		return err
	})
}

func (r *reader) calendarDates() error {
	return r.table("calendar_dates.txt", false, []string{"service_id", "date", "exception_type"}, func(row row) error {
		d, err := row.day("date")
		if err != nil {
			return err
		}
		kind := row.text("exception_type")
		if kind != "1" && kind != "2" {
			return fmt.Errorf("exception_type is %q (want 1 or 2)", kind)
		}
		r.serviceOf(row.text("service_id")).also[d] = kind == "1"
		return nil
	})
}

func (r *reader) tripsFile() error {
	return r.table("trips.txt", true, []string{"route_id", "service_id", "trip_id"}, func(row row) error {
		route, ok := r.routes[row.text("route_id")]
		if !ok {
			return fmt.Errorf("the route %q is not in routes.txt", row.text("route_id"))
		}
		service, ok := r.services[row.text("service_id")]
		if !ok {
			return fmt.Errorf("the service %q is in no calendar", row.text("service_id"))
		}
		id := row.copy("trip_id")
		if _, twice := r.trips[id]; twice {
			return fmt.Errorf("the trip %q is there twice", id)
		}
		r.trips[id] = len(r.feed.Trips)
		r.feed.Trips = append(r.feed.Trips, Trip{ID: id, Route: route, Wheelchair: row.access("wheelchair_accessible"), service: service})
		return nil
	})
}

func (r *reader) stopTimes() error {
	r.order = make([][]int, len(r.feed.Trips))
	err := r.table("stop_times.txt", true, []string{"trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence"}, func(row row) error {
		t, ok := r.trips[row.text("trip_id")]
		if !ok {
			return fmt.Errorf("the trip %q is not in trips.txt", row.text("trip_id"))
		}
		stop, ok := r.stops[row.text("stop_id")]
		if !ok {
			return fmt.Errorf("the stop %q is not in stops.txt", row.text("stop_id"))
		}
		arrive, a, err := seconds(row.text("arrival_time"))
		if err != nil {
			return err
		}
		depart, d, err := seconds(row.text("departure_time"))
		if err != nil {
			return err
		}
		seq, err := row.number("stop_sequence")
		if err != nil {
			return err
		}
		switch {
		case a && !d:
			depart = arrive
		case d && !a:
			arrive = depart
		case depart < arrive:
			return fmt.Errorf("it departs at %s, before it arrives", row.text("departure_time"))
		}
		trip := &r.feed.Trips[t]
		trip.Calls = append(trip.Calls, Call{Stop: stop, Arrive: arrive, Depart: depart, NoBoard: row.text("pickup_type") == "1", NoAlight: row.text("drop_off_type") == "1", guessed: !a && !d})
		r.order[t] = append(r.order[t], seq)
		return nil
	})
	if err != nil {
		return err
	}
	for i := range r.feed.Trips {
		if err := r.timed(i); err != nil {
			return fault.Invalidf("stop_times.txt: the trip %q %s", r.feed.Trips[i].ID, err)
		}
	}
	r.order = nil
	return nil
}

// timed puts a trip's calls in their order and gives those without a time one, by how far they lie between the two that have.
func (r *reader) timed(i int) error {
	t := &r.feed.Trips[i]
	if len(t.Calls) == 0 {
		return nil // it never runs
	}
	if !slices.IsSorted(r.order[i]) {
		index := make([]int, len(t.Calls))
		for k := range index {
			index[k] = k
		}
		slices.SortStableFunc(index, func(a, b int) int { return r.order[i][a] - r.order[i][b] })
		calls := make([]Call, len(index))
		for k, from := range index {
			calls[k] = t.Calls[from]
		}
		t.Calls = calls
	}
	if t.Calls[0].guessed || t.Calls[len(t.Calls)-1].guessed {
		return fmt.Errorf("has no time at its first or last stop")
	}
	last := 0
	for k := 1; k < len(t.Calls); k++ {
		if t.Calls[k].guessed {
			continue
		}
		if t.Calls[k].Arrive < t.Calls[last].Depart {
			return fmt.Errorf("goes back in time at its stop %d", k+1)
		}
		r.between(t.Calls[last : k+1])
		last = k
	}
	return nil
}

// between times the calls between the first and the last of these by the way as the crow flies.
func (r *reader) between(calls []Call) {
	n := len(calls) - 1
	if n < 2 {
		return
	}
	far := make([]float64, n+1)
	for k := 1; k <= n; k++ {
		far[k] = far[k-1] + r.feed.Stops[calls[k-1].Stop].Point.KM(r.feed.Stops[calls[k].Stop].Point)
	}
	span := float64(calls[n].Arrive - calls[0].Depart)
	for k := 1; k < n; k++ {
		part := float64(k) / float64(n)
		if far[n] > 0 {
			part = far[k] / far[n]
		}
		calls[k].Arrive = calls[0].Depart + int32(part*span)
		calls[k].Depart = calls[k].Arrive
	}
}

// frequencies replaces trips that are given by their headway by the trips themselves.
func (r *reader) frequencies() error {
	pattern := map[int]bool{}
	err := r.table("frequencies.txt", false, []string{"trip_id", "start_time", "end_time", "headway_secs"}, func(row row) error {
		i, ok := r.trips[row.text("trip_id")]
		if !ok || len(r.feed.Trips[i].Calls) == 0 {
			return fmt.Errorf("the trip %q is not there or has no stops", row.text("trip_id"))
		}
		from, a, err := seconds(row.text("start_time"))
		if err != nil {
			return err
		}
		to, b, err := seconds(row.text("end_time"))
		if err != nil {
			return err
		}
		every, err := row.number("headway_secs")
		if err != nil || every < 10 || !a || !b {
			return fmt.Errorf("it runs every %q seconds from %q to %q", row.text("headway_secs"), row.text("start_time"), row.text("end_time"))
		}
		pattern[i] = true
		for at := from; at < to; at += int32(every) {
			t := r.feed.Trips[i]
			t.ID = fmt.Sprintf("%s@%d", t.ID, at)
			t.Calls = slices.Clone(t.Calls)
			shift := at - r.feed.Trips[i].Calls[0].Depart
			for k := range t.Calls {
				t.Calls[k].Arrive += shift
				t.Calls[k].Depart += shift
			}
			r.feed.Trips = append(r.feed.Trips, t)
		}
		return nil
	})
	for i := range pattern {
		r.feed.Trips[i].Calls = nil
	}
	return err
}

func (r *reader) transfers() error {
	return r.table("transfers.txt", false, []string{"from_stop_id", "to_stop_id"}, func(row row) error {
		from, a := r.stops[row.text("from_stop_id")]
		to, b := r.stops[row.text("to_stop_id")]
		if !a || !b {
			return nil // between routes or trips, which we do not follow
		}
		least, err := row.number("min_transfer_time")
		if err != nil {
			return err
		}
		c := change{from, to, int32(least)}
		if row.text("transfer_type") == "3" {
			c.seconds = -1
		}
		r.feed.changes = append(r.feed.changes, c)
		return nil
	})
}
