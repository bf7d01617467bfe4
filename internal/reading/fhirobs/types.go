package fhirobs

import (
	"encoding/json"

	"doorstep/internal/reading/sample"
)

// observation is what is wanted of an Observation.
type observation struct {
	ID                string
	Status            string
	Code              concept
	EffectiveDateTime string
	EffectiveInstant  string
	EffectivePeriod   struct{ Start, End string }
	Interpretation    []concept
	BodySite, Method  concept
	Device            struct{ Reference, Display string }
	Component         []component
	value
}

type component struct {
	Code concept
	value
}

type value struct {
	ValueQuantity        *quantity
	ValueSampledData     *sampled
	ValueInteger         json.Number
	ValueBoolean         *bool
	ValueString          string
	ValueCodeableConcept concept
}

type quantity struct {
	Value      json.Number
	Comparator string
	Unit       string
	System     string
	Code       string
}

const (
	ucum  = "http://unitsofmeasure.org"
	loinc = "http://loinc.org"
	mdc   = "urn:iso:std:iso:11073:10101"
)

// ucum answers the unit's code.
func (q *quantity) ucum() string {
	if q.System == ucum && q.Code != "" {
		if u := sample.Unit(q.Code); u == "/min" { // {beats}/min and the like are the same
			return u
		}
		return q.Code
	}
	return sample.Unit(q.Unit)
}

type concept struct {
	Coding []struct{ System, Code, Display string }
	Text   string
}

// words answers what a person would read.
func (c concept) words() string {
	if c.Text != "" {
		return c.Text
	}
	for _, k := range c.Coding {
		if k.Display != "" {
			return k.Display
		}
	}
	for _, k := range c.Coding {
		return k.Code
	}
	return ""
}

// measured are the LOINC codes that are preferred where a concept has several.
var measured = map[string]bool{
	sample.HeartRate: true, sample.RRInterval: true, sample.SDNN: true, sample.OxygenSaturation: true, sample.Respiration: true, sample.Temperature: true, sample.Weight: true,
	sample.Height: true, sample.BMI: true, sample.Systolic: true, sample.Diastolic: true, sample.MeanPressure: true, sample.BloodGlucose: true, sample.BloodGlucoseMol: true,
	sample.TissueGlucose: true, sample.Steps: true,
}

// devices are the nomenclature codes of ISO 11073-10101 that have a LOINC code here.
var devices = map[string]string{
	"150456": sample.OxygenSaturation, "149530": sample.HeartRate, "149546": sample.HeartRate, "147842": sample.HeartRate, "150021": sample.Systolic, "150022": sample.Diastolic,
	"150023": sample.MeanPressure, "188736": sample.Weight, "188740": sample.Height, "188752": sample.BMI, "150364": sample.Temperature, "151562": sample.Respiration,
	// glucose in whole blood and plasma (capillary, venous, arterial, undetermined), in tissue; not in control solution (160208)
	"160184": sample.BloodGlucose, "160188": sample.BloodGlucose, "160192": sample.BloodGlucose, "160196": sample.BloodGlucose, "160200": sample.BloodGlucose, "160204": sample.BloodGlucose,
	"160364": sample.BloodGlucose, "160368": sample.BloodGlucose, "160212": sample.TissueGlucose, "160220": sample.HbA1c,
}

// series answers the code: LOINC, else what the nomenclature of devices is in LOINC, else "mdc:" and its code, else the first
// code there is, or the text.
func (c concept) series() string {
	first := ""
	for _, k := range c.Coding {
		if k.System == loinc && measured[k.Code] {
			return k.Code
		}
		if k.System == loinc && first == "" {
			first = k.Code
		}
	}
	if first != "" {
		return first
	}
	for _, k := range c.Coding {
		if k.System == mdc && k.Code != "" {
			if code, ok := devices[k.Code]; ok {
				return code
			}
			return "mdc:" + k.Code
		}
	}
	for _, k := range c.Coding {
		if k.Code != "" {
			return k.Code
		}
	}
	return c.Text
}
