// Package healthconnect reads a JSON batch of Android's Health Connect: that has records in Kotlin and no wire format, so this
// one is ours, with its names: {"records":[{"type":"WeightRecord","time":"…","weight":{"inKilograms":70.2},"metadata":{…}},…]}, a
// list of records alone, or one record a line. docs/formats.md describes it.
//
// Its promise: times carry their offset or the record is refused; so is a record of a known type without its value; types that
// are not known are passed over. The package is pure. Source: androidx.health.connect.client.records.
package healthconnect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"
	"time"

	"doorstep/internal/reading/sample"
)

var named = regexp.MustCompile(`"[A-Z][A-Za-z0-9]*Record"`)

// Is reports whether a file that begins so is such a batch.
func Is(head []byte) bool {
	head = bytes.TrimLeft(head, "\xef\xbb\xbf \t\r\n[")
	return len(head) > 0 && head[0] == '{' && named.Match(head)
}

// Read answers the samples of records.
func Read(r io.Reader, o sample.Options) sample.Seq {
	return sample.Read(r, "records", func(item sample.Item) ([]sample.Sample, error) { return read(item, o) })
}

// record is what all records have; their own members stand in members.
type record struct {
	Type       string `json:"type"`
	RecordType string `json:"recordType"`
	span
	Metadata struct {
		DataOrigin      json.RawMessage `json:"dataOrigin"` // a package's name, or {"packageName":…}
		RecordingMethod json.RawMessage `json:"recordingMethod"`
		Device          struct{ Manufacturer, Model string }
	} `json:"metadata"`
}

// span is a time, or two.
type span struct {
	Time      string `json:"time"`
	StartTime string `json:"startTime"`
	EndTime   string `json:"endTime"`
}

func read(item sample.Item, o sample.Options) ([]sample.Sample, error) {
	var r record
	var members map[string]json.RawMessage
	if json.Unmarshal(item.Raw, &r) != nil || json.Unmarshal(item.Raw, &members) != nil {
		return nil, item.Refuse("it is not a record")
	}
	if r.Type == "" {
		r.Type = r.RecordType
	}
	if r.Type == "" {
		if item.Path == "" { // what stands around the records
			return nil, nil
		}
		return nil, item.Refuse("type is missing")
	}
	if !strings.HasSuffix(r.Type, "Record") {
		r.Type += "Record"
	}
	o.Seen(r.Type)
	fields, known := types[r.Type]
	if !known {
		return nil, nil
	}
	base := sample.Sample{Kind: r.Type, Source: r.source()}
	if method := string(r.Metadata.RecordingMethod); method == "3" || strings.Contains(method, "MANUAL") {
		base.Notes = append(base.Notes, "entered by hand")
	}
	for _, name := range []string{"specimenSource", "relationToMeal", "mealType", "bodyPosition", "measurementLocation"} {
		var text string
		if json.Unmarshal(members[name], &text) == nil && text != "" {
			base.Notes = append(base.Notes, strings.ToLower(strings.ReplaceAll(text, "_", " ")))
		}
	}
	if err := r.put(&base); err != nil {
		return nil, item.Refuse("%s: %v", r.Type, err)
	}
	var out []sample.Sample
	for _, f := range fields {
		if f.list == "" {
			s, err := f.sample(base, members)
			if err != nil {
				return nil, item.Refuse("%s: %v", r.Type, err)
			}
			if s != nil {
				out = append(out, *s)
			}
			continue
		}
		list, err := f.each(base, members[f.list])
		if err != nil {
			return nil, item.Refuse("%s: %v", r.Type, err)
		}
		out = append(out, list...)
	}
	return out, nil
}

// source names the device, else the program.
func (r *record) source() string {
	if d := strings.TrimSpace(r.Metadata.Device.Manufacturer + " " + r.Metadata.Device.Model); d != "" {
		return d
	}
	var name string
	var origin struct{ PackageName string }
	if json.Unmarshal(r.Metadata.DataOrigin, &name) == nil {
		return name
	}
	_ = json.Unmarshal(r.Metadata.DataOrigin, &origin) // absent, or of another shape: no name
	return origin.PackageName
}

// put puts the time into the sample.
func (t span) put(s *sample.Sample) error {
	read := func(name, text string) (time.Time, error) {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return at, fmt.Errorf("%s %q is not a time with its offset", name, sample.Clip(text))
		}
		return at, nil
	}
	var err error
	if t.Time != "" {
		s.At, err = read("time", t.Time)
		return err
	}
	if s.At, err = read("startTime", t.StartTime); err != nil || t.EndTime == "" {
		return err
	}
	s.Until, err = read("endTime", t.EndTime)
	return err
}

// each answers the samples of a list within a record: heart rates, speeds, stages of sleep.
func (f *field) each(base sample.Sample, raw json.RawMessage) ([]sample.Sample, error) {
	var list []map[string]json.RawMessage
	if raw == nil {
		if f.optional {
			return nil, nil
		}
		return nil, fmt.Errorf("%s is missing", f.list)
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("%s: it is no list of objects", f.list)
	}
	var out []sample.Sample
	for i, members := range list {
		s := base
		s.Until = time.Time{}
		var t span
		for name, to := range map[string]*string{"time": &t.Time, "startTime": &t.StartTime, "endTime": &t.EndTime} {
			_ = json.Unmarshal(members[name], to) // another shape is a time that is missing
		}
		if err := t.put(&s); err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", f.list, i, err)
		}
		one, err := f.sample(s, members)
		if err != nil {
			return nil, fmt.Errorf("%s[%d]: %w", f.list, i, err)
		}
		if one != nil {
			out = append(out, *one)
		}
	}
	return out, nil
}

// sample answers the field's sample; nil where an optional one is absent.
func (f *field) sample(s sample.Sample, members map[string]json.RawMessage) (*sample.Sample, error) {
	raw := members[f.name]
	if len(raw) == 0 || string(raw) == "null" {
		if f.optional {
			return nil, nil
		}
		return nil, fmt.Errorf("%s is missing", f.name)
	}
	s.Series, s.Unit = f.series, f.unit
	if f.words != nil {
		s.Unit = ""
		if s.Text = f.words[strings.ToUpper(strings.Trim(string(raw), `"`))]; s.Text == "" {
			return nil, fmt.Errorf("%s %s is not known", f.name, sample.Clip(string(raw)))
		}
		return &s, nil
	}
	number, err := f.amount(raw, &s)
	if err != nil {
		return nil, err
	}
	if s.Value, err = number.Float64(); err != nil || math.IsInf(s.Value, 0) {
		return nil, fmt.Errorf("%s %s is not a number that can be", f.name, sample.Clip(string(raw)))
	}
	if _, after, ok := strings.Cut(number.String(), "."); ok && !strings.ContainsAny(after, "eE") {
		s.Decimals = len(after)
	}
	if s.Series == sample.BloodGlucose && s.Unit == "mmol/L" {
		s.Series = sample.BloodGlucoseMol
	}
	return &s, nil
}

// amount reads a number, {"inKilograms":70.2} or {"value":70.2,"unit":"KILOGRAMS"}, and puts the unit that it tells.
func (f *field) amount(raw json.RawMessage, s *sample.Sample) (json.Number, error) {
	var n json.Number
	if raw[0] != '"' && json.Unmarshal(raw, &n) == nil {
		return n, nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil {
		return "", fmt.Errorf("%s %s is not a number", f.name, sample.Clip(string(raw)))
	}
	var unit string
	if json.Unmarshal(object["value"], &n) == nil && n != "" && json.Unmarshal(object["unit"], &unit) == nil {
		code, known := units[strings.ReplaceAll(strings.ToLower(unit), "_", "")]
		if !known {
			return "", fmt.Errorf("%s: the unit %s is not known", f.name, sample.Clip(unit))
		}
		s.Unit = code
		return n, nil
	}
	for _, name := range order {
		if json.Unmarshal(object[name], &n) == nil && n != "" {
			s.Unit = units[strings.ToLower(strings.TrimPrefix(name, "in"))]
			return n, nil
		}
	}
	return "", fmt.Errorf("%s %s has no amount in a unit that is known", f.name, sample.Clip(string(raw)))
}
