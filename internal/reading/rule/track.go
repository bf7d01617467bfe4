package rule

import (
	"encoding/binary"
	"math"
	"time"
)

// Figures of the control charts: Lucas and Saccucci 1990 (EWMA with lambda 0.2, L near 3), Page 1954 and Hawkins 1993 (CUSUM with
// k 0.5, h near 5), on values standardised by the person's own median and robust deviation before them.
const (
	lambda    = 0.2
	allowance = 0.5
	// farMost bounds a standardised value: one reading of somebody else's body must not fill a sum for weeks.
	farMost = 4
	// hair is what adding and taking away may leave of a change that is exactly the limit, which is not beyond it.
	hair = 1e-9
)

// track is the past of a signal, as far as its limits need it.
type track struct {
	now      time.Time // of the sample that is judged
	ring     Ring
	mean     float64 // moving average of the standardised values
	up, down float64 // sums beyond the allowance
}

// look takes a sample into the charts, against the baseline of the samples before it.
func (t *track) look(allowed sides, at time.Time, v float64) {
	t.now = at
	if !allowed.uses(EWMA) && !allowed.uses(CUSUM) {
		return
	}
	median, sigma, ok := t.ring.Baseline()
	if !ok || sigma == 0 {
		return
	}
	z := min(max((v-median)/sigma, -farMost), farMost)
	t.mean += lambda * (z - t.mean)
	t.up, t.down = max(0, t.up+z-allowance), max(0, t.down-z-allowance)
}

// add takes a sample into the past.
func (t *track) add(allowed sides, at time.Time, v float64) {
	if allowed.above.past() || allowed.below.past() {
		t.ring.Add(at, v)
	}
}

func (r sides) uses(k Kind) bool { return r.above.Kind == k || r.below.Kind == k }

// past tells whether a limit needs the samples before.
func (l *Limit) past() bool { return l.Kind != None && l.Kind != Absolute }

// beyond tells on which side of its range a sample lies that was looked at, with the limits moved inwards by slack, and the limit.
func (t *track) beyond(allowed sides, v, slack float64) (side int8, limit float64) {
	if limit, over, ok := t.over(allowed.above, 1, v); ok && over > -slack {
		return 1, limit
	}
	if limit, over, ok := t.over(allowed.below, -1, v); ok && over > -slack {
		return -1, limit
	}
	return 0, 0
}

// over answers a limit, and by how much the value is beyond it, in what the limit counts; not ok while there is too little past.
func (t *track) over(l *Limit, sign float64, v float64) (limit, by float64, ok bool) {
	switch l.Kind {
	case Absolute:
		return l.Value, sign * (v - l.Value), true
	case Personal:
		median, sigma, ok := t.ring.Baseline()
		limit = median + sign*l.Value*sigma
		return limit, sign * (v - limit), ok
	case Change:
		from, ok := t.ring.extreme(t.now, l.Over, sign)
		limit = from + sign*l.Value
		return limit, sign*(v-limit) - hair, ok
	case EWMA:
		_, _, ok := t.ring.Baseline()
		return l.Value, sign*t.mean/math.Sqrt(lambda/(2-lambda)) - l.Value, ok
	case CUSUM:
		sum := t.up
		if sign < 0 {
			sum = t.down
		}
		_, _, ok := t.ring.Baseline()
		return l.Value, sum - l.Value, ok
	}
	return 0, 0, false
}

func (t *track) append(b []byte) []byte {
	for _, v := range [...]float64{t.mean, t.up, t.down} {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return t.ring.append(b)
}

func (t *track) take(b []byte) ([]byte, error) {
	*t = track{}
	if len(b) < 24 {
		return nil, errState
	}
	for i, v := range [...]*float64{&t.mean, &t.up, &t.down} {
		*v = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return t.ring.take(b[24:])
}
