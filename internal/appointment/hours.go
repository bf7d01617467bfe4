package appointment

import (
	"encoding/json"
	"time"

	"doorstep/internal/appointment/slot"
	"doorstep/internal/clock"
	"doorstep/internal/fault"
)

// HoursText is how hours are stored and sent: the keys of the file of `doorstep slots`, with a place and ways.
type HoursText struct {
	Place     string         `json:"place,omitempty"`
	Ways      []Way          `json:"ways,omitempty"`
	Zone      string         `json:"tz"`
	Weekly    []WeeklyText   `json:"weekly"`
	Overrides []OverrideText `json:"overrides,omitempty"`
	Closures  []ClosureText  `json:"closures,omitempty"`
}

// WeeklyText is a time on certain days of the week, 1 Monday to 7 Sunday.
type WeeklyText struct {
	Days   []int  `json:"days"`
	Start  string `json:"start"`
	End    string `json:"end"`
	Every  int    `json:"every_weeks,omitempty"`
	Anchor string `json:"anchor,omitempty"`
	From   string `json:"from,omitempty"`
	To     string `json:"to,omitempty"`
}

// OverrideText takes the place of what begins on a date.
type OverrideText struct {
	Date  string `json:"date"`
	Start string `json:"start,omitempty"` // without start and end the day is closed
	End   string `json:"end,omitempty"`
}

// ClosureText shuts whole days, the last included.
type ClosureText struct {
	From string `json:"from"`
	To   string `json:"to,omitempty"`
}

// MarshalJSON writes the hours with times of day and dates as text.
func (h Hours) MarshalJSON() ([]byte, error) {
	out, err := h.Text()
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

// Text answers the hours with times of day and dates as text.
func (h Hours) Text() (HoursText, error) {
	out := HoursText{Place: h.Place, Ways: h.Ways, Weekly: []WeeklyText{}}
	if h.Calendar.Zone != nil {
		out.Zone = h.Calendar.Zone.String()
	}
	for _, w := range h.Calendar.Weekly {
		out.Weekly = append(out.Weekly, WeeklyText{w.Days, w.Start.String(), w.End.String(), w.Every, dayText(w.Anchor), dayText(w.From), dayText(w.To)})
	}
	for _, o := range h.Calendar.Overrides {
		x := OverrideText{Date: o.Date.String()}
		if o.Start != o.End {
			x.Start, x.End = o.Start.String(), o.End.String()
		}
		out.Overrides = append(out.Overrides, x)
	}
	for _, c := range h.Calendar.Closures {
		if c.From.IsZero() { // a span is stored by the feed that it came from, not here
			return out, fault.Invalidf("A closure needs its first day.")
		}
		out.Closures = append(out.Closures, ClosureText{dayText(c.From), dayText(c.To)})
	}
	return out, nil
}

// UnmarshalJSON reads what MarshalJSON wrote. Errors are fault.Invalid and name the part.
func (h *Hours) UnmarshalJSON(b []byte) error {
	var in HoursText
	if err := json.Unmarshal(b, &in); err != nil {
		return fault.Invalidf("The hours are not of the right shape: %s", err)
	}
	var err error
	*h, err = in.Hours()
	return err
}

// Hours reads the text. Errors are fault.Invalid and name the part.
func (in HoursText) Hours() (Hours, error) {
	zone, err := clock.Zone(in.Zone)
	if err != nil {
		return Hours{}, fault.Invalidf("%q is not a time zone (want one like America/New_York).", in.Zone)
	}
	r := reader{}
	h := Hours{Place: in.Place, Ways: in.Ways, Calendar: slot.Calendar{Zone: zone}}
	for _, w := range in.Weekly {
		h.Calendar.Weekly = append(h.Calendar.Weekly, slot.Weekly{Days: w.Days, Start: r.wall(w.Start), End: r.wall(w.End), Every: w.Every, Anchor: r.day(w.Anchor), From: r.day(w.From), To: r.day(w.To)})
	}
	for _, o := range in.Overrides {
		x := slot.Override{Date: r.day(o.Date)}
		if o.Start != "" || o.End != "" {
			x.Start, x.End = r.wall(o.Start), r.wall(o.End)
		}
		h.Calendar.Overrides = append(h.Calendar.Overrides, x)
	}
	for _, c := range in.Closures {
		h.Calendar.Closures = append(h.Calendar.Closures, slot.Closure{From: r.day(c.From), To: r.day(c.To)})
	}
	return h, r.err
}

// reader reads days and times of day; the first that is wrong is kept.
type reader struct{ err error }

func (r *reader) day(s string) clock.Day {
	if s == "" {
		return clock.Day{}
	}
	d, err := clock.ParseDay(s)
	if err != nil && r.err == nil {
		r.err = fault.Invalidf("%q is not a date (want 2026-03-09).", s)
	}
	return d
}

func (r *reader) wall(s string) clock.Wall {
	if s == "24:00" {
		return slot.Midnight
	}
	w, err := clock.ParseWall(s)
	if err != nil && r.err == nil {
		r.err = fault.Invalidf("%q is not a time of day (want 09:00).", s)
	}
	return w
}

func dayText(d clock.Day) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// covers reports whether a calendar is open for a whole span.
func covers(c slot.Calendar, from, until time.Time) bool {
	spans := c.Spans(from, until)
	return len(spans) == 1 && spans[0].From.Equal(from) && spans[0].To.Equal(until)
}
