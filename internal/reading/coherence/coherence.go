// Package coherence says how evenly the heart swings with the breath: the Doorstep coherence of the last 64 seconds of intervals
// between beats, and which pace of breathing moves a person's heart most. It is pure.
//
// The idea is published (McCraty R et al. (2009), Integral Review 5:10): find the highest peak of the heart rate's spectrum between
// 0.04 and 0.26 Hz, and set the power around it beside all the rest. The usual form of it, 128 points without padding, cannot reach
// more than a low score even for a perfect sine, since its bins are as wide as the peak. Ours pads the transform, so that the peak is
// found where it is, and is calibrated: a sine is 1 and noise is 0 on average. It is not, and does not claim to be, any other
// product's score.
package coherence

import (
	"math"

	"doorstep/internal/reading/hrv"
)

const (
	// Window is how much of the past counts, in seconds.
	Window = 64.0
	// Every is how often a new figure is worth working out, in seconds.
	Every = 5.0

	around = 0.015 // Hz on each side of the peak that belong to it
)

// Where peaks are looked for, and what they are set beside.
var (
	breath = hrv.Band{From: 0.04, To: 0.26}
	whole  = hrv.Band{From: 0.0033, To: 0.4}
)

// Calibration: the share of the power around the peak for a sine, and on average for intervals that vary at random, both with the
// method below. The tests work them out anew.
const (
	sineShare  = 0.893
	noiseShare = 0.218
)

// method is one Hann window over the last 64 s, padded sixteenfold: a step of 0.001 Hz.
var method = hrv.Method{Interpolation: hrv.Linear, Hz: 4, Segment: int(4 * Window), Padded: 4096, Window: hrv.Hann}

// Score is the figure of one moment.
type Score struct {
	Seconds   float64 // of intervals behind it; less than Window: no figure yet, and the rest is zero
	Coherence float64 // 0 to 1
	Ratio     float64 // power around the peak beside all the rest; uncalibrated
	Peak      float64 // Hz
	HeartRate float64 // per minute, of the window
	Swing     float64 // beats per minute from trough to peak, at the peak's frequency
	Artefacts int     // beats that were put right in the window
}

// Ready tells whether there is a figure.
func (s Score) Ready() bool { return s.Seconds >= Window }

// PerMinute answers the pace of the heart's swing in breaths a minute.
func (s Score) PerMinute() float64 { return 60 * s.Peak }

// Live answers the score of the last 64 seconds of intervals in ms, oldest first. Missed, extra and early beats are put right first
// (hrv.CorrectIntervals).
func Live(rr []float64) Score {
	last, seconds := tail(rr)
	s := Score{Seconds: seconds}
	if !s.Ready() {
		return s
	}
	fixed, found := hrv.CorrectIntervals(last)
	s.Artefacts = found.Count()
	power := hrv.Welch(fixed, method)
	all := power.In(whole)
	if !(all > 0) { // a heart without any swing, or too few intervals
		return s
	}
	s.Peak = highest(power, breath)
	near := power.In(hrv.Band{From: s.Peak - around, To: s.Peak + around})
	share := near / all
	s.Coherence = min(max((share-noiseShare)/(sineShare-noiseShare), 0), 1)
	s.Ratio = near / (all - near)
	s.HeartRate = 60_000 / mean(fixed)
	s.Swing = swing(fixed, s.Peak)
	return s
}

// tail answers the intervals of the last Window seconds, and how many seconds there are, at most as many as it takes.
func tail(rr []float64) (last []float64, seconds float64) {
	sum := 0.0
	for i := len(rr) - 1; i >= 0; i-- {
		sum += rr[i] / 1000
		// One interval more than the window: what is interpolated reaches from the end of the first to the last.
		if sum >= Window+rr[i]/1000 {
			return rr[i:], Window
		}
	}
	return rr, min(sum, math.Nextafter(Window, 0))
}

// highest answers the frequency of the most power in a band.
func highest(s hrv.Spectrum, b hrv.Band) float64 {
	best, at := -1.0, 0.0
	for i, p := range s.Power {
		if f := float64(i) * s.Step; f >= b.From && f < b.To && p > best {
			best, at = p, f
		}
	}
	return at
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// swing answers by how many beats a minute the heart goes up and down at a frequency: twice the amplitude of the sine that fits the
// heart rate best (least squares, weighted by the length of each interval).
func swing(rr []float64, hz float64) float64 {
	if hz <= 0 {
		return 0
	}
	off := 60_000 / mean(rr)
	t, c, s, weight := 0.0, 0.0, 0.0, 0.0
	for _, ms := range rr {
		t += ms / 1000
		sin, cos := math.Sincos(2 * math.Pi * hz * t)
		v := 60_000/ms - off
		c, s, weight = c+v*cos*ms, s+v*sin*ms, weight+ms
	}
	return 2 * 2 * math.Hypot(c, s) / weight
}
