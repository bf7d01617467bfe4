package app

import (
	"time"

	"doorstep/internal/person"
	"doorstep/internal/reading"
	"doorstep/internal/store"
)

// measured tells the programme on which days a person's devices sent readings by themselves. What cannot be true, whose time is
// not known, or what somebody brought as a file, is no such day.
type measured struct{ s *Server }

func (m measured) Stored(tx *store.Tx, org, patient string, fresh []reading.Sample) error {
	at := make([]time.Time, 0, len(fresh))
	for i := range fresh {
		if x := &fresh[i]; x.Device != "" && !x.Imported() && !x.Flags.Has(reading.TimeUnknown) && !x.Flags.Has(reading.Impossible) {
			at = append(at, x.At)
		}
	}
	return m.s.Programme.Measured(tx, person.OrgID(org), person.ID(patient), at)
}

func (measured) Alert(*store.Tx, reading.Alert) error { return nil }
