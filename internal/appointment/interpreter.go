package appointment

import (
	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Interpreters answers those of the staff who interpret at a visit.
func (s *Service) Interpreters(tx *store.Tx, a Appointment) ([]person.ID, error) {
	list, err := store.All(tx, resourceSelect+" WHERE org = $1 AND id IN (SELECT value FROM "+tx.List("$2")+" ids) ORDER BY kind, id",
		[]any{string(a.Org), asJSON(a.Resources)}, scanResource)
	var out []person.ID
	for _, r := range list {
		if r.Kind == Interpreter && r.Person != "" {
			out = append(out, r.Person)
		}
	}
	return out, err
}
