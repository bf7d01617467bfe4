package timing

import "doorstep/internal/fhir"

// codes is R4's Timing abbreviations (hl7.org/fhir/R4/valueset-timing-abbreviation.html) and BID's kin as the rules they
// stand for. BID is twice at the institution's times, not every twelve hours. PM is the evening round.
var codes = map[string]fhir.Repeat{
	"QD":  {Frequency: 1, Period: "1", PeriodUnit: "d"},
	"BID": {Frequency: 2, Period: "1", PeriodUnit: "d"},
	"TID": {Frequency: 3, Period: "1", PeriodUnit: "d"},
	"QID": {Frequency: 4, Period: "1", PeriodUnit: "d"},
	"AM":  {Frequency: 1, Period: "1", PeriodUnit: "d", When: []string{"MORN"}},
	"PM":  {Frequency: 1, Period: "1", PeriodUnit: "d", When: []string{"EVE"}},
	"BED": {Frequency: 1, Period: "1", PeriodUnit: "d", When: []string{"HS"}},
	"QOD": {Frequency: 1, Period: "2", PeriodUnit: "d"},
	"Q1H": {Frequency: 1, Period: "1", PeriodUnit: "h"},
	"Q2H": {Frequency: 1, Period: "2", PeriodUnit: "h"},
	"Q3H": {Frequency: 1, Period: "3", PeriodUnit: "h"},
	"Q4H": {Frequency: 1, Period: "4", PeriodUnit: "h"},
	"Q6H": {Frequency: 1, Period: "6", PeriodUnit: "h"},
	"Q8H": {Frequency: 1, Period: "8", PeriodUnit: "h"},
	"WK":  {Frequency: 1, Period: "1", PeriodUnit: "wk"},
	"MO":  {Frequency: 1, Period: "1", PeriodUnit: "mo"},
}

func (p parser) code(t *fhir.Timing) (fhir.Repeat, error) {
	if t.Code != nil {
		if rule, ok := CodeRule(t.Code); ok {
			return rule, nil
		}
		return fhir.Repeat{}, p.errorf("timing.code", "it is not an abbreviation that R4 names, and there is no repeat")
	}
	if t.Repeat != nil && len(t.Repeat.DayOfWeek) > 0 {
		return fhir.Repeat{Frequency: 1, Period: "1", PeriodUnit: "d"}, nil
	}
	return fhir.Repeat{}, p.errorf("timing", "it has no event, no rule in repeat and no code")
}

// CodeRule answers the rule that an abbreviation of Timing.code stands for.
func CodeRule(c *fhir.CodeableConcept) (fhir.Repeat, bool) {
	for _, k := range c.Coding {
		if rule, ok := codes[k.Code]; ok {
			return rule, true
		}
	}
	rule, ok := codes[c.Text]
	return rule, ok
}
