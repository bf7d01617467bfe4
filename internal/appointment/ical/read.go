package ical

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"doorstep/internal/appointment/slot"
	"doorstep/internal/fault"
)

// reader gathers busy times.
type reader struct {
	within slot.Span
	local  clockZone // of whole days and times without a zone
	zones  map[string]clockZone
	steps  int
	out    Calendar
}

func (r *reader) refuse(number int, format string, args ...any) {
	if len(r.out.Refused) < maxRefusals {
		r.out.Refused = append(r.out.Refused, Refusal{number, fmt.Sprintf(format, args...)})
	}
}

// lineError is a fault that knows its line.
type lineError struct {
	number int
	why    string
}

func (e *lineError) Error() string { return fmt.Sprintf("line %d: %s", e.number, e.why) }

// refuseError refuses by an error that wrong made.
func (r *reader) refuseError(err error) {
	var at *lineError
	if errors.As(err, &at) {
		r.refuse(at.number, "%s", at.why)
		return
	}
	r.refuse(0, "%s", err)
}

// plain answers what an error says, without its line.
func plain(err error) string {
	var at *lineError
	if errors.As(err, &at) {
		return at.why
	}
	return err.Error()
}

func wrong(number int, format string, args ...any) error {
	e := &lineError{number, fmt.Sprintf(format, args...)}
	return &fault.Error{Kind: fault.Invalid, Say: fmt.Sprintf("Line %d of the calendar: %s", number, e.why), Err: e}
}

// read gathers what events and free-busy parts say.
func (r *reader) read(parts []part) {
	changed := map[string]map[int64]bool{} // per UID: the instants whose occurrence an event of its own replaces
	var events []part
	for _, p := range parts {
		switch p.name {
		case "VEVENT":
			r.out.Events++
			events = append(events, p)
			l, is := p.find("RECURRENCE-ID")
			if !is {
				continue
			}
			if l.params["RANGE"] != "" {
				r.refuse(l.number, "a change of this occurrence and all that follow is not followed: both the old and the new times are kept busy.")
				continue
			}
			at, err := r.instantOf(l, l.value)
			if err != nil {
				r.refuseError(err)
				continue
			}
			uid, _ := p.find("UID")
			if changed[uid.value] == nil {
				changed[uid.value] = map[int64]bool{}
			}
			changed[uid.value][at] = true
		case "VFREEBUSY":
			r.out.Events++
			r.freeBusy(p)
		}
	}
	for _, p := range events {
		if err := r.event(p, changed); err != nil {
			r.refuseError(err)
		}
	}
}

// zoneOf answers the zone of a property's times.
func (r *reader) zoneOf(l line, s stamp) (clockZone, error) {
	id, given := l.params["TZID"]
	switch {
	case s.utc:
		return fixed(0), nil
	case s.day || !given:
		return r.local, nil
	}
	if z, ok := r.zones[id]; ok {
		return z, nil
	}
	if z, ok := known(id); ok {
		r.zones[id] = z
		return z, nil
	}
	return nil, wrong(l.number, "the time zone %s is not known, and the calendar does not define it.", shown(id))
}

// instantOf reads a time of a property as an instant, in seconds since 1970.
func (r *reader) instantOf(l line, value string) (int64, error) {
	s, err := readStamp(l, value)
	if err != nil {
		return 0, err
	}
	z, err := r.zoneOf(l, s)
	if err != nil {
		return 0, err
	}
	return z.instant(s.civil), nil
}

// free reports whether an event leaves its time free.
func free(p part) bool {
	is := func(name, value string) bool {
		l, ok := p.find(name)
		return ok && strings.EqualFold(strings.TrimSpace(l.value), value)
	}
	return is("TRANSP", "TRANSPARENT") || is("STATUS", "CANCELLED") || is("X-MICROSOFT-CDO-BUSYSTATUS", "FREE")
}

// lasting is how long each occurrence of an event is.
type lasting struct {
	exact   int64 // seconds
	nominal length
}

// end answers when an occurrence ends that begins at a civil time.
func (d lasting) end(civil int64, z clockZone) int64 {
	if d.nominal.days > 0 {
		return z.instant(civil+d.nominal.days*86400) + d.nominal.seconds
	}
	return z.instant(civil) + d.nominal.seconds + d.exact
}

// event takes the busy times of an event and its repetitions.
func (r *reader) event(p part, changed map[string]map[int64]bool) error {
	if free(p) {
		return nil
	}
	begin, ok := p.find("DTSTART")
	if !ok {
		return wrong(p.number, "the event has no DTSTART.")
	}
	start, err := readStamp(begin, begin.value)
	if err != nil {
		return err
	}
	z, err := r.zoneOf(begin, start)
	if err != nil {
		return err
	}
	long, err := r.lasts(p, start, z)
	if err != nil {
		return err
	}
	without := map[int64]bool{}
	var replaced map[int64]bool
	if _, change := p.find("RECURRENCE-ID"); !change {
		uid, _ := p.find("UID")
		replaced = changed[uid.value]
	}
	set := recurrence{start: start.civil, zone: z, steps: &r.steps}
	// The civil times that may fall within: as long before as an occurrence is, and a day for the farthest zone.
	set.from = z.civil(r.within.From.Unix()) - long.exact - long.nominal.seconds - (long.nominal.days+2)*86400
	set.to = z.civil(r.within.To.Unix()) + 2*86400
	var rules []rule
	more := []int64{}
	for _, l := range p.lines {
		switch l.name {
		case "RRULE":
			one, err := readRule(l)
			if err != nil {
				return err
			}
			rules = append(rules, one)
		case "EXRULE":
			if set.rule, err = readRule(l); err != nil {
				return err
			}
			set.counted = 0
			if err := set.each(func(civil int64) bool { without[z.instant(civil)] = true; return len(without) < MaxOccurrences }); err != nil {
				return err
			}
		case "EXDATE":
			for value := range strings.SplitSeq(l.value, ",") {
				s, err := readStamp(l, value)
				if err != nil {
					return err
				}
				if s.day && !start.day { // a date takes its whole day out, at the time of the event
					s = stamp{civil: s.civil + modulo(start.civil, 86400)}
					without[z.instant(s.civil)] = true
					continue
				}
				at, err := r.instantOf(l, value)
				if err != nil {
					return err
				}
				without[at] = true
			}
		case "RDATE":
			for value := range strings.SplitSeq(l.value, ",") {
				if strings.Contains(value, "/") {
					if err := r.period(l, value); err != nil {
						return err
					}
					continue
				}
				at, err := r.instantOf(l, value)
				if err != nil {
					return err
				}
				more = append(more, z.civil(at))
			}
		}
	}
	take := func(civil int64) bool {
		at := z.instant(civil)
		if !without[at] && !replaced[at] {
			r.take(at, long.end(civil, z))
		}
		return len(r.out.Busy) < MaxOccurrences
	}
	if take(start.civil) { // DTSTART is the first, whatever the rule says
		for _, civil := range more {
			take(civil)
		}
	}
	for _, one := range rules {
		set.rule, set.counted = one, 0
		if err := set.each(take); err != nil {
			return err
		}
	}
	if len(r.out.Busy) >= MaxOccurrences {
		return wrong(p.number, "the calendar has more than %d occurrences in this time; those from here on are not seen.", MaxOccurrences)
	}
	return nil
}

// lasts answers how long an event is: to its DTEND, for its DURATION, else a whole day for a date and no time for a time.
func (r *reader) lasts(p part, start stamp, z clockZone) (d lasting, err error) {
	if l, ok := p.find("DTEND"); ok {
		end, err := readStamp(l, l.value)
		if err != nil {
			return d, err
		}
		if end.day && start.day {
			d.nominal.days = (end.civil - start.civil) / 86400
			if d.nominal.days == 0 {
				d.nominal.days = 1 // the same date twice: written by those who take the end as a part of it
			}
			if d.nominal.days < 0 {
				return d, wrong(l.number, "DTEND is before DTSTART.")
			}
			return d, tooLong(l, d)
		}
		at, err := r.instantOf(l, l.value)
		if err != nil {
			return d, err
		}
		if d.exact = at - z.instant(start.civil); d.exact < 0 {
			return d, wrong(l.number, "DTEND is before DTSTART.")
		}
		return d, tooLong(l, d)
	}
	if l, ok := p.find("DURATION"); ok {
		d.nominal, err = readLength(l, l.value)
		return d, err
	}
	if start.day {
		d.nominal.days = 1
	}
	return d, nil
}

func tooLong(l line, d lasting) error {
	if d.nominal.days > maxDays || d.exact > maxDays*86400 {
		return wrong(l.number, "the event is longer than ten years.")
	}
	return nil
}

// freeBusy takes the busy periods of a VFREEBUSY.
func (r *reader) freeBusy(p part) {
	for _, l := range p.lines {
		if l.name != "FREEBUSY" || strings.EqualFold(l.params["FBTYPE"], "FREE") {
			continue
		}
		for value := range strings.SplitSeq(l.value, ",") {
			if err := r.period(l, value); err != nil {
				r.refuseError(err)
			}
		}
	}
}

// period takes a PERIOD (section 3.3.9): start/end or start/duration.
func (r *reader) period(l line, value string) error {
	a, b, ok := strings.Cut(value, "/")
	if !ok {
		return wrong(l.number, "%s is %q, not a period like 20260306T140000Z/PT30M.", l.name, shown(value))
	}
	start, err := readStamp(l, a)
	if err != nil {
		return err
	}
	z, err := r.zoneOf(l, start)
	if err != nil {
		return err
	}
	if len(b) > 0 && (b[0] == 'P' || b[0] == '+') {
		long, err := readLength(l, b)
		if err != nil {
			return err
		}
		r.take(z.instant(start.civil), lasting{nominal: long}.end(start.civil, z))
		return nil
	}
	end, err := r.instantOf(l, b)
	if err != nil {
		return err
	}
	r.take(z.instant(start.civil), end)
	return nil
}

// take keeps a busy time, cut to the span that is asked for.
func (r *reader) take(from, to int64) {
	s := slot.Span{From: time.Unix(from, 0).UTC(), To: time.Unix(to, 0).UTC()}
	if s.From.Before(s.To) && s.Overlaps(r.within) {
		if s.From.Before(r.within.From) {
			s.From = r.within.From
		}
		if r.within.To.Before(s.To) {
			s.To = r.within.To
		}
		r.out.Busy = append(r.out.Busy, s)
	}
}
