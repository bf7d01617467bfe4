package message

import (
	"strings"

	"doorstep/internal/fault"
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Write keeps words written on a page: a patient's, a caregiver's or a member of staff's, about a patient. Words from staff
// are for the patient; the others' for the clinic. It answers the message as kept.
func (s *Service) Write(tx *store.Tx, v person.Viewer, patient person.ID, body string) (Message, error) {
	body = strings.TrimSpace(body)
	if body == "" {
		return Message{}, fault.Invalidf("Please write something first.")
	}
	if len(body) > bodyMost {
		return Message{}, fault.Invalidf("That is too long. Please keep it under 4,000 letters.")
	}
	m := Message{Org: v.Org, Patient: patient, At: s.clock.Now(), ID: s.ids.New(), Person: v.Person, Inward: !v.Role.Staff(), Channel: person.Page, Body: body, State: Delivered,
		Moved: s.clock.Now()}
	tx.Hint("patient", string(m.Org)+"/"+string(m.Patient))
	return m, insert(tx, []Message{m})
}
