package rule

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"time"
)

// Limits of a baseline: what a person's own range is judged from.
const (
	ringMost  = 48                  // values kept
	ringApart = time.Hour           // at least between two kept values, so that a fast stream does not fill it
	ringOld   = 28 * 24 * time.Hour // a value older than this before the newest is dropped
	ringLeast = 7                   // fewer values are no baseline
	// madSigma makes a median absolute deviation the standard deviation of a normal distribution.
	madSigma = 1.4826
)

// Ring is a person's recent values of one signal, thinned: the stuff of a robust baseline. The zero value is empty.
type Ring struct {
	at []int64 // ms
	v  []float64
}

// Add takes a value in, unless it comes too soon after the last one kept (or before it).
func (r *Ring) Add(at time.Time, v float64) bool {
	ms := at.UnixMilli()
	if n := len(r.at); n > 0 && ms < r.at[n-1]+ringApart.Milliseconds() {
		return false
	}
	r.at, r.v = append(r.at, ms), append(r.v, v)
	cut := max(0, len(r.at)-ringMost)
	for cut < len(r.at) && r.at[cut] < ms-ringOld.Milliseconds() {
		cut++
	}
	r.at, r.v = slices.Clone(r.at[cut:]), slices.Clone(r.v[cut:])
	return true
}

// Baseline answers the median and the robust standard deviation (1.4826 times the median absolute deviation, at least one
// percent of the median); ok is false while there are fewer than seven values.
func (r *Ring) Baseline() (median, sigma float64, ok bool) {
	if len(r.v) < ringLeast {
		return 0, 0, false
	}
	median = middle(slices.Clone(r.v))
	off := make([]float64, len(r.v))
	for i, v := range r.v {
		off[i] = math.Abs(v - median)
	}
	return median, max(madSigma*middle(off), math.Abs(median)/100), true
}

func middle(v []float64) float64 {
	slices.Sort(v)
	n := len(v)
	if n%2 == 1 {
		return v[n/2]
	}
	return (v[n/2-1] + v[n/2]) / 2
}

// AppendBinary packs the ring.
func (r *Ring) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, byte(len(r.at)))
	for i := range r.at {
		b = binary.LittleEndian.AppendUint64(b, uint64(r.at[i]))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(r.v[i]))
	}
	return b, nil
}

var errState = errors.New("rule: the stored state is damaged")

// take unpacks a ring from the front of b and answers the rest.
func (r *Ring) take(b []byte) ([]byte, error) {
	*r = Ring{}
	if len(b) == 0 {
		return nil, errState
	}
	n := int(b[0])
	if b = b[1:]; n > ringMost || len(b) < 16*n {
		return nil, errState
	}
	for i := range n {
		r.at = append(r.at, int64(binary.LittleEndian.Uint64(b[16*i:])))
		r.v = append(r.v, math.Float64frombits(binary.LittleEndian.Uint64(b[16*i+8:])))
	}
	return b[16*n:], nil
}

// UnmarshalBinary reads what AppendBinary wrote; nothing is the empty ring.
func (r *Ring) UnmarshalBinary(b []byte) error {
	if len(b) == 0 {
		*r = Ring{}
		return nil
	}
	rest, err := r.take(b)
	if err == nil && len(rest) > 0 {
		err = errState
	}
	return err
}
