package sentence

import (
	"slices"
	"strconv"
	"strings"

	"doorstep/internal/fhir"
	"doorstep/internal/medication/timing"
)

// routes are SNOMED CT's codes for ways that have plain words, by the name in sig.route.*.
var routes = map[string]string{"oral": "26643006", "tongue": "37839007", "inhale": "447694001", "skin": "6064005", "eye": "54485002", "ear": "10547007", "nose": "46713006",
	"shot": "34206005", "rectal": "37161004"}

// routeNames are the texts by which orders name the ways besides.
var routeNames = map[string]string{"oral": "oral", "po": "oral", "by mouth": "oral", "oral route": "oral", "sublingual": "tongue", "inhalation": "inhale", "topical": "skin",
	"cutaneous": "skin", "transdermal": "skin", "ophthalmic": "eye", "otic": "ear", "nasal": "nose", "subcutaneous": "shot", "rectal": "rectal"}

func routeOf(c *fhir.CodeableConcept) (string, bool) {
	if c == nil {
		return "none", true
	}
	for _, k := range c.Coding {
		for name, code := range routes {
			if k.Code == code {
				return name, true
			}
		}
	}
	if name, ok := routeNames[strings.ToLower(c.Words())]; ok {
		return name, true
	}
	return "", false
}

func routeConcept(name string) *fhir.CodeableConcept {
	if name == "none" {
		return nil
	}
	return &fhir.CodeableConcept{Coding: []fhir.Coding{{System: "http://snomed.info/sct", Code: routes[name]}}}
}

// unitNames are the names of units.* in the catalogs, by what orders write.
var unitNames = map[string]string{"tablet": "tablet", "tablets": "tablet", "tab": "tablet", "{tbl}": "tablet", "capsule": "capsule", "capsules": "capsule", "cap": "capsule",
	"drop": "drop", "drops": "drop", "[drp]": "drop", "puff": "puff", "puffs": "puff", "patch": "patch", "patches": "patch", "spray": "spray", "sprays": "spray",
	"ml": "mL", "mg": "mg", "g": "g", "mcg": "mcg", "ug": "mcg", "unit": "unit", "units": "unit", "iu": "unit", "[iu]": "unit", "spoon": "spoon"}

func unitOf(q *fhir.Quantity) (string, bool) {
	for _, text := range []string{q.Unit, q.Code} {
		if u, ok := unitNames[strings.ToLower(text)]; ok {
			return u, true
		}
	}
	return "", false
}

func quantity(q *fhir.Quantity) (*fhir.Quantity, bool) {
	if q == nil {
		return nil, true
	}
	unit, ok := unitOf(q)
	v, fine := decimal(q.Value)
	return &fhir.Quantity{Value: v, Unit: unit}, ok && fine
}

// decimal writes a number one way: "1.0" is 1.
func decimal(d fhir.Decimal) (fhir.Decimal, bool) {
	if d == "" {
		return "", true
	}
	v, err := strconv.ParseFloat(string(d), 64)
	return fhir.Decimal(strconv.FormatFloat(v, 'f', -1, 64)), err == nil && v > 0
}

// canon brings a dosage to the one form in which its meaning is written here; false where a part of it has no words.
func canon(d fhir.Dosage) (fhir.Dosage, bool) {
	if len(d.ModifierExtension) > 0 || d.MaxDosePerAdministration != nil || d.MaxDosePerLifetime != nil || len(d.DoseAndRate) > 1 {
		return d, false
	}
	out := fhir.Dosage{Sequence: d.Sequence, Timing: &fhir.Timing{Repeat: &fhir.Repeat{}}}
	route, ok := routeOf(d.Route)
	if !ok {
		return d, false
	}
	out.Route = routeConcept(route)
	if len(d.DoseAndRate) == 1 {
		x := d.DoseAndRate[0]
		if x.RateRatio != nil || x.RateRange != nil || x.RateQuantity != nil {
			return d, false
		}
		y := fhir.DoseAndRate{}
		if y.DoseQuantity, ok = quantity(x.DoseQuantity); !ok {
			return d, false
		}
		if r := x.DoseRange; r != nil {
			low, okLow := quantity(r.Low)
			high, okHigh := quantity(r.High)
			if !okLow || !okHigh || low == nil || high == nil || low.Unit != high.Unit {
				return d, false
			}
			y.DoseRange = &fhir.Range{Low: low, High: high}
		}
		if y.DoseQuantity != nil || y.DoseRange != nil {
			out.DoseAndRate = []fhir.DoseAndRate{y}
		}
	}
	if d.AsNeeded() {
		if c := d.AsNeededCodeableConcept; c != nil && strings.TrimSpace(c.Words()) != "" {
			out.AsNeededCodeableConcept = &fhir.CodeableConcept{Text: strings.Join(strings.Fields(c.Words()), " ")}
		} else {
			yes := true
			out.AsNeededBoolean = &yes
		}
	}
	if m := d.MaxDosePerPeriod; m != nil {
		n, okN := quantity(m.Numerator)
		if !okN || n == nil || m.Denominator == nil {
			return d, false
		}
		per, okPer := decimal(m.Denominator.Value)
		unit := m.Denominator.Code
		if unit == "" {
			unit = m.Denominator.Unit
		}
		if !okPer || unit != "h" && unit != "d" {
			return d, false
		}
		out.MaxDosePerPeriod = &fhir.Ratio{Numerator: n, Denominator: &fhir.Quantity{Value: per, Code: unit}}
	}
	if d.Timing != nil && !canonTiming(out.Timing, d.Timing) {
		return d, false
	}
	return out, true
}

func canonTiming(out, t *fhir.Timing) bool {
	if len(t.Event) > 0 || len(t.ModifierExtension) > 0 {
		return false
	}
	r := fhir.Repeat{}
	if t.Repeat != nil {
		r = *t.Repeat
	}
	if r.Frequency == 0 && r.Period == "" && len(r.TimeOfDay) == 0 && len(r.When) == 0 && t.Code != nil {
		rule, ok := timing.CodeRule(t.Code)
		if !ok {
			return false
		}
		r.Frequency, r.Period, r.PeriodUnit, r.When = rule.Frequency, rule.Period, rule.PeriodUnit, rule.When
	}
	ok := true
	for _, d := range []*fhir.Decimal{&r.Period, &r.PeriodMax, &r.Duration, &r.DurationMax} {
		var fine bool
		*d, fine = decimal(*d)
		ok = ok && fine
	}
	if !ok || r.DurationMax != "" || !canonBounds(&r) {
		return false
	}
	if r.Period == "" && r.Frequency > 0 {
		return false
	}
	r.TimeOfDay = slices.Clone(r.TimeOfDay)
	for i, text := range r.TimeOfDay {
		if len(text) == 5 {
			r.TimeOfDay[i] = text + ":00"
		}
	}
	r.DayOfWeek = slices.Clone(r.DayOfWeek)
	slices.SortFunc(r.DayOfWeek, func(a, b string) int { return slices.Index(weekdays, a) - slices.Index(weekdays, b) })
	times := len(r.TimeOfDay) + len(r.When)
	for _, code := range r.When {
		if code == "C" || code == "AC" || code == "PC" {
			times += 2
		}
	}
	var cycle []int
	for _, e := range t.Extension {
		if e.URL == fhir.DaysOfCycle {
			for _, x := range e.Extension {
				cycle = append(cycle, x.ValueInteger)
			}
		}
	}
	slices.Sort(cycle)
	if cycle = slices.Compact(cycle); len(cycle) > 0 {
		if r.PeriodUnit == "wk" {
			r.Period = fhir.Decimal(strconv.Itoa(int(r.Period.Float() * 7)))
			r.PeriodUnit = "d"
		}
		each := max(1, r.Frequency)
		if each > 1 {
			each /= len(cycle)
		}
		r.Frequency = 0
		if times == 0 && each > 1 {
			r.Frequency = each * len(cycle)
		} else if times > 0 && each > 1 && each != times {
			return false
		}
		out.Extension = cycleExtension(cycle)
		out.Repeat = &r
		return r.FrequencyMax == 0 && len(r.DayOfWeek) == 0
	}
	if days := len(r.DayOfWeek); days > 0 && r.FrequencyMax == 0 && r.PeriodMax == "" {
		switch { // "on Monday and Thursday" says the week
		case r.PeriodUnit == "wk" && r.Period == "1" && (r.Frequency <= 1 || r.Frequency == days):
			r.Frequency, r.Period, r.PeriodUnit = 0, "", ""
		case r.PeriodUnit == "wk" && r.Period == "1" && r.Frequency%days == 0:
			r.Frequency, r.Period, r.PeriodUnit = r.Frequency/days, "1", "d"
		}
		if r.PeriodUnit == "d" && r.Period == "1" && r.Frequency <= 1 {
			r.Frequency, r.Period, r.PeriodUnit = 0, "", ""
		}
	}
	if times > 0 && r.Period == "1" && r.PeriodUnit == "d" && r.FrequencyMax == 0 && r.PeriodMax == "" && (r.Frequency == 0 || r.Frequency == times) {
		r.Frequency, r.Period, r.PeriodUnit = 0, "", "" // the times say the day
	}
	if r.Frequency == 0 && r.Period != "" {
		r.Frequency = 1
	}
	out.Repeat = &r
	return true
}

func canonBounds(r *fhir.Repeat) bool {
	length := func(q *fhir.Quantity) (*fhir.Quantity, bool) {
		if q == nil {
			return nil, true
		}
		v, ok := decimal(q.Value)
		unit := q.Code
		if unit == "" {
			unit = q.Unit
		}
		unit = strings.TrimSuffix(unit, "s")
		for name, code := range map[string]string{"day": "d", "week": "wk", "month": "mo"} {
			if unit == name {
				unit = code
			}
		}
		return &fhir.Quantity{Value: v, Code: unit}, ok && (unit == "d" || unit == "wk" || unit == "mo")
	}
	var ok bool
	if r.BoundsDuration, ok = length(r.BoundsDuration); !ok {
		return false
	}
	if b := r.BoundsRange; b != nil {
		low, okLow := length(b.Low)
		high, okHigh := length(b.High)
		if !okLow || !okHigh || low == nil || high == nil || low.Code != high.Code {
			return false
		}
		r.BoundsRange = &fhir.Range{Low: low, High: high}
	}
	if b := r.BoundsPeriod; b != nil {
		if len(b.Start) != 0 && len(b.Start) != 10 || len(b.End) != 0 && len(b.End) != 10 {
			return false // an instant has no plain words that mean the same everywhere
		}
		r.BoundsPeriod = &fhir.Period{Start: b.Start, End: b.End}
	}
	return true
}

func cycleExtension(days []int) []fhir.Extension {
	e := fhir.Extension{URL: fhir.DaysOfCycle}
	for _, d := range days {
		e.Extension = append(e.Extension, fhir.Extension{URL: "day", ValueInteger: d})
	}
	return []fhir.Extension{e}
}

var weekdays = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
