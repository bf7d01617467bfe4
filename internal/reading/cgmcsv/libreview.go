package cgmcsv

import "time"

// libre decodes a row of LibreView. Its record types: 0 historic, 1 scan, 2 strip; 4 insulin, 5 food, 6 others.
func (d *decoder) libre(row []string) error {
	var kind Kind
	column := 0
	switch field(row, d.event) {
	case "0":
		kind, column = Sensor, 4
	case "1":
		kind, column = Scan, 5
	case "2":
		kind, column = Strip, 14
	default:
		return nil
	}
	text := field(row, column)
	if text == "" {
		return d.errorf("a record of type %s without glucose", field(row, d.event))
	}
	s := Sample{Line: d.line, Kind: kind, Device: device(row, d.layout)}
	var err error
	if s.MgDL, s.Beyond, err = d.glucoseOf(text, aboveLibre); err != nil {
		return err
	}
	date, ok := parseDate(field(row, d.time))
	if !ok {
		return d.errorf("%.30q is not a time (want DD-MM-YYYY hh:mm or MM-DD-YYYY hh:mm AM)", field(row, d.time))
	}
	if d.dates == undecided {
		d.dates = date.tells()
	}
	d.held = append(d.held, held{s, date})
	if d.dates == undecided {
		return nil
	}
	return d.flush(false)
}

// dates is the order of day and month, which an account sets once for all its rows.
type dates uint8

const (
	undecided dates = iota
	dayFirst
	monthFirst
)

// held is a value whose date waits for the order to be known.
type held struct {
	Sample
	date date
}

// date is a date before its order is known.
type date struct {
	year, first, second int // with a year in front, first is the month
	yearFirst           bool
	half                bool // AM or PM was said: only accounts with the month first do
	clock               time.Duration
}

// tells answers the order if this date alone shows it.
func (t date) tells() dates {
	switch {
	case t.yearFirst:
		return undecided
	case t.half || t.second > 12:
		return monthFirst
	case t.first > 12:
		return dayFirst
	}
	return undecided
}

// in answers the moment in an order; false for a date that is none.
func (t date) in(order dates) (time.Time, bool) {
	month, day := t.second, t.first
	if order == monthFirst || t.yearFirst {
		month, day = t.first, t.second
	}
	at := time.Date(t.year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return at.Add(t.clock), at.Day() == day && int(at.Month()) == month
}

// flush hands on what is held. At the end of a file in which no date tells, the order is the one in which the readings lie
// closer together; the day comes first where even that is the same.
func (d *decoder) flush(end bool) error {
	if end && d.dates == undecided {
		d.dates = dayFirst
		if d.span(monthFirst) < d.span(dayFirst) {
			d.dates = monthFirst
		}
	}
	list := d.held
	d.held = d.held[:0]
	for _, h := range list {
		at, ok := h.date.in(d.dates)
		if !ok {
			d.line = h.Line
			order := "day"
			if d.dates == monthFirst {
				order = "month"
			}
			if err := d.refused(d.errorf("the date does not exist with the %s first, as the rest of the file has it", order)); err != nil {
				return err
			}
			continue
		}
		h.At = at
		if err := d.each(h.Sample); err != nil {
			return err
		}
	}
	return nil
}

// span answers how far apart the first and the last of the held values lie in an order.
func (d *decoder) span(order dates) time.Duration {
	var first, last time.Time
	for i, h := range d.held {
		at, _ := h.date.in(order)
		if i == 0 || at.Before(first) {
			first = at
		}
		if i == 0 || at.After(last) {
			last = at
		}
	}
	return last.Sub(first)
}

// parseDate reads "27-04-1961 21:11", "04-27-1961 09:11 PM" and "1961-04-27 21:11"; -, / and . separate.
func parseDate(s string) (t date, ok bool) {
	var n [5]int // three of the date, hours, minutes
	var width [5]int
	k := 0
	for i := 0; i < len(s) && k < len(n); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9' && width[k] < 4:
			n[k] = n[k]*10 + int(c-'0')
			width[k]++
			continue
		case width[k] == 0:
			return t, false
		case k < 2 && (c == '-' || c == '/' || c == '.') || k == 2 && (c == ' ' || c == 'T') || k == 3 && c == ':':
			k++
			continue
		case k == 4:
			return finish(t, n, width, s[i:])
		}
		return t, false
	}
	if k < 4 || width[4] == 0 {
		return t, false
	}
	return finish(t, n, width, "")
}

// finish puts the parts of a date together; behind stands after the minutes.
func finish(t date, n, width [5]int, behind string) (date, bool) {
	hour, minute := n[3], n[4]
	switch behind {
	case "", ":00":
	case " AM", " PM":
		t.half = true
		if hour < 1 || hour > 12 {
			return t, false
		}
		if hour %= 12; behind == " PM" {
			hour += 12
		}
	default:
		return t, false
	}
	if hour > 23 || minute > 59 || width[4] != 2 {
		return t, false
	}
	t.clock = time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
	switch {
	case width[0] == 4:
		t.year, t.first, t.second, t.yearFirst = n[0], n[1], n[2], true
		return t, n[1] <= 12 && n[2] <= 31 && n[1] > 0 && n[2] > 0
	case width[2] == 4:
		t.year, t.first, t.second = n[2], n[0], n[1]
		return t, n[0] > 0 && n[1] > 0 && n[0] <= 31 && n[1] <= 31 && min(n[0], n[1]) <= 12
	}
	return t, false
}
