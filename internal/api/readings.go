package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"doorstep/internal/person"
	"doorstep/internal/reading"
	"doorstep/internal/reading/plausible"
)

// sample is one reading, with every time that is known of it.
type sample struct {
	Series   string    `json:"series" doc:"LOINC"`
	Value    float64   `json:"value"`
	Unit     string    `json:"unit" doc:"UCUM"`
	At       time.Time `json:"at" doc:"When it was measured, by the best knowledge."`
	DeviceAt time.Time `json:"device_at" doc:"When it was measured, as the device said."`
	Received time.Time `json:"received" doc:"When it reached us."`
	Device   string    `json:"device"`
	Seq      *int64    `json:"seq,omitempty" doc:"Of the device's stream, when it told one."`
	Flags    []string  `json:"flags" doc:"What is odd about it. Nothing odd is left out of this list."`

	Until      time.Time `json:"until,omitzero" doc:"End of the interval that began at, where a file told one."`
	Comparator string    `json:"comparator,omitempty" enum:"<,>" doc:"The device's range ended at the value."`
	Notes      []string  `json:"notes,omitempty" doc:"What the device or the person said of it, as a file told it."`
}

func (s *server) readingRoutes() {
	get(s, "list-readings", "/patients/{id}/readings", "What a patient's devices measured in [from, to), in order of measurement; the last thirty days when left out.", s.readings)
}

type readingsInput struct {
	ID     person.ID `path:"id"`
	Series string    `query:"series" maxLength:"64" doc:"LOINC; every series that is known when left out."`
	Span
	Part
}

func (s *server) readings(ctx context.Context, c *caller, in *readingsInput) (list[sample], error) {
	var out list[sample]
	p, err := s.enter(ctx, c, person.See, in.ID, "readings")
	if err != nil {
		return out, err
	}
	now := s.Clock.Now()
	from, to, err := in.Span.read(p.Location(), now.Add(-around), now.Add(24*time.Hour))
	if err != nil {
		return out, err
	}
	if from, err = in.resume(from); err != nil {
		return out, err
	}
	series, err := s.seriesOf(ctx, p, in.Series)
	if err != nil {
		return out, err
	}
	var all []reading.Sample
	details := map[string]func(reading.Sample) *reading.Detail{}
	for _, one := range series {
		got, err := s.Reading.Samples(ctx, string(c.Org), string(p.ID), one, from, to)
		if err != nil {
			return out, err
		}
		all = append(all, got...)
		if details[one], err = s.Reading.Details(ctx, string(c.Org), string(p.ID), one, from, to); err != nil {
			return out, err
		}
	}
	if len(series) > 1 {
		slices.SortStableFunc(all, func(a, b reading.Sample) int { return strings.Compare(sampleKey(a), sampleKey(b)) })
	}
	return cut(all, in.Part, sampleKey, func(x reading.Sample) (sample, error) {
		return sampleOf(x, details[x.Series](x), p.Location()), nil
	})
}

// seriesOf answers the series asked for, or every series of which the person has, or may have, a sample: a series whose every
// sample is marked impossible has no latest one, but is known by its code.
func (s *server) seriesOf(ctx context.Context, p person.Person, asked string) ([]string, error) {
	if asked != "" {
		return []string{asked}, nil
	}
	latest, err := s.Reading.Latest(ctx, string(p.Org), string(p.ID))
	var all []string
	for _, x := range latest {
		all = append(all, x.Series)
	}
	for _, x := range plausible.Signals {
		all = append(all, x.Series)
	}
	slices.Sort(all)
	return slices.Compact(all), err
}

// sampleKey orders samples as the room does: by measurement, then by how they came.
func sampleKey(x reading.Sample) string {
	return fmt.Sprintf("%s/%s/%s/%020d/%s", timeKey(x.At), timeKey(x.Received), x.Device, x.Seq+1, x.Series)
}

func sampleOf(x reading.Sample, d *reading.Detail, zone *time.Location) sample {
	out := sample{Series: x.Series, Value: x.Value, Unit: x.Unit, At: local(x.At, zone), DeviceAt: local(x.DeviceAt, zone), Received: local(x.Received, zone), Device: x.Device,
		Flags: append([]string{}, x.Flags.Names()...)}
	if x.Seq >= 0 {
		out.Seq = &x.Seq
	}
	if d != nil {
		if !d.Until.IsZero() {
			out.Until = local(d.Until, zone)
		}
		out.Comparator, out.Notes = map[int]string{-1: "<", 1: ">"}[d.Beyond], d.Notes
	}
	return out
}
