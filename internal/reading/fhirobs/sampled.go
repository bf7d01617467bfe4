package fhirobs

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"doorstep/internal/reading/sample"
)

// sampled is a SampledData: of R4 with a period in ms, of R5 with an interval and its unit, or offsets instead.
type sampled struct {
	Origin       quantity
	Period       json.Number // ms
	Interval     json.Number // R5
	IntervalUnit string
	Factor       json.Number
	LowerLimit   json.Number
	UpperLimit   json.Number
	Dimensions   int
	Offsets      string
	Data         string
}

// largestPeriod bounds the time between two values, so that times stay times.
const largestPeriod = 366 * 24 * time.Hour

// samples answers the values, origin + factor × token: one list per dimension. E (error), U and L (beyond a limit) are NaN and
// counted in the notes. Values with offsets of their own are samples of their own.
func (d *sampled) samples(s sample.Sample) ([]sample.Sample, error) {
	if s.Series == "" {
		return nil, fmt.Errorf("code: there is none")
	}
	origin, err := optional(d.Origin.Value, "origin", 0)
	if err != nil {
		return nil, err
	}
	factor, err := optional(d.Factor, "factor", 1)
	if err != nil {
		return nil, err
	}
	step, err := d.step()
	if err != nil {
		return nil, err
	}
	tokens := strings.Fields(d.Data)
	n := max(1, d.Dimensions)
	if len(tokens)%n != 0 {
		return nil, fmt.Errorf("data: %d values are not whole sets of %d dimensions", len(tokens), n)
	}
	if len(tokens) == 0 {
		return nil, nil
	}
	places := max(decimals(d.Origin.Value.String()), decimals(d.Factor.String()))
	lists := make([][]float64, n)
	missing := map[string]int{}
	for i, token := range tokens {
		v := math.NaN()
		switch token {
		case "E", "U", "L":
			missing[token]++
		default:
			x, err := strconv.ParseFloat(token, 64)
			if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, fmt.Errorf("data: value %d, %q, is no number, E, U or L", i+1, sample.Clip(token))
			}
			v = rounded(origin+factor*x, max(decimals(d.Origin.Value.String()), decimals(d.Factor.String())+decimals(token)))
		}
		lists[i%n] = append(lists[i%n], v)
	}
	s.Unit = d.Origin.ucum()
	for _, m := range []struct{ token, words string }{{"E", "errors"}, {"U", "above the upper limit"}, {"L", "below the lower limit"}} {
		if missing[m.token] > 0 {
			s.Notes = append(s.Notes[:len(s.Notes):len(s.Notes)], fmt.Sprintf("%d %s", missing[m.token], m.words))
		}
	}
	if d.Offsets != "" {
		return d.apart(s, lists, step, places)
	}
	if step == 0 {
		return nil, fmt.Errorf("period: it is missing or not above 0")
	}
	var out []sample.Sample
	for i, list := range lists {
		one := s
		one.Values, one.Period = list, step
		if n > 1 {
			one.Notes = append(one.Notes[:len(one.Notes):len(one.Notes)], fmt.Sprintf("dimension %d of %d", i+1, n))
		}
		out = append(out, one)
	}
	return out, nil
}

// apart answers values whose offsets are told one by one, in steps.
func (d *sampled) apart(s sample.Sample, lists [][]float64, step time.Duration, places int) ([]sample.Sample, error) {
	offsets := strings.Fields(d.Offsets)
	if len(offsets) != len(lists[0]) {
		return nil, fmt.Errorf("offsets: there are %d for %d values", len(offsets), len(lists[0]))
	}
	var out []sample.Sample
	for i, text := range offsets {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.Abs(x)*float64(max(step, 1)) > float64(largestPeriod)*100 || math.IsNaN(x) {
			return nil, fmt.Errorf("offsets: %q is not a number that can be", sample.Clip(text))
		}
		for _, list := range lists {
			if math.IsNaN(list[i]) {
				continue
			}
			one := s
			one.Value, one.Decimals = list[i], places
			if !one.At.IsZero() {
				one.At = one.At.Add(time.Duration(x * float64(step)))
			}
			out = append(out, one)
		}
	}
	return out, nil
}

// step answers the time between two values, or of one step of the offsets; 0 where none is told.
func (d *sampled) step() (time.Duration, error) {
	number, unit := d.Period, "ms"
	if number == "" {
		if number, unit = d.Interval, d.IntervalUnit; d.Offsets != "" && number == "" {
			number = "1"
		}
	}
	if number == "" {
		return 0, nil
	}
	v, err := number.Float64()
	if err != nil || v < 0 {
		return 0, fmt.Errorf("period: %s is not a time", sample.Clip(number.String()))
	}
	units := map[string]time.Duration{"ms": time.Millisecond, "us": time.Microsecond, "ns": time.Nanosecond, "s": time.Second, "min": time.Minute, "h": time.Hour}
	long, known := units[unit]
	if !known || v*float64(long) > float64(largestPeriod) {
		return 0, fmt.Errorf("period: %s %s is not a time that can be", sample.Clip(number.String()), sample.Clip(unit))
	}
	return time.Duration(v * float64(long)), nil
}

func optional(n json.Number, name string, otherwise float64) (float64, error) {
	if n == "" {
		return otherwise, nil
	}
	v, err := n.Float64()
	if err != nil {
		return 0, fmt.Errorf("%s: %s is not a number that can be", name, sample.Clip(n.String()))
	}
	return v, nil
}

// rounded takes off the noise of binary floats behind the places that were written.
func rounded(v float64, places int) float64 {
	if places > 12 || math.Abs(v) > 1e12 {
		return v
	}
	p := math.Pow10(places)
	return math.Round(v*p) / p
}
