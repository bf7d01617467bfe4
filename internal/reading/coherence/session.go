package coherence

import "doorstep/internal/reading/hrv"

// Session is a sitting summed up.
type Session struct {
	Seconds   float64
	Mean      float64 // coherence, over the figures of every five seconds
	Best      float64 // of them
	Share     float64 // of them at a half or more
	HeartRate float64 // per minute
	RMSSD     float64 // ms
	Artefacts float64 // share of the intervals that were put right
	Points    []Point
}

// Point is one of a sitting's figures.
type Point struct {
	At        float64 // seconds from its beginning
	Coherence float64
	HeartRate float64
}

// Sum answers a sitting's figures from its intervals in ms. A sitting shorter than 64 seconds has no coherence.
func Sum(rr []float64) Session {
	var s Session
	if len(rr) < 2 {
		return s
	}
	next := Window
	for i, ms := range rr {
		s.Seconds += ms / 1000
		if s.Seconds < next {
			continue
		}
		next += Every
		if live := Live(rr[:i+1]); live.Ready() {
			s.Points = append(s.Points, Point{At: s.Seconds, Coherence: live.Coherence, HeartRate: live.HeartRate})
		}
	}
	for _, p := range s.Points {
		s.Mean += p.Coherence / float64(len(s.Points))
		s.Best = max(s.Best, p.Coherence)
		if p.Coherence >= 0.5 {
			s.Share += 1 / float64(len(s.Points))
		}
	}
	fixed, found := hrv.CorrectIntervals(rr)
	t := hrv.InTime(fixed)
	s.HeartRate, s.RMSSD, s.Artefacts = 60_000/mean(fixed), t.RMSSD, float64(found.Count())/float64(len(rr))
	return s
}
