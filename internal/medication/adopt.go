package medication

import (
	"encoding/json"
	"strings"

	"doorstep/internal/clock"
	"doorstep/internal/fault"
	"doorstep/internal/fhir"
	"doorstep/internal/person"
	"doorstep/internal/record"
	"doorstep/internal/store"
)

// Unfollowed is a prescription that cannot be turned into doses, and why: a person has to look at it.
type Unfollowed struct {
	Record string
	Name   string
	Reason string
}

// Adopt takes a patient's active prescriptions from the record: each becomes a regimen of the same name, once. Those that
// the record no longer asks for are stopped; those whose dosage cannot be understood are answered, not guessed.
func (s *Service) Adopt(tx *store.Tx, org person.OrgID, patient person.ID, requests []record.Resource) ([]Unfollowed, error) {
	var left []Unfollowed
	active := map[string]bool{}
	for _, res := range requests {
		var m fhir.MedicationRequest
		if err := json.Unmarshal(res.Body, &m); err != nil {
			left = append(left, Unfollowed{res.ID, "", "the prescription cannot be read"})
			continue
		}
		if m.Status != "active" {
			continue
		}
		active[res.ID] = true
		name := medicine(m)
		authored, err := clock.ParseDay(firstTen(string(m.AuthoredOn)))
		if err != nil {
			left = append(left, Unfollowed{res.ID, name, "it has no date"})
			continue
		}
		r := Regimen{Org: org, Patient: patient, ID: clock.DerivedID("regimen", string(org), string(patient), res.ID), Record: res.ID, Name: name, Dosage: m.DosageInstruction,
			Authored: authored}
		for _, d := range m.DosageInstruction {
			if d.PatientInstruction != "" {
				r.Text = d.PatientInstruction
			} else if r.Text == "" {
				r.Text = d.Text
			}
		}
		if _, err := s.Save(tx, r); err != nil {
			if !fault.Is(err, fault.Invalid) {
				return left, err
			}
			left = append(left, Unfollowed{res.ID, name, fault.Sentence(err)})
		}
	}
	regimens, err := s.Regimens(tx, org, patient)
	if err != nil {
		return left, err
	}
	for _, r := range regimens { // what the record no longer asks for is no longer followed
		if r.Active && r.Record != "" && !active[r.Record] {
			if err := s.Stop(tx, org, patient, r.ID); err != nil {
				return left, err
			}
		}
	}
	return left, nil
}

func firstTen(s string) string { return s[:min(len(s), 10)] }

// medicine answers the name a prescription gives its medicine.
func medicine(m fhir.MedicationRequest) string {
	if c := m.MedicationCodeableConcept; c != nil {
		if c.Text != "" {
			return c.Text
		}
		for _, k := range c.Coding {
			if k.Display != "" {
				return k.Display
			}
		}
	}
	if r := m.MedicationReference; r != nil && strings.TrimSpace(r.Display) != "" {
		return r.Display
	}
	return "Medicine"
}
