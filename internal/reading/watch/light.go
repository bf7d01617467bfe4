package watch

import (
	"doorstep/internal/person"
	"doorstep/internal/reading"
	"doorstep/internal/store"
)

// PillBox is the kind of device that can be lit for a dose.
const PillBox = "pillbox"

// Sources of the consent that comes and goes with a pill box: who takes the box home agrees to its light.
const (
	assigned = "device assignment"
	cameBack = "device came back"
)

// Lights makes a pill box a way to reach whoever has it, for as long as they have it: in the transaction in which the
// assignment begins or ends.
type Lights struct{ People *person.Service }

// Began adds the box to the patient's addresses, and withdraws it from everybody else's.
func (l Lights) Began(tx *store.Tx, d reading.Device, a reading.Assignment) error {
	if d.Kind != PillBox {
		return nil
	}
	org, patient := person.OrgID(d.Org), person.ID(a.Patient)
	if err := l.People.SetConsent(tx, org, person.Cue, d.ID, person.Withdrawn, assigned); err != nil {
		return err
	}
	contacts, err := l.People.Contacts(tx, org, patient)
	if err != nil {
		return err
	}
	rank := 0
	for _, c := range contacts {
		rank = max(rank, c.Rank+1)
	}
	return l.People.SetContact(tx, org, person.Contact{Person: patient, Rank: rank, Channel: person.Cue, Address: d.ID, Consent: person.Given, Source: assigned})
}

// Ended withdraws the box from the patient's addresses.
func (l Lights) Ended(tx *store.Tx, d reading.Device, a reading.Assignment) error {
	if d.Kind != PillBox {
		return nil
	}
	org := person.OrgID(d.Org)
	contacts, err := l.People.Contacts(tx, org, person.ID(a.Patient))
	if err != nil {
		return err
	}
	for _, c := range contacts {
		if c.Channel != person.Cue || c.Address != d.ID || c.Consent != person.Given {
			continue
		}
		c.Consent, c.Source = person.Withdrawn, cameBack
		if err := l.People.SetContact(tx, org, c); err != nil {
			return err
		}
	}
	return nil
}
