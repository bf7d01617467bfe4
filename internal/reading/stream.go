package reading

import (
	"time"

	"doorstep/internal/reading/rule"
	"doorstep/internal/store"
)

// stream is what is known of one series of one device on one person: enough to tell in most cases without looking at
// stored samples that a reading is new.
type stream struct {
	series   string
	seqs     seqs
	deviceAt time.Time // the newest time the device told; a seq-less reading after it is new
	own      rule.Ring // the person's recent values, to judge what is unlike them
	latest   *Sample   // the sample that stands for "now"; nil: none yet
	mixed    bool      // readings without a sequence number came too
	touched  bool
}

// streams reads what is known of a device on a person, by series.
func streams(tx *store.Tx, org, patient, device string) (map[string]*stream, error) {
	out := map[string]*stream{}
	err := tx.Rows("SELECT series, seqs, device_at, own, latest FROM stream WHERE org = $1 AND patient = $2 AND device = $3",
		[]any{org, patient, device}, func(scan func(...any) error) error {
			st := &stream{}
			var packed, own, latest []byte
			var at int64
			if err := scan(&st.series, &packed, &at, &own, &latest); err != nil {
				return err
			}
			st.deviceAt = store.Time(at)
			if len(packed) == 0 {
				return errPacked
			}
			st.mixed = packed[0] != 0
			if err := st.seqs.unpack(packed[1:]); err != nil {
				return err
			}
			if err := st.own.UnmarshalBinary(own); err != nil {
				return err
			}
			var err error
			if st.latest, err = unpackLatest(latest); err != nil {
				return err
			}
			out[st.series] = st
			return nil
		})
	return out, err
}

func unpackLatest(b []byte) (*Sample, error) {
	if len(b) == 0 {
		return nil, nil
	}
	list, err := unpackBatch(b)
	if err != nil || len(list) != 1 {
		return nil, errPacked
	}
	return &list[0], nil
}

// save writes the stream back.
func (st *stream) save(tx *store.Tx, org, patient, device string) error {
	own, err := st.own.AppendBinary(nil)
	if err != nil {
		return err
	}
	latest, seen := []byte{}, int64(0)
	if st.latest != nil {
		latest, seen = packBatch([]Sample{*st.latest}), store.Micros(st.latest.now())
	}
	_, err = tx.Exec(`INSERT INTO stream (org, patient, device, series, seqs, device_at, own, latest, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (org, patient, device, series) DO UPDATE SET seqs = excluded.seqs, device_at = excluded.device_at,
		own = excluded.own, latest = excluded.latest, seen_at = excluded.seen_at`,
		org, patient, device, st.series, st.packSeqs(), store.Micros(st.deviceAt), own, latest, seen)
	return err
}

// packSeqs packs the sequence numbers, after a byte that tells whether some readings had none.
func (st *stream) packSeqs() []byte {
	mixed := byte(0)
	if st.mixed {
		mixed = 1
	}
	return st.seqs.pack([]byte{mixed})
}

// take notes a fresh sample.
func (st *stream) take(s *Sample) {
	st.touched = true
	if s.Seq >= 0 {
		st.seqs.add(s.Seq)
	} else {
		st.mixed = true
	}
	if s.Flags.Has(TimeUnknown) {
		return // it may not stand for "now", nor move the newest time far into the future
	}
	if s.DeviceAt.After(st.deviceAt) {
		st.deviceAt = s.DeviceAt
	}
	if s.Flags.Has(Impossible) {
		return
	}
	st.own.Add(s.At, s.Value)
	if st.latest == nil || !s.now().Before(st.latest.now()) {
		kept := *s
		st.latest = &kept
	}
}
