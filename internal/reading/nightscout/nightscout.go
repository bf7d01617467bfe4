// Package nightscout reads what a Nightscout site answers and is sent: glucose entries (/api/v1/entries.json, and API v3's), and
// the insulin, carbohydrates and blood glucose of treatments.
//
// Its promise: a sensor's error code is no value; glucose is mg/dL unless the entry says mmol; what cannot be read is refused
// with its place. The package is pure. Source: the API of nightscout/cgm-remote-monitor 15.
package nightscout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"doorstep/internal/reading/sample"
)

// Is reports whether a file that begins so holds entries or treatments.
func Is(head []byte) bool {
	head = bytes.TrimLeft(head, "\xef\xbb\xbf \t\r\n[")
	if len(head) == 0 || head[0] != '{' {
		return false
	}
	has := func(key string) bool { return bytes.Contains(head, []byte(`"`+key+`"`)) }
	return (has("sgv") || has("mbg")) && (has("date") || has("dateString")) || has("eventType") && has("created_at")
}

// What a Dexcom sensor says: up to 12 an error's code, and at its range's ends that the value lies beyond.
const (
	codes = 12
	low   = 39
	high  = 401
)

// entry is an entry or a treatment.
type entry struct {
	Type       string      `json:"type"`
	Date       json.Number `json:"date"` // ms since 1970
	DateString string      `json:"dateString"`
	CreatedAt  string      `json:"created_at"`
	UTCOffset  int         `json:"utcOffset"` // minutes
	SGV        json.Number `json:"sgv"`
	MBG        json.Number `json:"mbg"`
	Direction  string      `json:"direction"`
	Units      string      `json:"units"`
	Device     string      `json:"device"`

	EventType   string          `json:"eventType"`
	EnteredBy   string          `json:"enteredBy"`
	Insulin     json.Number     `json:"insulin"`
	Carbs       json.Number     `json:"carbs"`
	Glucose     json.RawMessage `json:"glucose"` // a number, in treatments at times a text
	GlucoseType string          `json:"glucoseType"`
}

// Read answers the samples of entries and treatments.
func Read(r io.Reader, o sample.Options) sample.Seq {
	return sample.Read(r, "result", func(item sample.Item) ([]sample.Sample, error) { return read(item, o) })
}

func read(item sample.Item, o sample.Options) ([]sample.Sample, error) {
	var e entry
	if err := json.Unmarshal(item.Raw, &e); err != nil {
		return nil, item.Refuse("it is neither an entry nor a treatment: %v", err)
	}
	if e.Type == "" {
		e.Type = e.EventType
	}
	if e.Type == "" && e.SGV == "" && e.MBG == "" {
		return nil, nil // what stands around the entries
	}
	o.Seen(e.Type)
	base := sample.Sample{Kind: e.Type, Source: e.Device, Unit: "mg/dL"}
	if base.Source == "" {
		base.Source = e.EnteredBy
	}
	if base.Source == "" {
		base.Source = "nightscout"
	}
	if strings.HasPrefix(strings.ToLower(e.Units), "mmol") {
		base.Unit = "mmol/L"
	}
	var err error
	if base.At, err = e.when(); err != nil {
		return nil, item.Refuse("%v", err)
	}
	var out []sample.Sample
	add := func(series, unit string, n json.Number) {
		if n == "" || err != nil {
			return
		}
		s := base
		s.Series, s.Unit = series, unit
		if s.Value, err = n.Float64(); err != nil || math.IsInf(s.Value, 0) {
			err = fmt.Errorf("%q is not a number that can be", sample.Clip(n.String()))
			return
		}
		if _, after, ok := strings.Cut(n.String(), "."); ok && !strings.ContainsAny(after, "eE") {
			s.Decimals = len(after)
		}
		if series == sample.TissueGlucose && unit == "mg/dL" {
			switch {
			case s.Value <= codes:
				return
			case s.Value == low:
				s.Beyond = -1
			case s.Value >= high:
				s.Beyond = 1
			}
			if e.Direction != "" && e.Direction != "NONE" {
				s.Notes = []string{e.Direction}
			}
		}
		if series == sample.BloodGlucose && unit == "mmol/L" {
			s.Series = sample.BloodGlucoseMol
		}
		out = append(out, s)
	}
	switch {
	case e.EventType != "":
		add(sample.Insulin, "[iU]", e.Insulin)
		add(sample.Carbohydrates, "g", e.Carbs)
		if strings.EqualFold(e.GlucoseType, "finger") {
			add(sample.BloodGlucose, base.Unit, json.Number(strings.Trim(string(e.Glucose), `"`)))
		}
	case e.Type == "cal":
	default:
		add(sample.TissueGlucose, base.Unit, e.SGV)
		add(sample.BloodGlucose, base.Unit, e.MBG)
	}
	if err != nil {
		return nil, item.Refuse("%v", err)
	}
	return out, nil
}

// when answers the time of an entry, in its own offset.
func (e *entry) when() (time.Time, error) {
	zone := time.UTC
	if e.UTCOffset != 0 && e.UTCOffset > -16*60 && e.UTCOffset < 16*60 {
		zone = time.FixedZone("", e.UTCOffset*60)
	}
	if ms, err := e.Date.Float64(); err == nil && ms > 0 && ms < 1e14 {
		return time.UnixMilli(int64(ms)).In(zone), nil
	}
	for _, text := range []string{e.DateString, e.CreatedAt} {
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
			if t, err := time.Parse(layout, text); err == nil {
				if _, told := t.Zone(); told == 0 {
					t = t.In(zone)
				}
				return t, nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("date: there is none that is a time")
}
