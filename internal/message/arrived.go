package message

import (
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Arrivals is told of people who text that they are there.
type Arrivals interface {
	// Here checks in whom of these people somebody has come with, and answers what to thank with; say is empty when it has asked which of
	// them is meant. ok is false when none of them is expected: a person reads the text.
	Here(tx *store.Tx, org person.OrgID, by person.ID, about []person.ID) (patient person.ID, say string, args map[string]string, ok bool, err error)
}

// SetArrivals says who is told of people who text that they are there; without it a person reads such texts.
func (s *Service) SetArrivals(a Arrivals) { s.arrivals = a }

// arrived takes a text that says "HERE". On a telephone that several people share it is not known who came: a person reads it.
func (s *Service) arrived(tx *store.Tx, in Inbound, m Message, contacts []person.Contact) error {
	if s.arrivals == nil || len(contacts) != 1 {
		return s.words(tx, in, m, contacts)
	}
	about, err := s.aboutAddress(tx, in.Org, in.Channel, in.From)
	if err != nil {
		return err
	}
	patient, say, args, ok, err := s.arrivals.Here(tx, in.Org, contacts[0].Person, about)
	if err != nil {
		return err
	}
	if !ok {
		return s.words(tx, in, m, contacts)
	}
	m.Patient, m.Person = patient, contacts[0].Person
	if err := insert(tx, []Message{m}); err != nil {
		return err
	}
	tx.Hint("patient", string(m.Org)+"/"+string(m.Patient))
	if say == "" {
		return nil
	}
	return s.reply(tx, m, contacts, say, args)
}
