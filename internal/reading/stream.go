package reading

import (
	"encoding/json"
	"slices"
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

// source is a device on a person: organization, patient, device.
type source [3]string

func (k source) compare(l source) int { return slices.Compare(k[:], l[:]) }

// streams reads what is known of devices on people, by series.
func streams(tx *store.Tx, sources []source) (map[source]map[string]*stream, error) {
	keys, err := json.Marshal(sources)
	if err != nil {
		return nil, err
	}
	out := make(map[source]map[string]*stream, len(sources))
	for _, k := range sources {
		out[k] = map[string]*stream{}
	}
	err = tx.Rows("SELECT s.org, s.patient, s.device, s.series, s.seqs, s.device_at, s.own, s.latest FROM "+tx.Tuples("$1", "org", "patient", "device")+
		" k CROSS JOIN stream s WHERE s.org = k.org AND s.patient = k.patient AND s.device = k.device", []any{string(keys)},
		func(scan func(...any) error) error {
			var k source
			st := &stream{}
			var packed, own, latest []byte
			var at int64
			if err := scan(&k[0], &k[1], &k[2], &st.series, &packed, &at, &own, &latest); err != nil {
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
			out[k][st.series] = st
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

var streamColumns = []string{"org", "patient", "device", "series", "seqs", "device_at", "own", "latest", "seen_at"}

const streamKey = 4 // of the columns are the key

// row is the stream's row, in the order of streamColumns.
func (st *stream) row(k source) ([]any, error) {
	own, err := st.own.AppendBinary(nil)
	latest, seen := []byte{}, int64(0)
	if st.latest != nil {
		latest, seen = packBatch([]Sample{*st.latest}), store.Micros(st.latest.now())
	}
	return []any{k[0], k[1], k[2], st.series, st.packSeqs(), store.Micros(st.deviceAt), own, latest, seen}, err
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
