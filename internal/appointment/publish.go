package appointment

import (
	"encoding/json"
	"time"

	"doorstep/internal/store"
)

// FHIR R4 Appointment, as far as we fill it.
type fhirAppointment struct {
	Type         string        `json:"resourceType"`
	ID           string        `json:"id"`
	Status       string        `json:"status"`
	ServiceType  []concept     `json:"serviceType"`
	Class        []coding      `json:"serviceCategory,omitempty"`
	Start        string        `json:"start"`
	End          string        `json:"end"`
	Minutes      int           `json:"minutesDuration"`
	Created      string        `json:"created"`
	Cancel       *concept      `json:"cancelationReason,omitempty"`
	Participants []participant `json:"participant"`
}

type concept struct {
	Coding []coding `json:"coding,omitempty"`
	Text   string   `json:"text,omitempty"`
}

type coding struct {
	System  string `json:"system"`
	Code    string `json:"code"`
	Display string `json:"display,omitempty"`
}

type participant struct {
	Actor  actor  `json:"actor"`
	Status string `json:"status"`
}

type actor struct {
	Reference string `json:"reference,omitempty"`
	Display   string `json:"display,omitempty"`
}

// ways is our code system for how a person is seen.
const ways = "https://doorstep.health/fhir/CodeSystem/way"

// statuses of FHIR's value set that are not our own names.
var statuses = map[State]string{Held: "pending"}

// publish writes an appointment into the record of a person who has one, as FHIR R4 Appointment.
func (s *Service) publish(tx *store.Tx, a Appointment, t Type) error {
	who, err := s.meet(tx, a)
	if err != nil {
		return err
	}
	if who.Record == "" {
		return nil
	}
	status := statuses[a.State]
	if status == "" {
		status = string(a.State)
	}
	coming := "needs-action"
	if !a.Confirmed.IsZero() || a.State == Arrived || a.State == Fulfilled {
		coming = "accepted"
	}
	f := fhirAppointment{Type: "Appointment", ID: string(a.ID), Status: status, ServiceType: []concept{{Text: t.Called("en")}},
		Class: []coding{{ways, string(a.Way), ""}}, Start: a.Start.In(a.Location()).Format(time.RFC3339), End: a.End.In(a.Location()).Format(time.RFC3339),
		Minutes: a.Minutes(), Created: a.Made.Format(time.RFC3339), Participants: []participant{{actor{Reference: "Patient/" + who.Record}, coming}}}
	if a.State == Cancelled {
		f.Cancel = &concept{Text: a.Reason}
	}
	for _, n := range who.names {
		f.Participants = append(f.Participants, participant{actor{Display: n}, "accepted"})
	}
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	_, err = s.record.Put(tx, string(a.Org), b)
	return err
}
