package reading

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"doorstep/internal/fault"
	"doorstep/internal/reading/sample"
)

const (
	takeBatch = 4096  // readings of one source and series stored at once
	takeHeld  = 32768 // readings held back in all
)

// Taking is how the samples of a file are taken.
type Taking struct {
	// Device answers the device whose readings the samples of a source are ("" where the file tells none); asked once for each source
	// in a while. An error of kind Invalid refuses the sample.
	Device func(ctx context.Context, source string) (Device, error)
	// Zoned says that somebody has told the zone of wall clocks; otherwise their readings are marked ZoneUnknown.
	Zoned bool
	// Refused is told of each item that was left out, or quarantined, by its number among what the decoder answered, from 0.
	Refused func(index int, r *sample.Refusal)
	// Took is told of each batch once it is durable. Its refusals have been told to Refused.
	Took func(series string, r Receipt) error
}

// Take stores what a decoder answers, in batches as it comes, through Ingest: each value in its series' one unit (Canonical). Taken
// again, it stores nothing new. An error of kind Invalid says that the file could not be read to its end; what came before is
// stored.
func (s *Service) Take(ctx context.Context, seq sample.Seq, t Taking) error {
	k := taking{Taking: t, s: s, held: map[heap][]numbered{}, devices: map[string]Device{}}
	n := -1
	for one, err := range seq {
		n++
		if stopped := ctx.Err(); stopped != nil {
			return stopped
		}
		var refusal *sample.Refusal
		if errors.As(err, &refusal) {
			t.Refused(n, refusal)
			continue
		}
		if err != nil {
			if failed := k.storeAll(ctx); failed != nil {
				return failed
			}
			return fault.New(fault.Invalid, "the file cannot be read to its end: %w", err)
		}
		if err := k.add(ctx, n, one); err != nil {
			return err
		}
	}
	return k.storeAll(ctx)
}

// heap is what is stored together.
type heap struct{ source, series string }

// numbered is a reading with the number of its item.
type numbered struct {
	Reading
	index int
}

type taking struct {
	Taking
	s       *Service
	held    map[heap][]numbered
	n       int // in held
	devices map[string]Device
}

func (k *taking) refuse(index int, reason string) {
	k.Refused(index, &sample.Refusal{Offset: -1, Path: fmt.Sprintf("sample %d", index+1), Reason: reason})
}

func (k *taking) add(ctx context.Context, index int, one sample.Sample) error {
	list, reason := readings(one)
	if reason != "" {
		k.refuse(index, reason+" ("+sample.Clip(one.Kind)+")")
		return nil
	}
	for _, r := range list {
		r.Zoneless = one.Zoneless && !k.Zoned
		h := heap{one.Source, r.Series}
		k.held[h] = append(k.held[h], numbered{r, index})
		if k.n++; len(k.held[h]) >= takeBatch {
			if err := k.store(ctx, h); err != nil {
				return err
			}
		}
		if k.n >= takeHeld {
			if err := k.storeAll(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *taking) storeAll(ctx context.Context) error {
	var all []heap
	for h := range k.held {
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b heap) int { return slices.Compare([]string{a.source, a.series}, []string{b.source, b.series}) })
	for _, h := range all {
		if err := k.store(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// store stores a heap, in the order of measurement: a repetition is then looked for in one month after the other.
func (k *taking) store(ctx context.Context, h heap) error {
	list := k.held[h]
	delete(k.held, h)
	k.n -= len(list)
	dev, err := k.device(ctx, h.source)
	if fault.Is(err, fault.Invalid) {
		for _, one := range list {
			k.refuse(one.index, fault.Sentence(err))
		}
		return nil
	}
	if err != nil {
		return err
	}
	slices.SortStableFunc(list, func(a, b numbered) int { return a.At.Compare(b.At) })
	batch := make([]Reading, len(list))
	for i := range list {
		batch[i] = list[i].Reading
	}
	receipt, err := k.s.Ingest(ctx, dev, batch)
	if err != nil {
		return err
	}
	for i, r := range receipt.Refused {
		receipt.Refused[i].Index = list[r.Index].index
		k.refuse(list[r.Index].index, r.Reason)
	}
	return k.Took(h.series, receipt)
}

// devicesMost is how many sources are remembered.
const devicesMost = 256

func (k *taking) device(ctx context.Context, source string) (Device, error) {
	if d, ok := k.devices[source]; ok {
		return d, nil
	}
	d, err := k.Device(ctx, source)
	if err != nil {
		return d, err
	}
	if len(k.devices) >= devicesMost {
		clear(k.devices)
	}
	k.devices[source] = d
	return d, nil
}

// readings answers the readings of a sample, in its series' one unit, or why there are none. A word with an interval ("deep" sleep)
// becomes minutes of a series of its own, "sleep-stage:deep"; a list becomes one reading for each value.
func readings(one sample.Sample) (out []Reading, reason string) {
	one = one.Canonical()
	if one.At.IsZero() {
		return nil, "the device told no time"
	}
	detail := detailOf(one.At, one.Until, one.Beyond, one.Notes)
	switch {
	case one.Text != "" && one.Until.After(one.At):
		return []Reading{{At: one.At, Series: one.Series + ":" + one.Text, Value: one.Until.Sub(one.At).Minutes(), Unit: "min", Detail: detail}}, ""
	case one.Text != "":
		return nil, "a word without an interval is not kept"
	case one.Values == nil:
		return []Reading{{At: one.At, Series: one.Series, Value: one.Value, Unit: one.Unit, Detail: detail}}, ""
	}
	times, ok := spread(&one)
	if !ok {
		return nil, "the times of the list's values are not known"
	}
	for i, v := range one.Values {
		if !math.IsNaN(v) {
			out = append(out, Reading{At: times[i], Series: one.Series, Value: v, Unit: one.Unit})
		}
	}
	if len(out) > 0 { // each value has its own instant; what was said of the list stands with the first
		out[0].Detail = detailOf(out[0].At, time.Time{}, 0, one.Notes)
	}
	return out, ""
}

// spread answers when each value of a list was measured. Intervals between beats ended one after the other, the last at At; rates at
// each beat of an interval are laid from At on, as far apart as they say.
func spread(one *sample.Sample) (times []time.Time, ok bool) {
	times = make([]time.Time, len(one.Values))
	if one.Period > 0 {
		for i := range times {
			times[i] = one.At.Add(time.Duration(i) * one.Period)
		}
		return times, true
	}
	_, intervals := sample.Convert(1, one.Unit, "ms")
	_, rates := sample.Convert(1, one.Unit, "/min")
	at := one.At
	switch {
	case intervals:
		for i := len(times) - 1; i >= 0; i-- {
			times[i] = at
			if ms, _ := sample.Convert(one.Values[i], one.Unit, "ms"); ms > 0 && ms < 1e6 {
				at = at.Add(-time.Duration(ms * float64(time.Millisecond)))
			}
		}
	case rates && one.Until.After(one.At):
		for i := range times {
			times[i] = at
			if rate, _ := sample.Convert(one.Values[i], one.Unit, "/min"); rate > 1 {
				at = at.Add(time.Duration(float64(time.Minute) / rate))
			}
		}
	default:
		return nil, false
	}
	return times, true
}
