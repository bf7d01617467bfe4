package reading

import (
	"bytes"
	"encoding/json"
	"time"

	"doorstep/internal/fault"
)

// wireReading is a reading as JSON: {"seq":n,"at":RFC3339,"clock":RFC3339,"series":"8867-4","value":72,"unit":"/min"}.
type wireReading struct {
	Seq    *int64    `json:"seq"`
	At     time.Time `json:"at"`
	Clock  time.Time `json:"clock"`
	Series string    `json:"series"`
	Value  *float64  `json:"value"`
	Unit   string    `json:"unit"`
}

// wirePill is an event as JSON: {"seq":n,"at":RFC3339,"event":"open","slot":1,"value":…}.
type wirePill struct {
	Seq   *int64    `json:"seq"`
	At    time.Time `json:"at"`
	Clock time.Time `json:"clock"`
	Event string    `json:"event"`
	Slot  int       `json:"slot"`
	Value float64   `json:"value"`
}

// ParseReadings reads one reading or an array of them. An element that cannot be read is named by its place; what is no
// JSON at all is an error of kind Invalid. The readings keep their places: a refused one's is in the refusals.
func ParseReadings(b []byte) (batch []Reading, places []int, refused []Refusal, err error) {
	list, places, refused, err := parseList[wireReading](b, func(w *wireReading) string {
		switch {
		case w.Value == nil:
			return "value: there is none"
		case w.At.IsZero():
			return "at: there is none"
		}
		return ""
	})
	batch = make([]Reading, len(list))
	for i, w := range list {
		batch[i] = Reading{At: w.At, Clock: w.Clock, Series: w.Series, Value: *w.Value, Unit: w.Unit}
		if w.Seq != nil {
			batch[i].Seq, batch[i].HasSeq = *w.Seq, true
		}
	}
	return batch, places, refused, err
}

// ParsePills reads one pill box event or an array of them, like ParseReadings.
func ParsePills(b []byte) (events []PillEvent, places []int, refused []Refusal, err error) {
	list, places, refused, err := parseList[wirePill](b, func(w *wirePill) string {
		if w.At.IsZero() {
			return "at: there is none"
		}
		return ""
	})
	events = make([]PillEvent, len(list))
	for i, w := range list {
		events[i] = PillEvent{At: w.At, Clock: w.Clock, Event: w.Event, Slot: w.Slot, Value: w.Value}
		if w.Seq != nil {
			events[i].Seq, events[i].HasSeq = *w.Seq, true
		}
	}
	return events, places, refused, err
}

// json writes an event so that ParsePills reads it again.
func (e PillEvent) json() []byte {
	w := wirePill{At: e.At, Clock: e.Clock, Event: e.Event, Slot: e.Slot, Value: e.Value}
	if e.HasSeq {
		w.Seq = &e.Seq
	}
	b, err := json.Marshal(w)
	if err != nil {
		panic(err) // numbers are finite and years have four digits: wrong has seen to that
	}
	return b
}

func parseList[T any](b []byte, wrong func(*T) string) (list []T, places []int, refused []Refusal, err error) {
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return nil, nil, nil, fault.Invalidf("the body is empty")
	}
	var all []T
	if b[0] != '[' {
		b = append(append([]byte{'['}, b...), ']')
	}
	// Mostly every element is right: one pass. Otherwise each is looked at by itself, to name the wrong ones.
	if json.Unmarshal(b, &all) == nil {
		list, places = all[:0], make([]int, 0, len(all))
		for i := range all {
			if reason := wrong(&all[i]); reason != "" {
				refused = append(refused, Refusal{i, reason})
				continue
			}
			list, places = append(list, all[i]), append(places, i)
		}
		return list, places, refused, nil
	}
	var raws []json.RawMessage
	if json.Unmarshal(b, &raws) != nil {
		return nil, nil, nil, fault.Invalidf("the body is not JSON")
	}
	for i, raw := range raws {
		var one T
		if json.Unmarshal(raw, &one) != nil || bytes.Equal(raw, []byte("null")) {
			refused = append(refused, Refusal{i, unreadable(raw)})
		} else if reason := wrong(&one); reason != "" {
			refused = append(refused, Refusal{i, reason})
		} else {
			list, places = append(list, one), append(places, i)
		}
	}
	return list, places, refused, nil
}

// unreadable says why an element cannot be read: a time that is none, by its name, or that it is of another shape.
func unreadable(raw []byte) string {
	var times struct{ At, Clock json.RawMessage }
	if json.Unmarshal(raw, &times) == nil {
		for _, one := range []struct {
			name string
			text json.RawMessage
		}{{"at", times.At}, {"clock", times.Clock}} {
			var t time.Time
			if one.text != nil && json.Unmarshal(one.text, &t) != nil {
				return one.name + ": it is no time like 2026-03-09T08:00:00-04:00"
			}
		}
	}
	return "it is not an object of the known shape"
}

// Placed joins a receipt of parsed readings with what parsing refused, by the places in the request.
func (r Receipt) Placed(places []int, refused []Refusal) Receipt {
	for i := range r.Refused {
		r.Refused[i].Index = places[r.Refused[i].Index]
	}
	r.Refused = append(r.Refused, refused...)
	if r.Refused == nil {
		r.Refused = []Refusal{}
	}
	return r
}
