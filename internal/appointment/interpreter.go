package appointment

import (
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Interpreters answers those of the staff who interpret at a visit.
func (s *Service) Interpreters(tx *store.Tx, a Appointment) ([]person.ID, error) {
	list, err := s.resourcesOf(tx, a)
	var out []person.ID
	for _, r := range list {
		if r.Kind == Interpreter && r.Person != "" {
			out = append(out, r.Person)
		}
	}
	return out, err
}
