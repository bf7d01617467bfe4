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

// stepped tells the pathways what was measured: a step that asks for it is done.
type stepped struct{ s *Server }

func (m stepped) Stored(tx *store.Tx, org, patient string, fresh []reading.Sample) error {
	told := map[string]bool{}
	for i := range fresh {
		x := &fresh[i]
		if x.Flags.Has(reading.TimeUnknown) || x.Flags.Has(reading.Impossible) || told[x.Series] {
			continue
		}
		told[x.Series] = true
		if err := m.s.Pathways.Measured(tx, person.OrgID(org), person.ID(patient), x.Series, x.At); err != nil {
			return err
		}
	}
	return nil
}

func (stepped) Alert(*store.Tx, reading.Alert) error { return nil }
