package rule

import "time"

// Learns tells whether a rule needs the person's own past: for its limits, or for the parts of a score.
func (r *Rule) Learns() bool {
	if r.Parts != nil { // its parts
		return true
	}
	own := sides{&r.Above, &r.Below}
	if own.above.past() || own.below.past() {
		return true
	}
	for i := range r.With {
		if r.With[i].Above.past() || r.With[i].Below.past() {
			return true
		}
	}
	return false
}

// Learn answers what a rule knows after a person's past, in the order of measurement, with nothing told of: trouble that is going on
// counts from the next sample.
func Learn(r *Rule, samples []Sample) State {
	var s State
	for i := range samples {
		s.Step(r, samples[i].Series, samples[i].At, samples[i].Value)
	}
	s.Open, s.Side, s.Since, s.told = false, 0, time.Time{}, time.Time{}
	return s
}
