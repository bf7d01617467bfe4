// Package fhirobs reads measurements from FHIR R4 and R5: Observations alone, one a line, in lists and in Bundles, those of personal
// health devices (PHD implementation guide) among them.
//
// Its promise: a value keeps the decimals that were written; an Observation without a value (dataAbsentReason), or one that was
// entered in error or cancelled, is no number; SampledData comes out as its values, with none for E, U and L; what cannot be read is
// refused with its place. Times of PHD Observations have been put right by the gateway: coincident timestamps are not applied again.
// The package is pure.
package fhirobs

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

// Is reports whether a file that begins so is of FHIR resources.
func Is(head []byte) bool {
	head = bytes.TrimLeft(head, "\xef\xbb\xbf \t\r\n[")
	return len(head) > 0 && head[0] == '{' && bytes.Contains(head, []byte(`"resourceType"`))
}

// Read answers the values of the Observations; other resources are passed over.
func Read(r io.Reader, o sample.Options) sample.Seq {
	return sample.Read(r, "entry", func(item sample.Item) ([]sample.Sample, error) { return resource(item, o) })
}

// resource answers the samples of a resource, or of a Bundle's entry that holds one.
func resource(item sample.Item, o sample.Options) ([]sample.Sample, error) {
	var head struct {
		Type     string          `json:"resourceType"`
		Resource json.RawMessage `json:"resource"`
	}
	if err := json.Unmarshal(item.Raw, &head); err != nil {
		return nil, item.Refuse("it is not a resource")
	}
	raw := item.Raw
	if head.Type == "" && head.Resource != nil {
		if raw = head.Resource; json.Unmarshal(raw, &head) != nil {
			return nil, item.Refuse("it is not a resource")
		}
	}
	if head.Type == "" {
		if strings.HasPrefix(item.Path, "entry") { // an answer to a request has none
			return nil, nil
		}
		return nil, item.Refuse("resourceType is missing")
	}
	o.Seen(head.Type)
	if head.Type != "Observation" {
		return nil, nil
	}
	var ob observation
	if err := json.Unmarshal(raw, &ob); err != nil {
		return nil, item.Refuse("it is not an Observation: %v", err)
	}
	list, err := ob.samples(o)
	if err != nil {
		return nil, item.Refuse("%s: %v", ob.name(), err)
	}
	return list, nil
}

func (ob *observation) name() string {
	if ob.ID == "" {
		return "Observation"
	}
	return "Observation/" + sample.Clip(ob.ID)
}

// samples answers the Observation's value and those of its components.
func (ob *observation) samples(o sample.Options) ([]sample.Sample, error) {
	if ob.Status == "entered-in-error" || ob.Status == "cancelled" {
		return nil, nil
	}
	base := sample.Sample{Kind: "Observation", Source: ob.Device.Display}
	if base.Source == "" {
		base.Source = ob.Device.Reference
	}
	if err := ob.when(&base, o); err != nil {
		return nil, err
	}
	if ob.Status == "preliminary" {
		base.Notes = append(base.Notes, "preliminary")
	}
	for _, list := range [][]concept{ob.Interpretation, {ob.BodySite, ob.Method}} {
		for _, c := range list {
			if text := c.words(); text != "" {
				base.Notes = append(base.Notes, text)
			}
		}
	}
	for _, c := range ob.Component { // what is said in words of the whole
		if text := c.ValueCodeableConcept.words(); text != "" {
			base.Notes = append(base.Notes, text)
		} else if c.ValueBoolean != nil && *c.ValueBoolean { // a device's status: what is true is named
			base.Notes = append(base.Notes, c.Code.words())
		}
	}
	out, err := ob.value.samples(base, ob.Code, nil)
	if err != nil {
		return nil, err
	}
	for i, c := range ob.Component {
		c.ValueCodeableConcept = concept{}
		if out, err = c.value.samples(base, c.Code, out); err != nil {
			return nil, fmt.Errorf("component[%d]: %w", i, err)
		}
	}
	if series := ob.Code.series(); len(out) == 0 && len(base.Notes) > 0 && series != "" && len(ob.Component) > 0 { // nothing but a status
		base.Series, base.Text = series, strings.Join(base.Notes, ", ")
		base.Notes = nil
		out = append(out, base)
	}
	return out, nil
}

// samples adds what a value holds to out.
func (v *value) samples(s sample.Sample, code concept, out []sample.Sample) ([]sample.Sample, error) {
	s.Series = code.series()
	switch {
	case v.ValueSampledData != nil:
		list, err := v.ValueSampledData.samples(s)
		return append(out, list...), err
	case v.ValueQuantity != nil && v.ValueQuantity.Value != "":
		q := v.ValueQuantity
		if err := set(&s, q.Value); err != nil {
			return nil, err
		}
		s.Unit = q.ucum()
		s.Beyond = map[string]int{"<": -1, "<=": -1, ">": 1, ">=": 1}[q.Comparator]
	case v.ValueInteger != "":
		if err := set(&s, v.ValueInteger); err != nil {
			return nil, err
		}
		s.Unit = "1"
	case v.ValueString != "":
		s.Text = v.ValueString
	case v.ValueCodeableConcept.words() != "":
		s.Text = v.ValueCodeableConcept.words()
	default: // no value, or a time, a range, a ratio
		return out, nil
	}
	if s.Series == "" {
		return nil, fmt.Errorf("code: there is none")
	}
	if s.Series == sample.BloodGlucose && s.Unit == "mmol/L" {
		s.Series = sample.BloodGlucoseMol
	}
	return append(out, s), nil
}

// set puts a number with its decimals into the sample.
func set(s *sample.Sample, n json.Number) error {
	v, err := n.Float64()
	if err != nil || math.IsInf(v, 0) {
		return fmt.Errorf("value: %s is not a number that can be", sample.Clip(n.String()))
	}
	s.Value, s.Decimals = v, decimals(n.String())
	return nil
}

// decimals answers how many places are written behind the point.
func decimals(number string) int {
	_, after, _ := strings.Cut(number, ".")
	if strings.ContainsAny(number, "eE") {
		return 0
	}
	return len(after)
}

// when puts the effective time into the sample. A day alone is a wall-clock day without a zone; months and years are refused.
func (ob *observation) when(s *sample.Sample, o sample.Options) error {
	read := func(text string) (at time.Time, day bool, err error) {
		if text == "" {
			return time.Time{}, false, nil
		}
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			return t, false, nil
		}
		if t, err := time.Parse(time.DateOnly, text); err == nil {
			return sample.Wall(t, o.Location()), true, nil
		}
		return time.Time{}, false, fmt.Errorf("effective: %q is not a time or a day", sample.Clip(text))
	}
	instant := ob.EffectiveDateTime
	if instant == "" {
		instant = ob.EffectiveInstant
	}
	var day bool
	var err error
	if s.At, day, err = read(instant); err != nil || !s.At.IsZero() {
		if day {
			s.Zoneless, s.Until = true, s.At.AddDate(0, 0, 1)
		}
		return err
	}
	if s.At, day, err = read(ob.EffectivePeriod.Start); err != nil {
		return err
	}
	s.Zoneless = day
	if s.Until, day, err = read(ob.EffectivePeriod.End); day && err == nil {
		s.Zoneless, s.Until = true, s.Until.AddDate(0, 0, 1)
	}
	return err
}
