package breath

import (
	"encoding/json"
	"time"

	"doorstep/internal/clock"
	"doorstep/internal/person"
	"doorstep/internal/reading/sample"
	"doorstep/internal/store"
)

// Our own codes, for what LOINC has none.
const (
	codes   = "urn:doorstep:code"
	sitting = "paced-breathing"
)

type coding struct {
	System  string `json:"system"`
	Code    string `json:"code"`
	Display string `json:"display,omitempty"`
}

type concept struct {
	Coding []coding `json:"coding,omitempty"`
	Text   string   `json:"text,omitempty"`
}

type quantity struct {
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	System string  `json:"system"`
	Code   string  `json:"code"`
}

type reference struct {
	Reference string `json:"reference"`
}

type component struct {
	Code  concept  `json:"code"`
	Value quantity `json:"valueQuantity"`
}

// observation is what a session says of one thing: FHIR R4 Observation.
type observation struct {
	Type      string      `json:"resourceType"`
	ID        string      `json:"id"`
	Status    string      `json:"status"`
	Category  []concept   `json:"category"`
	Code      concept     `json:"code"`
	Subject   reference   `json:"subject"`
	Effective period      `json:"effectivePeriod"`
	Issued    string      `json:"issued"`
	Value     *quantity   `json:"valueQuantity,omitempty"`
	Members   []reference `json:"hasMember,omitempty"`
	Component []component `json:"component,omitempty"`
}

type period struct {
	Start string `json:"start"`
	End   string `json:"end"`
}

func loinc(code, display string) concept {
	return concept{Coding: []coding{{"http://loinc.org", code, display}}}
}

func ours(code, display string) concept {
	return concept{Coding: []coding{{codes, code, display}}, Text: display}
}

func amount(v float64, unit, ucum string) *quantity {
	return &quantity{v, unit, "http://unitsofmeasure.org", ucum}
}

// publish puts a session that has a coherence into the record of a person who has one: the mean heart rate, SDNN and RMSSD of its
// beats, and the sitting itself, which names them as its members.
func (s *Service) publish(tx *store.Tx, org person.OrgID, patient person.ID, x *Session) error {
	if !x.Ready() {
		return nil
	}
	who, err := s.people.Get(tx, org, patient)
	if err != nil || who.Record == "" {
		return err
	}
	vital := concept{Coding: []coding{{"http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs", "Vital Signs"}}}
	activity := concept{Coding: []coding{{"http://terminology.hl7.org/CodeSystem/observation-category", "activity", "Activity"}}}
	base := observation{Type: "Observation", Status: "final", Category: []concept{activity}, Subject: reference{"Patient/" + who.Record}, Issued: x.Ended.Format(time.RFC3339),
		Effective: period{x.Began.Format(time.RFC3339), x.Began.Add(time.Duration(x.Seconds * float64(time.Second))).Format(time.RFC3339)}}
	whole := base
	for _, m := range []struct {
		name     string
		category concept
		code     concept
		value    *quantity
	}{
		{sample.HeartRate, vital, loinc(sample.HeartRate, "Heart rate"), amount(x.HeartRate, "beats/minute", "/min")},
		{sample.SDNN, activity, loinc(sample.SDNN, "R-R interval.standard deviation (Heart rate variability)"), amount(x.SDNN, "ms", "ms")},
		{sample.RMSSD, activity, ours(sample.RMSSD, "Root mean square of successive differences of R-R intervals"), amount(x.RMSSD, "ms", "ms")},
	} {
		o := base
		o.ID, o.Category, o.Code, o.Value = observationID(org, patient, x.ID, m.name), []concept{m.category}, m.code, m.value
		if err := s.put(tx, org, &o); err != nil {
			return err
		}
		whole.Members = append(whole.Members, reference{"Observation/" + o.ID})
	}
	whole.ID, whole.Code = observationID(org, patient, x.ID, sitting), ours(sitting, "Paced breathing session")
	for _, c := range []struct {
		code, display, unit string
		value               float64
	}{
		{"breathing-pace", "Pace of breathing", "/min", x.Pace},
		{"doorstep-coherence", "Doorstep coherence, mean, 0 to 1", "1", x.Mean},
		{"doorstep-coherence-share", "Share of the session at 0.5 or more", "1", x.Share},
		{"rr-artefacts", "Share of R-R intervals put right", "1", x.Artefacts},
	} {
		whole.Component = append(whole.Component, component{ours(c.code, c.display), *amount(c.value, c.unit, c.unit)})
	}
	return s.put(tx, org, &whole)
}

// observationID is one name for what is published twice.
func observationID(org person.OrgID, patient person.ID, session, code string) string {
	return clock.DerivedID("breath", string(org), string(patient), session, code)
}

func (s *Service) put(tx *store.Tx, org person.OrgID, o *observation) error {
	b, err := json.Marshal(o)
	if err != nil {
		return err
	}
	_, err = s.record.Put(tx, string(org), b)
	return err
}
