package rule

import (
	"encoding/binary"
	"math"
	"time"
)

// State is what a rule knows after the samples so far. The zero value has seen none.
type State struct {
	Last  time.Time // of the newest sample of the rule's own signal
	Since time.Time // since when the rule has been broken; zero: it is not
	Open  bool      // an episode is open
	Side  int8      // +1 above, -1 below, 0 inside

	told    time.Time // when the open episode was last told of
	missing string    // parts of the score just worked out that are not known; not stored, since it is worked out with each sample
	signs   []signal  // the rule's own signal, then those of With
}

// signal is what is known of one signal.
type signal struct {
	at    time.Time // of the newest sample
	value float64
	limit float64 // that it lies beyond
	side  int8    // of its range
	track track
}

// Step judges one sample of one of the rule's signals, not older than any before it, and answers the episode that it opens, or
// that is told of again, if it does. A sample of a signal that the rule does not look at changes nothing.
func (s *State) Step(r *Rule, series string, at time.Time, v float64) (Episode, bool) {
	which := r.place(series)
	if which < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return Episode{}, false
	}
	if s.signs == nil {
		s.signs = make([]signal, r.signals())
	}
	x := &s.signs[which]
	if which > len(r.With) {
		x.at, x.value = at, v
		var ok bool
		if v, s.missing, ok = s.score(r, at); !ok {
			return Episode{}, false
		}
		which, x = 0, &s.signs[0]
	}
	if which == 0 {
		s.Last = at
		x.judge(sides{&r.Above, &r.Below}, at, v, r.Hysteresis, s.Open)
	} else {
		sign := &r.With[which-1]
		x.judge(sides{&sign.Above, &sign.Below}, at, v, 0, false)
	}
	return s.conclude(r, at)
}

// Behind tells whether a newer sample of the same signal has been judged than one of an instant.
func (s *State) Behind(r *Rule, series string, at time.Time) bool {
	which := r.place(series)
	return which >= 0 && s.signs != nil && at.Before(s.signs[which].at)
}

// place answers which of a rule's signals a series is, -1 when it is none.
func (r *Rule) place(series string) int {
	if series == r.Series {
		return 0
	}
	for i := range r.With {
		if r.With[i].Series == series {
			return i + 1
		}
	}
	if r.Parts != nil {
		if i := partOf(series); i >= 0 {
			return 1 + len(r.With) + i
		}
	}
	return -1
}

// judge takes in a sample: on which side of its range it lies. While an episode is open, back inside by less than the slack is not
// inside.
func (x *signal) judge(allowed sides, at time.Time, v, slack float64, open bool) {
	x.track.look(allowed, at, v)
	side, limit := x.track.beyond(allowed, v, 0)
	if open && side != x.side {
		if held, at := x.track.beyond(allowed, v, slack); held == x.side {
			side, limit = held, at
		}
	}
	x.at, x.value, x.side, x.limit = at, v, side, limit
	x.track.add(allowed, at, v)
}

// conclude says what the signals together come to.
func (s *State) conclude(r *Rule, at time.Time) (Episode, bool) {
	own := &s.signs[0]
	side := own.side
	if side != 0 && !s.agree(r, at) {
		side = 0
	}
	if side != s.Side {
		s.Side, s.Open, s.Since = side, false, time.Time{}
		if side != 0 {
			s.Since = at
		}
	}
	if side == 0 || at.Sub(s.Since) < r.Hold {
		return Episode{}, false
	}
	again := s.Open
	if again && (r.Repeat == 0 || at.Sub(s.told) < r.Repeat) {
		return Episode{}, false
	}
	s.Open, s.told = true, at
	return Episode{Began: s.Since, At: at, Value: own.value, Limit: own.limit, Side: side, Again: again, Missing: s.missing}, true
}

// agree tells whether enough other signals are beyond their ranges, lately enough, and the rule's own is not older than they may be.
func (s *State) agree(r *Rule, at time.Time) bool {
	if len(r.With) == 0 {
		return true
	}
	need := r.Least
	if need == 0 {
		need = len(r.With)
	}
	for i := range r.With {
		x := &s.signs[i+1]
		if within := r.With[i].Within; x.side != 0 && at.Sub(x.at) <= within && at.Sub(s.signs[0].at) <= within {
			need--
		}
	}
	return need <= 0
}

// Stored states begin with this, so that one of another form is refused and not misread.
const stateForm = 2

// AppendBinary packs a state.
func (s State) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, stateForm, bit(s.Open), byte(s.Side), byte(len(s.signs)))
	for _, t := range [...]time.Time{s.Last, s.Since, s.told} {
		b = appendTime(b, t)
	}
	for i := range s.signs {
		x := &s.signs[i]
		b = appendTime(b, x.at)
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x.value))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x.limit))
		b = x.track.append(append(b, byte(x.side)))
	}
	return b, nil
}

// UnmarshalBinary reads what AppendBinary wrote; nothing is the zero state.
func (s *State) UnmarshalBinary(b []byte) error {
	*s = State{}
	if len(b) == 0 {
		return nil
	}
	if len(b) < 28 || b[0] != stateForm || b[1] > 1 || int(b[3]) > maxSigns+1+len(news2Parts) {
		return errState
	}
	s.Open, s.Side = b[1] == 1, int8(b[2])
	n := int(b[3])
	b = b[4:]
	for _, t := range [...]*time.Time{&s.Last, &s.Since, &s.told} {
		*t, b = takeTime(b)
	}
	for range n {
		var x signal
		if len(b) < 25 {
			return errState
		}
		x.at, b = takeTime(b)
		x.value, x.limit, x.side = math.Float64frombits(binary.LittleEndian.Uint64(b)), math.Float64frombits(binary.LittleEndian.Uint64(b[8:])), int8(b[16])
		var err error
		if b, err = x.track.take(b[17:]); err != nil {
			return err
		}
		s.signs = append(s.signs, x)
	}
	if len(b) > 0 {
		return errState
	}
	return nil
}

func bit(on bool) byte {
	if on {
		return 1
	}
	return 0
}

func appendTime(b []byte, t time.Time) []byte {
	us := int64(0)
	if !t.IsZero() {
		us = t.UnixMicro()
	}
	return binary.LittleEndian.AppendUint64(b, uint64(us))
}

func takeTime(b []byte) (time.Time, []byte) {
	if us := int64(binary.LittleEndian.Uint64(b)); us != 0 {
		return time.UnixMicro(us).UTC(), b[8:]
	}
	return time.Time{}, b[8:]
}
