package reading

import (
	"cmp"
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
	d := &delivery{dev: dev, came: make([]arrived, 0, len(batch)), told: make(chan verdict, 1)}
	for i := range batch {
		if reason := batch[i].wrong(); reason != "" {
			d.wrong = append(d.wrong, Refusal{i, reason})
			continue
		}
		d.came = append(d.came, arrived{d, i, asSample(&dev, &batch[i], now)})
	}
	if err := s.gate.through(ctx, d, s.storeGroup); err != nil {
		return Receipt{}, err
	}
	return d.receipt, nil
}

// storeGroup stores a group in one transaction, in which each table is read and written once, however many devices there are.
func (s *Service) storeGroup(ctx context.Context, group []*delivery) error {
	return s.db.Write(ctx, func(tx *store.Tx) error {
		in := ingestion{s: s, tx: tx, now: s.clock.Now().Truncate(time.Millisecond), group: group, people: map[owner]*fellow{}}
		return in.run()
	})
}

// ingestion is a group of deliveries on its way in.
type ingestion struct {
	s      *Service
	tx     *store.Tx
	now    time.Time
	group  []*delivery
	people map[owner]*fellow
}

// fellow is one person of a group.
type fellow struct {
	owner
	came  []*arrived         // in the order of arrival
	fresh []Sample           // those that are new
	ruled bool               // has rules in force
	near  map[string]*window // by series
}

func (in *ingestion) run() error {
	held, err := in.holders()
	if err != nil {
		return err
	}
	homeless := in.place(held)
	if err := in.store(slices.SortedFunc(maps.Keys(in.people), owner.compare)); err != nil {
		return err
	}
	return in.quarantine(homeless)
}

// place finds out whose the samples are, and answers those that are nobody's.
func (in *ingestion) place(held map[deviceKey][]Assignment) []*arrived {
	var homeless []*arrived
	for _, d := range in.group {
		d.receipt = Receipt{Refused: append([]Refusal{}, d.wrong...)}
		spans := held[d.dev.key()]
		for i := range d.came {
			one := &d.came[i]
			a := whose(spans, &one.Sample)
			if a == nil {
				homeless = append(homeless, one)
				d.receipt.Refused = append(d.receipt.Refused, Refusal{one.index, "quarantined: the device was assigned to nobody when this was measured"})
				continue
			}
			o := owner{d.dev.Org, a.Patient}
			p := in.people[o]
			if p == nil {
				p = &fellow{owner: o, ruled: a.ruled}
				in.people[o] = p
			}
			p.came = append(p.came, one)
		}
		slices.SortFunc(d.receipt.Refused, func(a, b Refusal) int { return cmp.Compare(a.Index, b.Index) })
	}
	return homeless
}

// holders answers the assignments of the group's devices.
func (in *ingestion) holders() (map[deviceKey][]Assignment, error) {
	held, err := assignments(in.tx, in.devices(func(*delivery) bool { return true })...)
	if err != nil {
		return nil, err
	}
	return held, again(in.tx, held, in.devices(func(d *delivery) bool {
		spans := held[d.dev.key()]
		return slices.ContainsFunc(d.came, func(a arrived) bool { return whose(spans, &a.Sample) == nil })
	}))
}

// again reads the assignments of devices, of which something seems to be nobody's, once more under a lock that Assign takes too:
// an assignment either is seen here, or finds in quarantine what it makes somebody's.
func again(tx *store.Tx, held map[deviceKey][]Assignment, devices []deviceKey) error {
	if len(devices) == 0 || tx.Engine() != store.Postgres {
		return nil
	}
	if err := lockDevices(tx, "SHARE", devices...); err != nil {
		return err
	}
	list, err := assignments(tx, devices...)
	maps.Copy(held, list)
	return err
}

// devices answers the devices of the deliveries that are asked for, each once, in order.
func (in *ingestion) devices(want func(*delivery) bool) []deviceKey {
	var out []deviceKey
	for _, d := range in.group {
		if want(d) {
			out = append(out, d.dev.key())
		}
	}
	slices.SortFunc(out, deviceKey.compare)
	return slices.Compact(out)
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

// asSample puts a reading's time right. Where the device told its own present time and that is off by more than two minutes,
// the difference to the receipt corrects the time of measurement.
func asSample(dev *Device, r *Reading, now time.Time) Sample {
	out := Sample{At: r.At.UTC().Truncate(time.Millisecond), Received: now, Series: r.Series, Value: r.Value, Unit: r.Unit, Device: dev.ID, Seq: -1, Detail: r.Detail}
	out.DeviceAt = out.At
	if r.HasSeq {
		out.Seq = r.Seq
	}
	if !r.Clock.IsZero() {
		out.Clock = r.Clock.UTC().Truncate(time.Millisecond)
		if off := now.Sub(out.Clock); off.Abs() > clockOff {
			out.At, out.Flags = out.At.Add(off), ClockCorrected
		}
	}
	if r.Zoneless {
		out.Flags |= ZoneUnknown
	}
	switch ahead := out.At.Sub(now); {
	case ahead > futureMost || ahead < -pastMost && !out.Imported(): // an import is of the past
		out.Flags |= TimeUnknown
	case ahead > clockAhead:
		out.Flags |= ClockAhead
	}
	return out
}

// store puts away the samples of the people in owners.
func (in *ingestion) store(owners []owner) error {
	if len(owners) == 0 {
		return nil
	}
	tx := in.tx
	if err := lock(tx, owners...); err != nil {
		return err
	}
	var sources []source
	for _, o := range owners {
		for _, one := range in.people[o].came {
			sources = append(sources, source{o.org, o.patient, one.Device})
		}
	}
	slices.SortFunc(sources, source.compare)
	known, err := streams(tx, slices.Compact(sources))
	if err != nil {
		return err
	}
	for _, o := range owners {
		if err := in.sift(in.people[o], known); err != nil {
			return err
		}
	}
	if err := in.write(owners, known); err != nil {
		return err
	}
	for _, o := range owners {
		if err := in.tell(in.people[o]); err != nil {
			return err
		}
	}
	return nil
}

// sift tells a person's new samples from those that came before, and marks what is odd about them.
func (in *ingestion) sift(p *fellow, known map[source]map[string]*stream) error {
	p.fresh = make([]Sample, 0, len(p.came))
	for _, one := range p.came {
		series := known[source{p.org, p.patient, one.Device}]
		st := series[one.Series]
		if st == nil {
			st = &stream{series: one.Series}
			series[one.Series] = st
		}
		seen, err := in.seen(p, st, &one.Sample)
		if err != nil {
			return err
		}
		if seen {
			one.receipt.Known++
			continue
		}
		p.fresh = append(p.fresh, one.Sample) // a copy: the transaction may run again
		fresh := &p.fresh[len(p.fresh)-1]
		switch plausible.Judge(fresh.Series, fresh.Unit, fresh.Value, &st.own) {
		case plausible.Impossible:
			fresh.Flags |= Impossible
		case plausible.Unlike:
			fresh.Flags |= Unlike
		}
		st.take(fresh)
		one.receipt.Stored++
	}
	return nil
}

// write puts new samples into the log, a row for each person, and saves the streams that they belong to.
func (in *ingestion) write(owners []owner, known map[source]map[string]*stream) error {
	var logs, rows, details [][]any
	for _, o := range owners {
		if p := in.people[o]; len(p.fresh) > 0 {
			logs = append(logs, []any{o.org, o.patient, in.s.ids.New(), packBatch(p.fresh)})
			details = append(details, in.details(p)...)
		}
	}
	for k, series := range known {
		for _, st := range series {
			if !st.touched {
				continue
			}
			row, err := st.row(k)
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
	}
	if err := in.tx.Put("arrival", []string{"org", "patient", "id", "bytes"}, 3, len(logs), func(i int) []any { return logs[i] }); err != nil {
		return err
	}
	if err := in.tx.Put("reading_detail", []string{"org", "patient", "series", "from_at", "id", "to_at", "bytes"}, 5, len(details), func(i int) []any { return details[i] }); err != nil {
		return err
	}
	return in.tx.Put("stream", streamColumns, streamKey, len(rows), func(i int) []any { return rows[i] })
}

// tell lets the rules and the listeners know of a person's new samples.
func (in *ingestion) tell(p *fellow) error {
	if len(p.fresh) == 0 {
		return nil
	}
	slices.SortStableFunc(p.fresh, func(a, b Sample) int { return a.At.Compare(b.At) })
	if p.ruled {
		if err := in.s.judge(in.tx, p.org, p.patient, in.now, p.fresh); err != nil {
			return err
		}
	}
	for _, l := range in.s.listeners {
		if err := l.Stored(in.tx, p.org, p.patient, p.fresh); err != nil {
			return err
		}
	}
	in.tx.Hint("patient", p.org+"/"+p.patient)
	return nil
}

// lookAround is how far from its time a repeated reading is looked for: the correction of a clock may differ between two
// deliveries by what the network takes.
const lookAround = 10 * time.Minute

// lookBack is how long before: the same delivery, repeated later, tells the clock of the first time, so that its correction is
// larger by as much as it is late.
const lookBack = 7 * 24 * time.Hour

// seen tells whether a sample is one that came before. Mostly the stream knows; where it does not, the stored samples are
// looked through. A sequence number that came before with another time is a device that began to count anew: its
// reading is a new one.
func (in *ingestion) seen(p *fellow, st *stream, sample *Sample) (bool, error) {
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
	for i := range p.fresh {
		if p.fresh[i].Series == sample.Series && match(&p.fresh[i]) {
			return true, nil
		}
	}
	from, to := sample.around()
	near, err := in.near(p, sample.Series, from, to)
	if err != nil {
		return false, err
	}
	first, _ := slices.BinarySearchFunc(near, from, func(old Sample, at time.Time) int { return old.At.Compare(at) })
	for i := first; i < len(near) && near[i].At.Before(to); i++ {
		if match(&near[i]) {
			return true, nil
		}
	}
	return false, nil
}

// around answers where the stored reading must lie if this one is a repetition.
func (s *Sample) around() (from, to time.Time) {
	if s.Clock.IsZero() {
		return s.At.Add(-lookAround), s.At.Add(lookAround)
	}
	return s.At.Add(-lookBack), s.At.Add(lookAround)
}

// window is the stored samples of a series in [from, to), in order.
type window struct {
	from, to time.Time
	samples  []Sample
}

// windowMost is the longest time read at once, so that one reading with a clock of 1970 does not make us read all since.
const windowMost = 31 * 24 * time.Hour

// near answers stored samples of a person's series, at least those in [from, to): what a long repetition asks for again and again
// is read once.
func (in *ingestion) near(p *fellow, series string, from, to time.Time) ([]Sample, error) {
	w := p.near[series]
	if w != nil && !from.Before(w.from) && !to.After(w.to) {
		return w.samples, nil
	}
	all := window{from: from, to: to}
	for _, one := range p.came {
		if one.Series != series {
			continue
		}
		from, to := one.around()
		if from.Before(all.from) {
			all.from = from
		}
		if to.After(all.to) {
			all.to = to
		}
	}
	if w != nil || all.to.Sub(all.from) > windowMost {
		all.from, all.to = from, to
		for _, one := range p.came { // what comes in the order of measurement reads a month at once
			if first, last := one.around(); one.Series == series && !first.Before(from) && last.After(all.to) && last.Sub(from) <= windowMost {
				all.to = last
			}
		}
	}
	var err error
	if all.samples, err = within(in.tx, p.org, p.patient, series, all.from, all.to); err != nil {
		return nil, err
	}
	if p.near == nil {
		p.near = map[string]*window{}
	}
	p.near[series] = &all
	return all.samples, nil
}
