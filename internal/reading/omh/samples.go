package omh

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"doorstep/internal/reading/sample"
)

// series are the properties of bodies that have a code.
var series = map[string]string{
	"heart_rate": sample.HeartRate, "rr_interval": sample.RRInterval, "systolic_blood_pressure": sample.Systolic, "diastolic_blood_pressure": sample.Diastolic,
	"blood_glucose": sample.BloodGlucose, "body_temperature": sample.Temperature, "body_weight": sample.Weight, "body_height": sample.Height, "body_mass_index": sample.BMI,
	"body_fat_percentage": sample.BodyFat, "oxygen_saturation": sample.OxygenSaturation, "respiratory_rate": sample.Respiration, "step_count": sample.Steps,
	"sleep_duration": sample.SleepDuration, "total_sleep_time": sample.SleepDuration, "distance": sample.Distance, "kcal_burned": sample.Energy,
	"minutes_moderate_activity": sample.ActiveMinutes, "quantity": "quantity",
}

// told are the properties of bodies that are notes; what begins with "temporal_relationship_to" is one too.
var told = []string{"descriptive_statistic", "specimen_source", "blood_specimen_type", "body_posture", "position_during_measurement", "measurement_location", "activity_name", "reported_activity_intensity"}

// samples answers the values with units of a body, in the order of their names, and step counts that are plain numbers.
func samples(h header, body map[string]any, o sample.Options) []sample.Sample {
	base := sample.Sample{Source: h.Provenance.Source, Kind: h.Schema.Name}
	if base.Source == "" && len(h.Datasheets) > 0 {
		base.Source = h.Datasheets[0].Reference
	}
	if h.Provenance.Modality == "self-reported" || h.Modality == "self-reported" {
		base.Notes = append(base.Notes, "entered by hand")
	}
	if frame, ok := body["effective_time_frame"].(map[string]any); ok {
		when(&base, frame, o)
	}
	var names []string
	for name, v := range body {
		if name != "" {
			names = append(names, name)
		}
		if text, ok := v.(string); ok && (slices.Contains(told, name) || strings.HasPrefix(name, "temporal_relationship_to")) {
			base.Notes = append(base.Notes, text)
		}
	}
	slices.Sort(base.Notes)
	slices.Sort(names)
	var out []sample.Sample
	for _, name := range names {
		s := base
		if s.Series = series[name]; s.Series == "" {
			s.Series = strings.ReplaceAll(name, "_", "-")
		}
		switch v := body[name].(type) {
		case map[string]any:
			unit, hasUnit := v["unit"].(string)
			n, ok := v["value"].(json.Number)
			if !ok || !hasUnit {
				continue
			}
			s.Unit = sample.Unit(unit)
			if !value(&s, n) {
				continue
			}
		case json.Number:
			if name != "step_count" {
				continue
			}
			s.Unit = "{steps}"
			if !value(&s, v) {
				continue
			}
		default:
			continue
		}
		if s.Series == sample.BloodGlucose {
			switch {
			case body["specimen_source"] == "interstitial fluid":
				s.Series = sample.TissueGlucose
			case s.Unit == "mmol/L":
				s.Series = sample.BloodGlucoseMol
			}
		}
		out = append(out, s)
	}
	return out
}

// value puts a number with its decimals into the sample; false where it is too large for one.
func value(s *sample.Sample, n json.Number) bool {
	v, err := n.Float64()
	if err != nil {
		return false
	}
	s.Value = v
	if _, after, ok := strings.Cut(n.String(), "."); ok && !strings.ContainsAny(after, "eE") {
		s.Decimals = len(after)
	}
	return true
}

// parts are when the parts of a day begin and end, in hours.
var parts = map[string][2]int{"night": {0, 6}, "morning": {6, 12}, "afternoon": {12, 18}, "evening": {18, 24}}

// when puts a time frame into the sample.
func when(s *sample.Sample, frame map[string]any, o sample.Options) {
	at := func(m map[string]any, name string) time.Time {
		text, _ := m[name].(string)
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return time.Time{}
		}
		return t
	}
	s.At = at(frame, "date_time")
	interval, ok := frame["time_interval"].(map[string]any)
	if !ok {
		return
	}
	s.At, s.Until = at(interval, "start_date_time"), at(interval, "end_date_time")
	if d, ok := interval["duration"].(map[string]any); ok {
		n, _ := d["value"].(json.Number)
		unit, _ := d["unit"].(string)
		v, err := n.Float64()
		seconds, fits := sample.Convert(v, sample.Unit(unit), "s")
		if unit == "wk" {
			seconds, fits = v*7*86400, true
		}
		if err != nil || !fits || seconds < 0 || seconds > 100*365*86400 {
			return
		}
		long := time.Duration(seconds * float64(time.Second))
		if s.At.IsZero() && !s.Until.IsZero() {
			s.At = s.Until.Add(-long)
		} else if s.Until.IsZero() && !s.At.IsZero() {
			s.Until = s.At.Add(long)
		}
	}
	date, _ := interval["date"].(string)
	part, _ := interval["part_of_day"].(string)
	day, err := time.Parse(time.DateOnly, date)
	if hours, known := parts[part]; err == nil && known {
		s.At = sample.Wall(day.Add(time.Duration(hours[0])*time.Hour), o.Location())
		s.Until = sample.Wall(day.Add(time.Duration(hours[1])*time.Hour), o.Location())
		s.Zoneless = true
		s.Notes = append(s.Notes, part)
	}
}
