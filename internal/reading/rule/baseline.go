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
	at     []int64   // ms
	v      []float64 // in order of time
	sorted []float64 // in order of size

	known         bool // median and sigma are those of the values
	median, sigma float64
}

// Add takes a value in, unless it comes too soon after the last one kept (or before it).
func (r *Ring) Add(at time.Time, v float64) bool {
	ms := at.UnixMilli()
	n := len(r.at)
	if n > 0 && ms < r.at[n-1]+ringApart.Milliseconds() {
		return false
	}
	if r.at == nil {
		r.at, r.v, r.sorted = make([]int64, 0, ringMost), make([]float64, 0, ringMost), make([]float64, 0, ringMost)
	}
	cut := 0
	for cut < n && (n-cut >= ringMost || r.at[cut] < ms-ringOld.Milliseconds()) {
		i, _ := slices.BinarySearch(r.sorted, r.v[cut])
		r.sorted = append(r.sorted[:i], r.sorted[i+1:]...)
		cut++
	}
	r.at, r.v = append(r.at[:0], r.at[cut:]...), append(r.v[:0], r.v[cut:]...)
	r.at, r.v = append(r.at, ms), append(r.v, v)
	i, _ := slices.BinarySearch(r.sorted, v)
	r.sorted = slices.Insert(r.sorted, i, v)
	r.known = false
	return true
}

// Baseline answers the median and the robust standard deviation (1.4826 times the median absolute deviation, at least one
// percent of the median); ok is false while there are fewer than seven values.
func (r *Ring) Baseline() (median, sigma float64, ok bool) {
	n := len(r.sorted)
	if n < ringLeast {
		return 0, 0, false
	}
	if !r.known {
		r.median = (r.sorted[(n-1)/2] + r.sorted[n/2]) / 2
		r.sigma = max(madSigma*r.mad(r.median), math.Abs(r.median)/100)
		r.known = true
	}
	return r.median, r.sigma, true
}

// mad answers the median distance from a value. The distances grow to both sides of it, so they are walked in order of size, and
// nothing is sorted.
func (r *Ring) mad(from float64) float64 {
	n := len(r.sorted)
	right, _ := slices.BinarySearch(r.sorted, from)
	left := right - 1
	var at, before float64
	for range n/2 + 1 {
		before = at
		if right < n && (left < 0 || r.sorted[right]-from <= from-r.sorted[left]) {
			at = r.sorted[right] - from
			right++
		} else {
			at = from - r.sorted[left]
			left--
		}
	}
	if n%2 == 1 {
		return at
	}
	return (before + at) / 2
}

// extreme answers the lowest (sign +1) or highest (-1) of the values kept in the time before now; not ok when there is none.
func (r *Ring) extreme(now time.Time, over time.Duration, sign float64) (v float64, ok bool) {
	from := now.UnixMilli() - over.Milliseconds()
	for i := len(r.at) - 1; i >= 0 && r.at[i] >= from; i-- {
		if !ok || sign*r.v[i] < sign*v {
			v, ok = r.v[i], true
		}
	}
	return v, ok
}

// AppendBinary packs the ring.
func (r *Ring) AppendBinary(b []byte) ([]byte, error) { return r.append(b), nil }

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

func (r *Ring) append(b []byte) []byte {
	b = append(b, byte(len(r.at)))
	for i := range r.at {
		b = binary.LittleEndian.AppendUint64(b, uint64(r.at[i]))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(r.v[i]))
	}
	return b
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
	if n > 0 {
		r.at, r.v = make([]int64, n, ringMost), make([]float64, n, ringMost)
	}
	for i := range n {
		r.at[i] = int64(binary.LittleEndian.Uint64(b[16*i:]))
		if r.v[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[16*i+8:])); math.IsNaN(r.v[i]) {
			return nil, errState
		}
	}
	r.sorted = append(make([]float64, 0, ringMost), r.v...)
	slices.Sort(r.sorted)
	return b[16*n:], nil
}
