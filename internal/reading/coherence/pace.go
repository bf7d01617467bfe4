package coherence

import "slices"

// Paces are the breaths a minute that are tried to find a person's own, two minutes each (Lehrer P et al. (2000), Appl Psychophysiol
// Biofeedback 25:177; Shaffer F, Meehan ZM (2020), Front Neurosci 14:570400).
var Paces = []float64{6.5, 6, 5.5, 5, 4.5}

// PaceSeconds is how long each is tried; settle is how much of that the heart is given to follow.
const (
	PaceSeconds = 120.0
	settle      = 30.0
)

// Trial is what the heart did at one pace.
type Trial struct {
	PerMinute float64
	Swing     float64 // beats per minute from trough to peak at that pace, after half a minute
	Coherence float64 // the mean after half a minute
	Enough    bool    // at least 90 seconds of intervals
}

// Try answers what intervals in ms, breathed at a pace, were like.
func Try(perMinute float64, rr []float64) Trial {
	t := Trial{PerMinute: perMinute}
	fixed := rr
	seconds, from := 0.0, 0
	for i, ms := range fixed {
		if seconds += ms / 1000; seconds < settle {
			from = i + 1
		}
	}
	if t.Enough = seconds >= settle+Window; !t.Enough {
		return t
	}
	t.Swing = swing(fixed[from:], perMinute/60)
	t.Coherence = Sum(fixed[from:]).Mean
	return t
}

// Best answers the pace that moves the heart most, with the more coherent one where two are within a tenth; not ok when no pace was
// tried for long enough.
func Best(trials []Trial) (best Trial, ok bool) {
	tried := slices.DeleteFunc(slices.Clone(trials), func(t Trial) bool { return !t.Enough })
	if len(tried) == 0 {
		return best, false
	}
	most := slices.MaxFunc(tried, func(a, b Trial) int { return order(a.Swing, b.Swing) }).Swing
	tried = slices.DeleteFunc(tried, func(t Trial) bool { return t.Swing < 0.9*most })
	return slices.MaxFunc(tried, func(a, b Trial) int { return order(a.Coherence, b.Coherence) }), true
}

func order(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
