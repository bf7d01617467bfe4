package reading

import (
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/reading/plausible"
	"doorstep/internal/store"
)

// Ingest stores a device's readings and answers once they are durable. A reading that came before counts as known. One that
// cannot be used is refused with its reason; one that belongs to nobody is kept in quarantine and named among the refused.
func (s *Service) Ingest(ctx context.Context, dev Device, batch []Reading) (Receipt, error) {
	if len(batch) > maxBatch {
		return Receipt{}, fault.New(fault.TooMuch, "more than %d readings in one request", maxBatch)
	}
	now := s.clock.Now().Truncate(time.Millisecond)
	var receipt Receipt
	err := s.db.Write(ctx, func(tx *store.Tx) error {
		in := ingestion{s: s, tx: tx, dev: dev, now: now, receipt: Receipt{Refused: []Refusal{}}}
		err := in.run(batch)
		receipt = in.receipt
		return err
	})
	if err != nil {
		return Receipt{}, err
	}
	return receipt, nil
}

// ingestion is one batch on its way in.
type ingestion struct {
	s       *Service
	tx      *store.Tx
	dev     Device
	now     time.Time
	receipt Receipt
	fresh   []Sample        // of the person at hand
	ruled   map[string]bool // persons who have rules in force
}

func (in *ingestion) run(batch []Reading) error {
	spans, err := assignments(in.tx, in.dev.Org, in.dev.ID)
	if err != nil {
		return err
	}
	in.ruled = map[string]bool{}
	for _, a := range spans {
		in.ruled[a.Patient] = a.ruled
	}
	byPatient := map[string][]Sample{}
	var homeless []Sample
	for i := range batch {
		r := &batch[i]
		if reason := r.wrong(); reason != "" {
			in.receipt.Refused = append(in.receipt.Refused, Refusal{i, reason})
			continue
		}
		sample := in.sample(r)
		patient := holder(spans, sample.At)
		if sample.Flags.Has(TimeUnknown) {
			patient = onlyHolder(spans)
		}
		if patient == "" {
			homeless = append(homeless, sample)
			in.receipt.Refused = append(in.receipt.Refused, Refusal{i, "quarantined: the device was assigned to nobody when this was measured"})
			continue
		}
		byPatient[patient] = append(byPatient[patient], sample)
	}
	for _, patient := range slices.Sorted(maps.Keys(byPatient)) {
		if err := in.store(patient, byPatient[patient]); err != nil {
			return err
		}
	}
	return in.quarantine(homeless)
}

// wrong tells why a reading cannot be used; "" when it can.
func (r *Reading) wrong() string {
	switch {
	case r.Series == "" || len(r.Series) > maxName:
		return "series: it must be 1 to 64 characters"
	case len(r.Unit) > maxName:
		return "unit: it must be at most 64 characters"
	case math.IsNaN(r.Value) || math.IsInf(r.Value, 0):
		return "value: it must be a number"
	case r.At.Year() < 1970 || r.At.Year() > 2199:
		return "at: it must be a time between 1970 and 2199"
	case r.HasSeq && r.Seq < 0:
		return "seq: it must not be negative"
	}
	return ""
}

// sample puts a reading's time right. Where the device told its own present time and that is off by more than two minutes,
// the difference to the receipt corrects the time of measurement.
func (in *ingestion) sample(r *Reading) Sample {
	out := Sample{At: r.At.UTC().Truncate(time.Millisecond), Received: in.now, Series: r.Series, Value: r.Value, Unit: r.Unit, Device: in.dev.ID, Seq: -1}
	out.DeviceAt = out.At
	if r.HasSeq {
		out.Seq = r.Seq
	}
	if !r.Clock.IsZero() {
		out.Clock = r.Clock.UTC().Truncate(time.Millisecond)
		if off := in.now.Sub(out.Clock); off.Abs() > clockOff {
			out.At, out.Flags = out.At.Add(off), ClockCorrected
		}
	}
	switch ahead := out.At.Sub(in.now); {
	case ahead > futureMost || ahead < -pastMost:
		out.Flags |= TimeUnknown
	case ahead > clockAhead:
		out.Flags |= ClockAhead
	}
	return out
}

// store puts one person's samples away.
func (in *ingestion) store(patient string, samples []Sample) error {
	tx, org := in.tx, in.dev.Org
	if err := lock(tx, org, patient); err != nil {
		return err
	}
	known, err := streams(tx, org, patient, in.dev.ID)
	if err != nil {
		return err
	}
	in.fresh = samples[:0]
	for i := range samples {
		sample := &samples[i]
		st := known[sample.Series]
		if st == nil {
			st = &stream{series: sample.Series}
			known[sample.Series] = st
		}
		seen, err := in.seen(patient, st, sample)
		if err != nil {
			return err
		}
		if seen {
			in.receipt.Known++
			continue
		}
		switch plausible.Judge(sample.Series, sample.Unit, sample.Value, &st.own) {
		case plausible.Impossible:
			sample.Flags |= Impossible
		case plausible.Unlike:
			sample.Flags |= Unlike
		}
		st.take(sample)
		in.fresh = append(in.fresh, *sample)
	}
	if len(in.fresh) == 0 {
		return nil
	}
	in.receipt.Stored += len(in.fresh)
	if _, err := tx.Exec("INSERT INTO arrival (org, patient, id, bytes) VALUES ($1, $2, $3, $4)", org, patient, in.s.ids.New(), packBatch(in.fresh)); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if st := known[name]; st.touched {
			if err := st.save(tx, org, patient, in.dev.ID); err != nil {
				return err
			}
		}
	}
	slices.SortStableFunc(in.fresh, func(a, b Sample) int { return a.At.Compare(b.At) })
	if in.ruled[patient] {
		if err := in.s.judge(tx, org, patient, in.now, in.fresh); err != nil {
			return err
		}
	}
	for _, l := range in.s.listeners {
		if err := l.Stored(tx, org, patient, in.fresh); err != nil {
			return err
		}
	}
	tx.Hint("patient", org+"/"+patient)
	return nil
}

// lookAround is how far from its time a repeated reading is looked for: the correction of a clock may differ between two
// deliveries by what the network takes.
const lookAround = 10 * time.Minute

// seen tells whether a sample is one that came before. Mostly the stream knows; where it does not, the stored samples are
// looked through. A sequence number that came before with another time is a device that began to count anew: its
// reading is a new one.
func (in *ingestion) seen(patient string, st *stream, sample *Sample) (bool, error) {
	counted := sample.Seq >= 0 && st.seqs.has(sample.Seq)
	if !counted && sample.DeviceAt.After(st.deviceAt) && !sample.Flags.Has(TimeUnknown) {
		return false, nil
	}
	if !counted && sample.Seq >= 0 && !st.mixed {
		return false, nil
	}
	match := func(old *Sample) bool {
		if !old.DeviceAt.Equal(sample.DeviceAt) {
			return false
		}
		if old.Seq >= 0 && sample.Seq >= 0 {
			return old.Seq == sample.Seq && old.Device == sample.Device
		}
		return old.Value == sample.Value && old.Unit == sample.Unit
	}
	for i := range in.fresh {
		if in.fresh[i].Series == sample.Series && match(&in.fresh[i]) {
			return true, nil
		}
	}
	near, err := within(in.tx, in.dev.Org, patient, sample.Series, sample.At.Add(-lookAround), sample.At.Add(lookAround))
	if err != nil {
		return false, err
	}
	for i := range near {
		if match(&near[i]) {
			return true, nil
		}
	}
	return false, nil
}
