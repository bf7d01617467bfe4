package appointment

import (
	"time"

	"doorstep/internal/person"
	"doorstep/internal/store"
)

// Due answers all visits of an organization that begin in [from, to) and are still to be, in order of their start: for whoever looks
// after the day as a whole. What of it a person may see is for the caller to say.
func (s *Service) Due(tx *store.Tx, org person.OrgID, from, to time.Time) ([]Appointment, error) {
	return store.All(tx, appointmentSelect+" WHERE org = $1 AND start_at >= $2 AND start_at < $3 AND state = 'booked' ORDER BY start_at, id",
		[]any{string(org), store.Micros(from), store.Micros(to)}, scanAppointment)
}
