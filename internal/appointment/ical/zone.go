package ical

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"doorstep/internal/clock"
)

// A civil time is counted in seconds since 1970-01-01 00:00 as the clock on the wall shows it.

// clockZone turns civil times into instants (seconds since 1970 in UTC) and back, as section 3.3.5 says.
type clockZone interface {
	instant(civil int64) int64
	civil(instant int64) int64
}

type ianaZone struct{ *time.Location }

func (z ianaZone) instant(civil int64) int64 {
	day := clock.DayOf(time.Unix(civil, 0), time.UTC)
	minute, second := floor(civil, 60), modulo(civil, 60)
	return clock.At(day, clock.Wall(modulo(minute, 1440)), z.Location).Unix() + second
}

func (z ianaZone) civil(instant int64) int64 {
	_, offset := time.Unix(instant, 0).In(z.Location).Zone()
	return instant + int64(offset)
}

// ownZone is a zone as the file defines it: offsets, each from an instant on.
type ownZone []offset

type offset struct {
	from    int64 // instant
	seconds int64 // east of UTC
}

// at answers which offset holds at an instant.
func (z ownZone) at(instant int64) int {
	i, _ := slices.BinarySearchFunc(z, instant, func(o offset, t int64) int { return cmp.Compare(o.from, t+1) })
	return max(0, i-1)
}

func (z ownZone) instant(civil int64) int64 {
	first := z.at(civil - maxOffset)
	for i := first; i < min(len(z), first+maxWithin); i++ {
		o := z[i]
		t := civil - o.seconds
		if i+1 < len(z) && t >= z[i+1].from {
			continue // the next offset holds by then
		}
		if t < o.from && i > 0 { // in the gap before this offset: read with the one before it
			return civil - z[i-1].seconds
		}
		return t
	}
	return civil - z[first].seconds
}

func (z ownZone) civil(instant int64) int64 { return instant + z[z.at(instant)].seconds }

// define reads a VTIMEZONE. One whose name is known to us needs no definition; one that cannot be read is refused when an event asks for it.
func (r *reader) define(p part) {
	id, ok := p.find("TZID")
	if !ok {
		return
	}
	name := strings.Trim(id.value, `"`)
	if z, ok := known(name); ok {
		r.zones[name] = z
		return
	}
	if l, ok := p.find("X-LIC-LOCATION"); ok {
		if z, ok := known(l.value); ok {
			r.zones[name] = z
			return
		}
	}
	var z ownZone
	var before, earliest int64 // the offset before the first onset
	for _, o := range p.parts {
		if o.name != "STANDARD" && o.name != "DAYLIGHT" {
			continue
		}
		onsets, from, to, err := r.onsets(o)
		if err != nil {
			r.refuse(o.number, "the time zone %s: %s", shown(name), plain(err))
			return
		}
		for _, civil := range onsets {
			z = append(z, offset{civil - from, to})
		}
		if onset := onsets[0] - from; len(z) == len(onsets) || onset < earliest {
			before, earliest = from, onset
		}
	}
	if len(z) == 0 {
		r.refuse(p.number, "the time zone %s has no times.", shown(name))
		return
	}
	slices.SortFunc(z, func(a, b offset) int { return cmp.Compare(a.from, b.from) })
	r.zones[name] = append(ownZone{{longAgo, before}}, z...)
}

// onsets answers the civil times at which an observance begins, by the clock before, and the offsets before and after.
func (r *reader) onsets(p part) (civil []int64, from, to int64, err error) {
	var rules []rule
	var start int64
	for _, l := range p.lines {
		switch l.name {
		case "TZOFFSETFROM":
			from, err = offsetOf(l)
		case "TZOFFSETTO":
			to, err = offsetOf(l)
		case "DTSTART":
			var t stamp
			if t, err = readStamp(l, l.value); err == nil {
				start = t.civil
				civil = append(civil, start)
			}
		case "RDATE":
			for value := range strings.SplitSeq(l.value, ",") {
				var t stamp
				if t, err = readStamp(l, value); err != nil {
					break
				}
				civil = append(civil, t.civil)
			}
		case "RRULE":
			var one rule
			if one, err = readRule(l); err == nil {
				rules = append(rules, one)
			}
		}
		if err != nil {
			return nil, 0, 0, err
		}
	}
	if len(civil) == 0 {
		return nil, 0, 0, wrong(p.number, "%s has no DTSTART.", p.name)
	}
	last := r.within.To.AddDate(2, 0, 0).Unix()
	for _, one := range rules {
		set := recurrence{rule: one, start: start, zone: fixed(from), from: longAgo, to: last, steps: &r.steps}
		if err := set.each(func(c int64) bool {
			civil = append(civil, c)
			return len(civil) < maxOnsets
		}); err != nil {
			return nil, 0, 0, err
		}
	}
	slices.Sort(civil)
	return slices.Compact(civil), from, to, nil
}

const (
	maxOffset = 86400 // longer than every offset
	maxOnsets = 3000  // how often a zone may change its clocks: three times a year for a thousand years
	maxWithin = 16    // and within two days
)

// longAgo is before every date that can be written, and far from where numbers end.
const longAgo = -1 << 40

// fixed is a zone of one offset.
func fixed(seconds int64) ownZone { return ownZone{{longAgo, seconds}} }

// offsetOf reads +hhmm or +hhmmss.
func offsetOf(l line) (int64, error) {
	v := strings.TrimSpace(l.value)
	if len(v) != 5 && len(v) != 7 || v[0] != '+' && v[0] != '-' {
		return 0, wrong(l.number, "%s is %q, not an offset like -0500.", l.name, shown(v))
	}
	var parts [3]int64
	for i := range (len(v) - 1) / 2 {
		a, b := v[1+2*i], v[2+2*i]
		if a < '0' || a > '9' || b < '0' || b > '9' {
			return 0, wrong(l.number, "%s is %q, not an offset like -0500.", l.name, shown(v))
		}
		parts[i] = int64(a-'0')*10 + int64(b-'0')
	}
	s := parts[0]*3600 + parts[1]*60 + parts[2]
	if s >= maxOffset {
		return 0, wrong(l.number, "%s is %q, more than a day.", l.name, shown(v))
	}
	if v[0] == '-' {
		s = -s
	}
	return s, nil
}

// known answers a zone by its IANA name, also where a prefix stands before it ("/example.org/20110521_1/Europe/Berlin").
func known(name string) (clockZone, bool) {
	name = strings.TrimSpace(name)
	for {
		if strings.Contains(name, "/") || name == "UTC" || name == "GMT" {
			if z, err := clock.Zone(name); err == nil {
				return ianaZone{z}, true
			}
		}
		_, rest, more := strings.Cut(name, "/")
		if !more {
			return nil, false
		}
		name = rest
	}
}

func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func modulo(a, b int64) int64 { return a - floor(a, b)*b }
